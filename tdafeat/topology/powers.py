"""Powers of costs, for the kernels: compiled once here, not once in every kernel."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def raise_to(values: np.ndarray, count: int, order: float) -> None:
    """Raise the first `count` of `values` to the order, in place.

    A general power of every cost takes longer than all else that is done with a few bars, and so
    would, beside so few, a slice for each call.
    """
    if order == 2.0:
        for k in range(count):
            values[k] *= values[k]
    elif order != 1.0:
        for k in range(count):
            values[k] **= order
