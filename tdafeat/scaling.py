"""Values in units of a power of two: nothing is rounded, and no square overflows or vanishes."""

from __future__ import annotations

import numpy as np


def in_units(values: np.ndarray, axis: int | None = None) -> np.ndarray:
    """Values over the power of two above their largest entry, or that along an axis.

    Examples
    --------
    >>> in_units(np.array([[3.0, 0.0], [1.0, 0.0]]), axis=0).tolist()
    [[0.75, 0.0], [0.25, 0.0]]
    """
    largest = np.abs(values).max(axis=axis, keepdims=True)
    return np.ldexp(values, -np.frexp(largest)[1])
