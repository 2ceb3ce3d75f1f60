"""Sorting and searching for the kernels: each is compiled once here, not once in every kernel."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def ascending(values: np.ndarray) -> np.ndarray:
    """Indices that sort a contiguous array."""
    return np.argsort(values)


@njit(cache=True, nogil=True)
def first_at_least(values: np.ndarray, bound: float) -> int:
    """Index of the first of ascending `values` that is not below `bound`, or their number."""
    low, high = 0, len(values)
    while low < high:
        middle = (low + high) // 2
        if values[middle] < bound:
            low = middle + 1
        else:
            high = middle
    return low
