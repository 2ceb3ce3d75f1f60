"""Kernel that checks a distance matrix and copies it, in one sweep over square tiles.

A tile and its mirror image are both in cache, where numpy would run down columns for each row.
numba compiles it on first use (a second), then caches it on disk.
"""

from __future__ import annotations

import numpy as np
from numba import njit

_TILE = 64


@njit(cache=True, nogil=True)
def copy_distances(matrix: np.ndarray, copy: np.ndarray, first: int, step: int) -> bool:
    """Copy rows of tiles first, first + step, ... and their mirror images, if they are distances.

    False as soon as one is not: not symmetric to the bit, negative, NaN, beyond the normal numbers
    of float32, or not zero on the diagonal. Then the copy is not complete.
    """
    n, shortest, longest = len(matrix), np.finfo(np.float32).tiny, np.finfo(np.float32).max
    for top in range(first * _TILE, n, step * _TILE):
        bottom = min(top + _TILE, n)
        for left in range(top, n, _TILE):
            fine = True
            for i in range(top, bottom):
                for j in range(max(left, i), min(left + _TILE, n)):
                    value = matrix[i, j]
                    fine &= (value == matrix[j, i]) & (value <= longest)
                    fine &= (value >= shortest) | (value == 0)
                    copy[i, j] = copy[j, i] = value
            if left == top:
                for i in range(top, bottom):
                    fine &= matrix[i, i] == 0
            if not fine:
                return False
    return True
