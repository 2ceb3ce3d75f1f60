"""How often the highest-scoring class is the right one, and by what margin."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tdafeat.checks import as_array, as_labels
from tdafeat.record import Estimate, metric

PREDICTOR_TITLES = {
    "probe": "linear probe",
    "knn": "k-NN",
    "zero_shot": "zero-shot",
    "class_mean": "nearest class mean",
}
Z95 = 1.959963984540054  # normal quantile of a two-sided 95 % interval


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
    if n < 1 or not 0 <= successes <= n:
        raise ValueError(f"successes must lie in 0..n with n >= 1; got {successes} of {n}")
    share, z2 = successes / n, Z95**2
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z95 * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    # at 0 and n the bound is 0 or 1 exactly; rounding must not put the value outside
    return Estimate(share, min(share, max(0.0, middle - half)), max(share, min(1.0, middle + half)))


def accuracy(scores: Any, labels: Any, top_k: int = 1) -> Estimate:
    """Share of rows whose class is among the `top_k` highest scores, with a Wilson 95 % interval.

    Parameters
    ----------
    scores : (n, C), larger is likelier; ties go to the lower class index, as argmax does.
    labels : (n,) in 0..C - 1.

    Raises
    ------
    ValueError if shapes or labels do not fit, a score is NaN, or top_k is not in 1..C.

    Examples
    --------
    >>> accuracy([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.3, 0.7]], [0, 1, 1, 1]).value
    0.75
    """
    table, known = _checked(scores, labels)
    if not 1 <= top_k <= table.shape[1]:
        raise ValueError(f"top_k must lie in 1..{table.shape[1]}; got {top_k}")
    own = np.take_along_axis(table, known[:, None], axis=1)
    earlier = np.arange(table.shape[1]) < known[:, None]
    rank = ((table > own) | ((table == own) & earlier)).sum(axis=1)
    return wilson(int(np.count_nonzero(rank < top_k)), len(known))


def margin(scores: Any, labels: Any) -> float:
    """Mean of the true class's score less the highest other score; needs two classes.

    Examples
    --------
    >>> round(margin([[0.9, 0.1], [0.3, 0.7]], [0, 0]), 6)
    0.2
    """
    table, known = _checked(scores, labels)
    if table.shape[1] < 2:
        raise ValueError(f"scores must have at least two columns; got shape {table.shape}")
    others = table.copy()
    np.put_along_axis(others, known[:, None], -np.inf, axis=1)
    own = np.take_along_axis(table, known[:, None], axis=1)[:, 0]
    return float((own - others.max(axis=1)).mean())


def _checked(scores: Any, labels: Any) -> tuple[np.ndarray, np.ndarray]:
    table = as_array(scores, "scores", 2).astype(np.float64)
    known = as_labels(labels, len(table))
    if not table.size:
        raise ValueError(f"scores must have at least one row and column; got shape {table.shape}")
    if np.isnan(table).any():
        raise ValueError("scores must not be NaN")
    if known.min() < 0 or known.max() >= table.shape[1]:
        raise ValueError(
            f"labels must lie in 0..{table.shape[1] - 1}, one per column of scores; "
            f"got {known.min()} to {known.max()}"
        )
    return table, known


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
        f"{_predictor}_margin",
        title=f"{_title} margin",
        source="score of the true class less the best other",
        **_record,
    )(margin)
