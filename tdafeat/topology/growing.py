"""Arrays that grow, for the kernels.

Here and in other kernels values are copied by loops: to assign a slice compiles the wording of its
error as well, for two seconds.
"""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def longer(values: np.ndarray, length: int) -> np.ndarray:
    """A copy of an array of one axis, `length` places long, which is no less than it has."""
    more = np.empty(length, values.dtype)
    for t in range(len(values)):
        more[t] = values[t]
    return more
