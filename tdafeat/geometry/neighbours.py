"""The k nearest other rows of each row, exact, in chunks; and how unevenly they are chosen."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from scipy.stats import skew

from tdafeat.checks import as_cloud
from tdafeat.geometry.sharing import is_sharing, shared
from tdafeat.record import metric

CHUNK = 1024  # rows compared with all others at a time: 8 MB per thousand rows
COMMON = 20  # neighbours found at once where metrics share them: none of them asks for more
NEAR = 1e-4  # of the squared lengths; below it a squared distance is taken from differences


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
    if k < 1:
        raise ValueError(f"k must be at least 1; got {k}")
    rows = as_cloud(points, "points", min_samples=k + 1)
    found = max(k, min(COMMON, len(rows) - 1)) if is_sharing() else k
    distances, nearest = _nearest(rows, found)
    return distances[:, :k], nearest[:, :k]


@shared
def _nearest(points: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    rows = torch.from_numpy(points)
    centred = rows - rows.mean(0)  # the expansion below loses digits to a common offset
    squares = centred.square().sum(1)
    distances = torch.empty(len(rows), k, dtype=torch.float64)
    nearest = torch.empty(len(rows), k, dtype=torch.int64)
    for start in range(0, len(rows), CHUNK):
        part = centred[start : start + CHUNK]
        # squared distance less a constant per row
        relative = torch.addmm(squares, part, centred.T, alpha=-2)
        own = torch.arange(len(part))
        relative[own, start + own] = torch.inf
        closest = relative.topk(k, dim=1, largest=False)
        found, lengths = closest.indices, squares[start : start + CHUNK, None]
        squared = closest.values + lengths
        # Once more from differences: between near rows the expansion has few digits left.
        # A column at a time: the differences of all k would fill memory where D is large.
        near = squared < NEAR * (lengths + squares[found])
        exact = squared.clamp(min=0).sqrt()
        for column, (others, close) in enumerate(zip(found.T, near.T, strict=True)):
            own_rows = rows[start : start + CHUNK][close]
            exact[close, column] = (own_rows - rows[others[close]]).norm(dim=1)
        order = exact.argsort(dim=1)
        distances[start : start + CHUNK] = exact.gather(1, order)
        nearest[start : start + CHUNK] = found.gather(1, order)
    return distances.numpy(), nearest.numpy()


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
    _, chosen = nearest_neighbours(as_cloud(features, min_samples=k + 1), k)
    counts = np.bincount(chosen.ravel(), minlength=len(chosen))
    return float("nan") if np.ptp(counts) == 0 else float(skew(counts))
