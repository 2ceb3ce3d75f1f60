"""The k nearest other rows of each row, exact; and how unevenly they are chosen."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.stats import skew

from tdafeat.checks import as_cloud, as_count
from tdafeat.geometry.pairs import all_pairs
from tdafeat.record import metric


def nearest_neighbours(points: Any, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Euclidean distances to the `k` nearest other rows, ascending, and which rows they are.

    Parameters
    ----------
    points : (n, D); more than `k` rows.

    Returns
    -------
    (n, k) float64 and (n, k) int64. Which of equally distant rows is taken is not defined.

    Raises
    ------
    ValueError for fewer than k + 1 rows or a k below 1.

    Examples
    --------
    >>> nearest_neighbours([[0.0], [1.0], [3.0]], 1)[0].ravel()
    array([1., 1., 2.])
    """
    rows = as_cloud(points, "points", min_samples=as_count(k, "k") + 1)
    pairs = all_pairs(rows, k)
    return pairs.distances, pairs.nearest


@metric(
    "hubness",
    title="hubness",
    room="geometry",
    needs=("features",),
    better="lower",
    range=(-np.inf, np.inf),
    invariant=("rotation", "translation", "scale", "permutation"),
    source="Radovanovic, Nanopoulos and Ivanovic 2010",
)
def hubness(features: Any, k: int = 10) -> float:
    """Hubness: skewness of how often a row is among the k = 10 nearest of the others.

    0 where rows are chosen evenly; large where few rows, the hubs, are neighbours of very many.
    Needs more than `k` rows; NaN where all are chosen equally often.

    Examples
    --------
    >>> hub = [[0.0, 0.0], [1.0, 0.0], [-0.5, 0.8], [-0.5, -0.9]]
    >>> round(hubness(hub, k=1), 2)  # three rows choose the first
    0.82
    """
    _, chosen = nearest_neighbours(as_cloud(features, min_samples=as_count(k, "k") + 1), k)
    counts = np.bincount(chosen.ravel(), minlength=len(chosen))
    return float("nan") if np.ptp(counts) == 0 else float(skew(counts))
