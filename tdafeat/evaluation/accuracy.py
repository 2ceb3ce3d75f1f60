"""How often the highest-scoring class is the right one, and by what margin."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tdafeat.checks import as_cloud, as_count, as_labels
from tdafeat.record import Z95, Estimate, metric

PREDICTOR_TITLES = {
    "probe": "linear probe",
    "knn": "k-NN",
    "zero_shot": "zero-shot",
    "class_mean": "nearest class mean",
    "head": "network's own head",
}
MANY = 5  # with more classes than this a top-5 accuracy says something


def wilson(successes: int, n: int) -> Estimate:
    """Proportion with Wilson's 95 % score interval.

    References
    ----------
    Wilson (1927), Probable inference, the law of succession, and statistical inference.

    Examples
    --------
    >>> estimate = wilson(8, 10)
    >>> estimate.value, round(estimate.low, 4), round(estimate.high, 4)
    (0.8, 0.4902, 0.9433)
    """
    if as_count(successes, "successes", least=0) > as_count(n, "n"):
        raise ValueError(f"successes must lie in 0..n with n >= 1; got {successes} of {n}")
    share, z2 = successes / n, Z95**2
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z95 * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    # at 0 and n the bound is 0 or 1 exactly; rounding must not put the value outside
    return Estimate(share, min(share, max(0.0, middle - half)), max(share, min(1.0, middle + half)))


def accuracy(scores: Any, labels: Any, top_k: int = 1) -> Estimate:
    """Share of rows whose class has the highest score, with a Wilson 95 % interval.

    With `top_k` above 1, of those whose class is among so many highest.

    Parameters
    ----------
    scores : (n, C), larger is likelier; ties go to the lower class index, as argmax does.
    labels : (n,) in 0..C - 1.

    Raises
    ------
    ValueError if shapes or labels do not fit, a score is not finite, or top_k is not in 1..C.

    Examples
    --------
    >>> accuracy([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.3, 0.7]], [0, 1, 1, 1]).value
    0.75
    """
    reached = ranks(scores, labels)
    n_classes = np.shape(scores)[1]
    if as_count(top_k, "top_k") > n_classes:
        raise ValueError(f"top_k must lie in 1..{n_classes}; got {top_k}")
    return wilson(int(np.count_nonzero(reached <= top_k)), len(reached))


def top5_accuracy(scores: Any, labels: Any) -> Estimate:
    """Share of rows whose class is among the five highest scores, with a Wilson 95 % interval.

    Takes and refuses what `accuracy` does; needs five classes, and says something of more.

    Examples
    --------
    >>> top5_accuracy([[6.0, 5, 4, 3, 2, 1], [6, 5, 4, 3, 2, 1]], [4, 5]).value
    0.5
    """
    return accuracy(scores, labels, top_k=5)


def ranks(scores: Any, labels: Any) -> np.ndarray:
    """Place of the true class among the scores of its row, (n,) int64; 1 is the highest.

    Of equal scores the lower class index comes first, as argmax has it.

    Examples
    --------
    >>> ranks([[0.5, 0.3, 0.2], [0.5, 0.3, 0.2]], [0, 2])
    array([1, 3])
    """
    table, known = _checked(scores, labels)
    own = np.take_along_axis(table, known[:, None], axis=1)
    earlier = np.arange(table.shape[1]) < known[:, None]
    return 1 + ((table > own) | ((table == own) & earlier)).sum(axis=1)


def margins(scores: Any, labels: Any) -> np.ndarray:
    """Of each row the true class's score less the highest other one, (n,); needs two classes.

    Above 0 where the row is predicted rightly. In units of the scores.

    Examples
    --------
    >>> margins([[0.9, 0.1], [0.3, 0.7]], [0, 0]).round(6)
    array([ 0.8, -0.4])
    """
    table, known = _checked(scores, labels)
    if table.shape[1] < 2:
        raise ValueError(f"scores must have at least two columns; got shape {table.shape}")
    others = table.copy()
    np.put_along_axis(others, known[:, None], -np.inf, axis=1)
    own = np.take_along_axis(table, known[:, None], axis=1)[:, 0]
    return own - others.max(axis=1)


def margin(scores: Any, labels: Any) -> float:
    """Mean of the true class's score less the highest other score; needs two classes.

    Examples
    --------
    >>> round(margin([[0.9, 0.1], [0.3, 0.7]], [0, 0]), 6)
    0.2
    """
    return float(margins(scores, labels).mean())


def check_classes(labels: np.ndarray, n_classes: int, columns: str = "scores") -> np.ndarray:
    """The labels, if each names a column of the scores; else a ValueError.

    Examples
    --------
    >>> check_classes(np.array([0, 2]), 2)
    Traceback (most recent call last):
    ValueError: labels must lie in 0..1, one per column of scores; got 0 to 2
    """
    if labels.min() < 0 or labels.max() >= n_classes:
        raise ValueError(
            f"labels must lie in 0..{n_classes - 1}, one per column of {columns}; "
            f"got {labels.min()} to {labels.max()}"
        )
    return labels


def _checked(scores: Any, labels: Any) -> tuple[np.ndarray, np.ndarray]:
    table = as_cloud(scores, "scores")
    return table, check_classes(as_labels(labels, len(table)), table.shape[1])


for _predictor, _title in PREDICTOR_TITLES.items():
    _record: dict[str, Any] = {
        "room": "evaluation",
        "needs": (_predictor, "labels"),
        "better": "higher",
        "invariant": ("permutation",),
    }
    metric(
        f"{_predictor}_accuracy",
        title=f"{_title} accuracy",
        range=(0.0, 1.0),
        source="top-1, Wilson 1927 interval",
        **_record,
    )(accuracy)
    metric(
        f"{_predictor}_top5",
        title=f"{_title} top-5 accuracy",
        range=(0.0, 1.0),
        source="top-5, Wilson 1927 interval",
        **_record | {"needs": (f"{_predictor}_of_many", "labels")},
    )(top5_accuracy)
    metric(
        f"{_predictor}_margin",
        title=f"{_title} margin",
        source="score of the true class less the best other",
        **_record,
    )(margin)
