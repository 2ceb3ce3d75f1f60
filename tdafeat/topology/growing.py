"""Arrays that grow, for the kernels."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def longer(values: np.ndarray, length: int) -> np.ndarray:
    """A copy of an array with more places."""
    more = np.empty(length, values.dtype)
    for t in range(len(values)):  # a slice would compile the wording of its error, for seconds
        more[t] = values[t]
    return more
