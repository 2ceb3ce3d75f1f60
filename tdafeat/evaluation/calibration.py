"""Whether probabilities mean what they say: calibration, and the two common proper scores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tdafeat.checks import as_array, as_cloud, as_count, as_labels
from tdafeat.evaluation.accuracy import PREDICTOR_TITLES, check_classes, wilson
from tdafeat.record import metric

if TYPE_CHECKING:
    import pandas as pd

BINS = 15  # as Guo et al. take them
ROUNDING = 1e-3  # what the probabilities of a row may add up to beside 1: float16 keeps as much
PROBABILISTIC = ("probe", "knn", "head")  # predictors whose scores are probabilities


def reliability(confidences: Any, correct: Any, n_bins: int = BINS) -> pd.DataFrame:
    """How often predictions are right, by how sure they were: what a reliability diagram draws.

    Parameters
    ----------
    confidences : (n,) probability of each prediction, in [0, 1].
    correct : (n,) whether it was right.
    n_bins : intervals of equal width; each holds its upper end, the first also 0.

    Returns
    -------
    A row for each bin: ``low``, ``high``; ``n`` predictions; their mean ``confidence``; their
    ``accuracy`` with its Wilson 95 % interval, ``accuracy_low`` and ``accuracy_high``. NaN where a
    bin is empty.

    Raises
    ------
    ValueError if the two are not equally long and not empty, a confidence lies outside [0, 1], an
    entry of `correct` is not 0 or 1, or there is no bin.

    References
    ----------
    Niculescu-Mizil, Caruana (2005), Predicting good probabilities with supervised learning.

    Examples
    --------
    >>> frame = reliability([0.6, 0.7, 0.9], [True, False, True], n_bins=2)
    >>> frame[["n", "confidence", "accuracy"]].round(3)
       n  confidence  accuracy
    0  0         NaN       NaN
    1  3       0.733     0.667
    """
    import pandas as pd

    sure = as_array(confidences, "confidences", 1).astype(np.float64)
    right = as_array(correct, "correct", 1)
    if len(sure) != len(right) or not len(sure):
        raise ValueError(
            f"confidences and correct must be equally long and not empty; "
            f"got {len(sure)} and {len(right)}"
        )
    if not ((sure >= 0) & (sure <= 1)).all():
        raise ValueError("confidences must lie in [0, 1]")
    if not np.isin(right, (0, 1)).all():
        raise ValueError("correct must hold True or False (1 or 0)")
    as_count(n_bins, "n_bins")
    edges = np.linspace(0, 1, n_bins + 1)
    place = np.searchsorted(edges[1:-1], sure, side="left")
    n = np.bincount(place, minlength=n_bins)
    hits = np.bincount(place, right.astype(np.float64), minlength=n_bins)
    total = np.bincount(place, sure, minlength=n_bins)
    filled = np.where(n > 0, n, np.nan)
    bounds = [wilson(int(k), int(m)) if m else None for k, m in zip(hits, n, strict=True)]
    return pd.DataFrame(
        {
            "low": edges[:-1],
            "high": edges[1:],
            "n": n,
            "confidence": total / filled,
            "accuracy": hits / filled,
            "accuracy_low": [np.nan if b is None else b.low for b in bounds],
            "accuracy_high": [np.nan if b is None else b.high for b in bounds],
        }
    )


def expected_calibration_error(probabilities: Any, labels: Any, n_bins: int = BINS) -> float:
    """Expected calibration error: gap between confidence and accuracy, over 15 bins of equal width.

    The mean over all predictions of | accuracy - mean confidence | of their bin, in [0, 1]. Few
    samples make it larger: bins differ from their confidence by chance alone.

    Parameters
    ----------
    probabilities : (n, C) of each class; a row adds up to 1.
    labels : (n,) in 0..C - 1.
    n_bins : as `reliability` takes them.

    References
    ----------
    Guo et al. (2017), On calibration of modern neural networks.

    Examples
    --------
    >>> round(expected_calibration_error([[0.9, 0.1], [0.9, 0.1]], [0, 1]), 3)
    0.4
    """
    table, known = _checked(probabilities, labels)
    highest = np.minimum(table.max(axis=1), 1.0)  # rounding may take it beyond
    bins = reliability(highest, table.argmax(axis=1) == known, n_bins)
    bins = bins[bins["n"] > 0]
    gaps = (bins["accuracy"] - bins["confidence"]).abs()
    return float((bins["n"] * gaps).sum() / len(known))


def brier_score(probabilities: Any, labels: Any) -> float:
    """Brier score: mean squared distance between the probabilities and the true class, in [0, 2].

    Over all classes, as Brier wrote it: of two classes it is twice the score of one of them.

    References
    ----------
    Brier (1950), Verification of forecasts expressed in terms of probability.

    Examples
    --------
    >>> brier_score([[0.5, 0.5], [1.0, 0.0]], [0, 0])
    0.25
    """
    table, known = _checked(probabilities, labels)
    return float(np.square(table - np.eye(table.shape[1])[known]).sum(axis=1).mean())


def negative_log_likelihood(probabilities: Any, labels: Any) -> float:
    """Mean negative logarithm of the probability of the true class, in nats.

    A probability below 2.2e-16, the rounding of 1, counts as that: a predictor that is sure and
    wrong loses 36 nats.

    Examples
    --------
    >>> round(negative_log_likelihood([[0.5, 0.5], [1.0, 0.0]], [0, 0]), 4)
    0.3466
    """
    table, known = _checked(probabilities, labels)
    own = np.take_along_axis(table, known[:, None], axis=1)
    return float(-np.log(np.maximum(own, np.finfo(np.float64).eps)).mean())


def _checked(probabilities: Any, labels: Any) -> tuple[np.ndarray, np.ndarray]:
    table = as_cloud(probabilities, "probabilities")
    known = check_classes(as_labels(labels, len(table)), table.shape[1], "probabilities")
    if table.min() < 0:
        row = int(table.min(axis=1).argmin())
        raise ValueError(f"probabilities must be at least 0; row {row} has {table[row].min():.4g}")
    off = np.abs(table.sum(axis=1) - 1)
    if off.max() > ROUNDING:
        row = int(off.argmax())
        raise ValueError(
            f"probabilities must add up to 1 in each row; row {row} adds up to "
            f"{table[row].sum():.4g}"
        )
    return table, known


for _predictor in PROBABILISTIC:
    _record: dict[str, Any] = {
        "room": "evaluation",
        "needs": (_predictor, "labels"),
        "better": "lower",
        "invariant": ("permutation",),
    }
    _title = PREDICTOR_TITLES[_predictor]
    metric(
        f"{_predictor}_ece",
        title=f"{_title} calibration error",
        range=(0.0, 1.0),
        source="Guo et al. 2017",
        version=2,
        # of one class's images alone, confidence and accuracy need not agree even if calibrated
        scopes=("all",),
        **_record,
    )(expected_calibration_error)
    metric(
        f"{_predictor}_brier",
        title=f"{_title} Brier score",
        range=(0.0, 2.0),
        source="Brier 1950",
        **_record,
    )(brier_score)
    if _predictor != "knn":  # the share of a class that none of k neighbours is of is 0
        metric(
            f"{_predictor}_nll",
            title=f"{_title} negative log-likelihood",
            range=(0.0, float("inf")),
            source="Good 1952",
            unit="nats",
            **_record,
        )(negative_log_likelihood)
