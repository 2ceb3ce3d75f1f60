"""Ranks of the distances of all pairs of rows, equal ones alike."""

from __future__ import annotations

import numpy as np
import torch
from numba import njit
from scipy.spatial.distance import pdist

from tdafeat.geometry.pairs import NEAR

_PLACE_BITS = 21  # for the pairs of 2,000 rows
_PLACES = (1 << _PLACE_BITS) - 1


def ranked_distances(rows: torch.Tensor) -> torch.Tensor:
    """Ranks of the distances of all pairs of 2,000 rows or fewer, less their mean.

    Parameters
    ----------
    rows : (n, D) float64, no two further apart than 2^0.5. Distances that agree to 1e-12 are equal.

    Returns
    -------
    (n (n - 1) / 2,) float64, in scipy's order of pairs.

    Examples
    --------
    >>> ranked_distances(torch.tensor([[0.0], [0.1], [0.3], [0.4]], dtype=torch.float64)).tolist()
    [-2.0, 1.0, 2.5, -0.5, 1.0, -2.0]
    """
    # Rounding must not tell equal distances apart: ranks would make an order of it. In units of
    # 1e-12 a distance, at most 2^0.5, has 41 bits, and with the place of its pair fits an integer.
    whole = np.rint(_pairwise(rows) * 1e12).astype(np.int64)
    named = torch.from_numpy((whole << _PLACE_BITS) | np.arange(len(whole)))
    return torch.from_numpy(_mean_ranks(named.sort().values.numpy()))


@njit(cache=True, nogil=True)
def _mean_ranks(ordered: np.ndarray) -> np.ndarray:
    """Ranks by place, less their mean, of ascending values with their places; equal ones share."""
    n, start = len(ordered), 0
    ranks = np.empty(n)
    while start < n:
        stop = start + 1
        while stop < n and ordered[stop] >> _PLACE_BITS == ordered[start] >> _PLACE_BITS:
            stop += 1
        for position in range(start, stop):
            ranks[ordered[position] & _PLACES] = (start + stop - n) / 2
        start = stop
    return ranks


def _pairwise(rows: torch.Tensor) -> np.ndarray:
    distances, near = _condensed((rows @ rows.T).numpy())
    # few digits are left in a difference of squares
    return pdist(rows.numpy()) if near else distances


@njit(cache=True, nogil=True)
def _condensed(products: np.ndarray) -> tuple[np.ndarray, bool]:
    """Distances of all pairs by their inner products, and whether any two rows are near."""
    n_samples = len(products)
    distances = np.empty(n_samples * (n_samples - 1) // 2)
    near, place = False, 0
    for i in range(n_samples):
        for j in range(i + 1, n_samples):
            both = products[i, i] + products[j, j]
            squared = both - 2 * products[i, j]
            near |= squared < NEAR * both
            distances[place] = np.sqrt(max(squared, 0.0))
            place += 1
    return distances, near
