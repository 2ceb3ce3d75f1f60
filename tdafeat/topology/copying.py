"""Kernel that checks a distance matrix and copies it.

It is compared with its mirror image by square tiles: a tile and its image are both in cache, where
numpy would run down columns for each row.
numba compiles it on first use (a second), then caches it on disk.
"""

from __future__ import annotations

import numpy as np
from numba import njit

_TILE = 64  # rows of a band, and columns of a tile


@njit(cache=True, nogil=True)
def copy_distances(matrix: np.ndarray, copy: np.ndarray, first: int, step: int) -> bool:
    """Copy bands of rows first, first + step, ... if they are distances.

    False as soon as one is not: not symmetric to the bit, negative, NaN, beyond the normal numbers
    of float32, or not zero on the diagonal. Then the copy is not complete.
    """
    n, shortest, longest = len(matrix), np.finfo(np.float32).tiny, np.finfo(np.float32).max
    for top in range(first * _TILE, n, step * _TILE):
        bottom = min(top + _TILE, n)
        wrong = False
        for i in range(top, bottom):
            row, copied = matrix[i], copy[i]
            wrong |= row[i] != 0
            for j in range(n):
                wrong |= not ((shortest <= row[j]) & (row[j] <= longest) | (row[j] == 0))
                copied[j] = row[j]
        for left in range(top, n, _TILE):
            right = min(left + _TILE, n)
            for i in range(top, bottom):
                row, column = matrix[i, left:right], matrix[left:right, i]
                for j in range(right - left):
                    wrong |= row[j] != column[j]
        if wrong:
            return False
    return True
