"""Sorting and searching for the kernels: each is compiled once here, not once in every kernel."""

from __future__ import annotations

import numpy as np
from numba import njit

_FEW = 48  # values up to which insertion is faster, a tenth of the time for twenty


@njit(cache=True, nogil=True)
def ascending(values: np.ndarray) -> np.ndarray:
    """Indices that sort a contiguous array."""
    indices = np.arange(len(values))
    if len(values) > _FEW:
        for t in range(1, len(values)):
            if values[t] < values[t - 1]:
                return np.argsort(values)
        return indices  # as diagrams often come
    for t in range(1, len(values)):
        value, place = values[t], t
        while place > 0 and values[indices[place - 1]] > value:
            indices[place] = indices[place - 1]
            place -= 1
        indices[place] = t
    return indices


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
