"""Intrinsic dimension: how many coordinates a cloud needs where one looks closely.

Both estimators take the density to be constant among a row's nearest neighbours, so that the
distances to them grow as those of points thrown evenly into a ball. Both are too low where the
dimension is high for the number of rows (roughly, above 10 for some thousands).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tdafeat.checks import as_cloud, as_count, as_number
from tdafeat.geometry.neighbours import nearest_neighbours
from tdafeat.record import Z95, Estimate, metric

_DIMENSION: dict[str, Any] = {
    "room": "geometry",
    "needs": ("features",),
    "range": (0.0, np.inf),
    "invariant": ("rotation", "translation", "scale", "permutation"),
}
FEWEST = 20  # ratios; from fewer, dimension 5 may come out as anything from 3 to 9 and beyond
_UNDEFINED = Estimate(np.nan, np.nan, np.nan)


@metric(
    "two_nn",
    title="intrinsic dimension, TwoNN",
    source="Facco, d'Errico, Rodriguez and Laio 2017",
    version=2,
    **_DIMENSION,
)
def two_nn(features: Any, discard: float = 0.1) -> Estimate:
    """Intrinsic dimension by TwoNN, from the ratios of the two nearest distances of every row.

    The ratios are Pareto distributed with the dimension as exponent: a line through the origin is
    fitted to minus the log of their empirical survival against their logs. Rows with a duplicate
    have no ratio and are left out.

    Parameters
    ----------
    features : (n, D); three rows or more.
    discard : share of the largest ratios to leave out, which a varying density spoils most.

    Returns
    -------
    Estimate with a 95 % interval from the influence of each row, rows that are neighbours being
    taken as correlated (Conley 1999). NaN if fewer than 20 rows have a ratio, which say next to
    nothing, or all ratios are 1.

    Examples
    --------
    >>> plane = np.random.default_rng(0).uniform(size=(2000, 2)) @ np.eye(2, 5)
    >>> round(two_nn(plane).value)
    2
    """
    if not 0 <= as_number(discard, "discard") < 1:
        raise ValueError(f"discard must be a share from 0 to below 1; got {discard}")
    distances, nearest = nearest_neighbours(as_cloud(features, min_samples=3), 2)
    told, logs = log_ratios(distances)
    dimension = two_nn_dimension(logs, discard)
    if np.isnan(dimension):
        return _UNDEFINED
    order = np.argsort(logs, kind="stable")
    ascending, survival = _line(logs[order], discard)
    n, kept = len(logs), len(ascending)
    # What each row adds to the sum of survival times logs, a linear function of order statistics:
    # the gaps between logs up to its own, each weighted as the log that it leads to.
    climbed = np.cumsum(survival * np.diff(ascending, prepend=0.0))
    added = np.empty(n)
    added[order] = np.append(climbed, np.full(n - kept, climbed[-1]))
    influence = np.zeros(len(distances))
    influence[told] = added - added.mean()
    error = dimension**2 * _standard_error(influence, nearest) / (survival @ survival)
    return Estimate(dimension, dimension - Z95 * error, dimension + Z95 * error)


def log_ratios(distances: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows without a duplicate, and the logs of the ratio of their two nearest distances."""
    told = np.flatnonzero(distances[:, 0] > 0)
    return told, np.log(distances[told, 1]) - np.log(distances[told, 0])


def two_nn_dimension(logs: np.ndarray, discard: float = 0.1) -> float:
    """Slope of minus log survival against log ratio, through the origin; NaN of fewer than 20."""
    ascending, survival = _line(np.sort(logs), discard)
    if len(logs) < FEWEST or len(ascending) < 2 or not ascending.any():
        return float("nan")
    return float(ascending @ survival / (ascending @ ascending))


def _line(ascending: np.ndarray, discard: float) -> tuple[np.ndarray, np.ndarray]:
    """The log ratios that are kept, and minus the logs of their empirical survival."""
    n = len(ascending)
    kept = max(0, min(int(n * (1 - discard)), n - 1))  # the last one's survival is 0
    return ascending[:kept], -np.log1p(-np.arange(1, kept + 1) / max(n, 1))


@metric(
    "levina_bickel",
    title="intrinsic dimension, Levina-Bickel",
    source="Levina and Bickel 2004, averaged as MacKay and Ghahramani 2005",
    **_DIMENSION,
)
def levina_bickel(features: Any, k: int = 20) -> Estimate:
    """Intrinsic dimension by maximum likelihood of the distances to the k = 20 nearest rows.

    Every row has an estimate of its own, k - 1 over the sum of the logs of its largest of those
    distances to the others; their harmonic mean is returned. Rows at distance zero are left out
    of a row's neighbours.

    Parameters
    ----------
    features : (n, D); more than `k` rows.
    k : neighbours of a row, at least 2.

    Returns
    -------
    Estimate with a 95 % interval, whose standard error takes rows that are neighbours as
    correlated (Conley 1999). NaN where no row has two neighbours at different distances.

    Examples
    --------
    >>> line = np.linspace(0, 1, 500)[:, None] * np.ones(3)
    >>> round(levina_bickel(line).value)
    1
    """
    points = as_cloud(features, min_samples=as_count(k, "k", least=2) + 1)
    distances, nearest = nearest_neighbours(points, k)
    told, inverse = inverse_dimensions(distances)
    if not told.any():
        return _UNDEFINED
    mean = inverse[told].mean()
    if mean == 0:
        return _UNDEFINED
    error = _standard_error(np.where(told, inverse - mean, 0.0), nearest) / told.sum()
    dimension = 1 / mean
    spread = Z95 * error * dimension**2
    return Estimate(float(dimension), float(dimension - spread), float(dimension + spread))


def inverse_dimensions(distances: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which rows have a dimension of their own by maximum likelihood, and its inverse, else 0."""
    logs = np.log(distances, where=distances > 0, out=np.full_like(distances, np.nan))
    others = (distances > 0).sum(axis=1) - 1
    told = others >= 1
    inverse = np.zeros(len(logs))
    inverse[told] = np.nansum(logs[told, -1:] - logs[told], axis=1) / others[told]
    return told, inverse


def _standard_error(centred: np.ndarray, nearest: np.ndarray) -> float:
    """Of the sum of values that are correlated where their rows are neighbours of each other."""
    rows = np.repeat(np.arange(len(centred)), nearest.shape[1])
    columns = nearest.ravel()
    # A pair counts once in each direction, also where only one has the other among its nearest.
    low, high = np.minimum(rows, columns), np.maximum(rows, columns)
    pairs = np.unique(low * len(centred) + high)
    low, high = np.divmod(pairs, len(centred))
    alone = centred @ centred
    return float(np.sqrt(max(alone, alone + 2 * (centred[low] @ centred[high]))))
