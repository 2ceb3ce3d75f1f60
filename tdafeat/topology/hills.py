"""Kernels for sums of Gaussian hills exp(-|z - p|^2 / (2 variance)): their inner products.

Of two nearly equal sums the squared distance <f, f> - 2 <f, g> + <g, g> cancels to nothing. Written
as the squared norm of a sum of differences of hills, of which each is small by itself, it does not.
numba compiles each kernel on first use (seconds in all), then caches it on disk.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def product_of_sums(
    p: np.ndarray, weights_p: np.ndarray, q: np.ndarray, weights_q: np.ndarray, variance: float
) -> float:
    """Sum over all pairs of the product of weights and exp(-|p - q|^2 / (2 variance))."""
    total = 0.0
    for k in range(len(p)):
        for m in range(len(q)):
            square = (p[k, 0] - q[m, 0]) ** 2 + (p[k, 1] - q[m, 1]) ** 2
            total += weights_p[k] * weights_q[m] * math.exp(-square / (2 * variance))
    return total


@njit(cache=True, nogil=True)
def square_of_differences(
    p: np.ndarray, weights_p: np.ndarray, q: np.ndarray, weights_q: np.ndarray, variance: float
) -> float:
    """Inner product with itself of the sum of weights_p_k hill(p_k) - weights_q_k hill(q_k).

    Each term is w_p (hill(p) - hill(q)) + (w_p - w_q) hill(q): both parts are small where p is
    near q and the weights are alike.
    """
    total = 0.0
    for k in range(len(p)):
        for m in range(k + 1):
            moved = weights_p[k] * weights_p[m] * _both_move(p[k], q[k], p[m], q[m], variance)
            of_k = weights_p[k] * (weights_p[m] - weights_q[m])
            of_m = weights_p[m] * (weights_p[k] - weights_q[k])
            grown = (weights_p[k] - weights_q[k]) * (weights_p[m] - weights_q[m])
            if of_k != 0.0:
                moved += of_k * _one_moves(p[k], q[k], q[m], variance)
            if of_m != 0.0:
                moved += of_m * _one_moves(p[m], q[m], q[k], variance)
            if grown != 0.0:
                moved += grown * _hill(q[k, 0] - q[m, 0], q[k, 1] - q[m, 1], variance)
            total += moved if k == m else 2 * moved
    return total


@njit(inline="always")
def _hill(x, y, variance):  # type: ignore[no-untyped-def]
    return math.exp(-(x * x + y * y) / (2 * variance))


@njit(inline="always")
def _growth(x, y, dx, dy, variance):  # type: ignore[no-untyped-def]
    """Logarithm of hill(x + dx, y + dy) / hill(x, y)."""
    return -(2 * (x * dx + y * dy) + dx * dx + dy * dy) / (2 * variance)


@njit(cache=True, nogil=True)
def _one_moves(p: np.ndarray, q: np.ndarray, other: np.ndarray, variance: float) -> float:
    """hill(p - other) - hill(q - other)."""
    x, y = q[0] - other[0], q[1] - other[1]
    dx, dy = p[0] - q[0], p[1] - q[1]
    growth = _growth(x, y, dx, dy, variance)
    if abs(growth) < 1.0:
        return _hill(x, y, variance) * math.expm1(growth)
    return _hill(x + dx, y + dy, variance) - _hill(x, y, variance)


@njit(cache=True, nogil=True)
def _both_move(
    p: np.ndarray, q: np.ndarray, p2: np.ndarray, q2: np.ndarray, variance: float
) -> float:
    """hill(p - p2) - hill(p - q2) - hill(q - p2) + hill(q - q2).

    With u = p - p2, and the exponent growing by s as the first point moves, by t as the second
    does, and by s + t + r as both do, it is hill(u) ((1 - e^s) (1 - e^t) + e^(s + t) (e^r - 1)).
    """
    x, y = p[0] - p2[0], p[1] - p2[1]
    dx, dy, dx2, dy2 = q[0] - p[0], q[1] - p[1], p2[0] - q2[0], p2[1] - q2[1]
    s, t = _growth(x, y, dx, dy, variance), _growth(x, y, dx2, dy2, variance)
    r = -(dx * dx2 + dy * dy2) / variance
    if max(abs(s), abs(t), abs(r)) < 1.0:
        both = math.expm1(s) * math.expm1(t) + math.exp(s + t) * math.expm1(r)
        return _hill(x, y, variance) * both
    return (
        _hill(x, y, variance)
        - _hill(x + dx2, y + dy2, variance)
        - _hill(x + dx, y + dy, variance)
        + _hill(x + dx + dx2, y + dy + dy2, variance)
    )
