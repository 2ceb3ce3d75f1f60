"""The lengths that float32 holds, in which Rips engines work."""

from __future__ import annotations

import numpy as np

# Beside a length of 1e-30, one that float32 holds with fewer digits is rounding.
LEAST, MOST = 1e-30, float(np.finfo(np.float32).max)
OUT_OF_RANGE = f"X lies beyond the range of float32 ({LEAST:g} to {MOST:.2g}); rescale it"


def within_float32(values: np.ndarray) -> np.ndarray:
    """The same values, refused where the largest would overflow in float32, or vanish."""
    check_largest(max(values.max(), -values.min()) if values.size else 0.0)
    return values


def check_largest(length: float) -> None:
    """Refuse a cloud whose largest length float32 does not hold."""
    if length != 0 and not LEAST <= length <= MOST:
        raise ValueError(OUT_OF_RANGE)
