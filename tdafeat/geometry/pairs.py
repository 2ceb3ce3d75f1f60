"""One pass over all pairs of rows, for everything that metrics read from their distances."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numba import njit

from tdafeat.geometry.sharing import is_sharing, shared

CHUNK = 1024  # rows compared with all later ones at a time: 8 MB per thousand rows
COMMON = 20  # neighbours found at once where metrics share them: none of them asks for more
NEAR = 1e-4  # of the squared lengths; below it a squared distance is taken from differences


class Pairs(NamedTuple):
    """What a pass over all pairs of n rows found.

    Attributes
    ----------
    distances, nearest : (n, k) float64 and int64, Euclidean distances to the k nearest other
        rows, ascending, and which rows they are.
    kernel : mean of exp(-2 |x - y|^2) over all pairs; NaN where it was not asked for.
    """

    distances: np.ndarray
    nearest: np.ndarray
    kernel: float


def all_pairs(points: np.ndarray, k: int, kernel: bool = False) -> Pairs:
    """Compare every two of more than `k` rows, once for all who share it.

    Examples
    --------
    >>> all_pairs(np.array([[0.0], [1.0], [3.0]]), 1).nearest.ravel()
    array([1, 0, 1])
    """
    found = max(k, min(COMMON, len(points) - 1)) if is_sharing() else k
    pairs = _all_pairs(points, found, kernel)
    return Pairs(pairs.distances[:, :k], pairs.nearest[:, :k], pairs.kernel)


@shared
def _all_pairs(points: np.ndarray, k: int, kernel: bool) -> Pairs:
    rows = torch.from_numpy(points)
    n_samples = len(rows)
    centred = rows - rows.mean(0)  # the expansion below loses digits to a common offset
    lengths = centred.square().sum(1)
    closest = np.full((n_samples, k), np.inf)
    nearest = np.zeros((n_samples, k), dtype=np.int64)
    total = 0.0
    for start in range(0, n_samples, CHUNK):
        part = centred[start : start + CHUNK]
        squared = torch.addmm(lengths[start:], part, centred[start:].T, alpha=-2)
        squared += lengths[start : start + CHUNK, None]
        _offer(squared.numpy(), start, closest, nearest)
        if kernel:
            values = squared.clamp_(min=0).mul_(-2).exp_().fill_diagonal_(0)
            # a pair within the part is there in both orders, one with a later row in one
            total += 2 * float(values.sum()) - float(values[:, : len(part)].sum())
    distances = _exact(rows, lengths, torch.from_numpy(closest), torch.from_numpy(nearest))
    order = distances.argsort(dim=1)
    return Pairs(
        distances.gather(1, order).numpy(),
        torch.from_numpy(nearest).gather(1, order).numpy(),
        total / (n_samples * (n_samples - 1)) if kernel else np.nan,
    )


def _exact(
    rows: torch.Tensor, lengths: torch.Tensor, squared: torch.Tensor, nearest: torch.Tensor
) -> torch.Tensor:
    """Distances from squared ones, and once more from differences between near rows.

    The expansion has few digits left there. A column at a time: the differences of all k would
    fill memory where D is large.
    """
    distances = squared.clamp(min=0).sqrt()
    for start in range(0, len(rows), CHUNK):
        own = slice(start, start + CHUNK)
        near = squared[own] < NEAR * (lengths[own, None] + lengths[nearest[own]])
        for column in torch.nonzero(near.any(0))[:, 0].tolist():
            close = torch.nonzero(near[:, column])[:, 0] + start
            others = nearest[close, column]
            distances[close, column] = (rows[close] - rows[others]).norm(dim=1)
    return distances


@njit(cache=True, nogil=True)
def _offer(squared: np.ndarray, start: int, closest: np.ndarray, nearest: np.ndarray) -> None:
    """Offer every pair of a row from `start` on and a later one to both rows.

    Each row of `closest` is a heap, its largest value first.
    """
    farthest = closest[:, 0].copy()  # side by side, because every pair looks at them
    for i in range(squared.shape[0]):
        own = start + i
        for j in range(i + 1, squared.shape[1]):
            value, other = squared[i, j], start + j
            if value < farthest[own]:
                _replace_farthest(closest[own], nearest[own], value, other)
                farthest[own] = closest[own, 0]
            if value < farthest[other]:
                _replace_farthest(closest[other], nearest[other], value, own)
                farthest[other] = closest[other, 0]


@njit(cache=True, nogil=True)
def _replace_farthest(closest: np.ndarray, nearest: np.ndarray, value: float, name: int) -> None:
    place = 0
    while True:
        child = 2 * place + 1
        if child + 1 < len(closest) and closest[child + 1] > closest[child]:
            child += 1
        if child >= len(closest) or closest[child] <= value:
            break
        closest[place], nearest[place] = closest[child], nearest[child]
        place = child
    closest[place], nearest[place] = value, name
