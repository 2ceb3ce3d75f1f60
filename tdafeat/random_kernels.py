"""The numbers of `tdafeat.random_field` on a CPU: each computed in registers, in one pass.

Only integer operations and the additions, products, quotients and roots of float32 occur, which
IEEE 754 rounds alike on every processor, so that both fields are the same bits everywhere.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

_U = np.uint64
_F = np.float32
_I = np.int32

_GOLDEN = _U(0x9E3779B97F4A7C15)
_MIX_1 = _U(0xBF58476D1CE4E5B9)
_MIX_2 = _U(0x94D049BB133111EB)

_LN2 = _F(math.log(2))
_SQRT2 = _F(math.sqrt(2))
_HALF_ROOT = _I(0x3F3504F3)  # the bits of sqrt(1/2): mantissas lie between it and sqrt(2)
_MANTISSA = _I(0x7FFFFF)

# Giles 2010, "Approximating the erfinv function", single precision: centre and tail.
_C = tuple(
    _F(c)
    for c in (
        2.81022636e-08,
        3.43273939e-07,
        -3.5233877e-06,
        -4.39150654e-06,
        0.00021858087,
        -0.00125372503,
        -0.00417768164,
        0.246640727,
        1.50140941,
    )
)
_T = tuple(
    _F(c)
    for c in (
        -0.000200214257,
        0.000100950558,
        0.00134934322,
        -0.00367342844,
        0.00573950773,
        -0.0076224613,
        0.00943887047,
        1.00167406,
        2.83297682,
    )
)


@njit(inline="always")
def _uniform(key: np.uint64, counter: int) -> np.float32:
    """Output number `counter` of SplitMix64 as a multiple of 2^-24 in (0, 1)."""
    z = key + _U(counter + 1) * _GOLDEN
    z = (z ^ (z >> _U(30))) * _MIX_1
    z = (z ^ (z >> _U(27))) * _MIX_2
    z = z ^ (z >> _U(31))
    return (_F(_I(z >> _U(64 - 23))) + _F(0.5)) * _F(2.0**-23)


@njit(inline="always")
def _log(v: np.float32) -> np.float32:
    """Natural logarithm of a positive, normal number: the series of artanh on its mantissa."""
    bits = _I(_F(v).view(np.int32) - _HALF_ROOT)
    exponent = _F(_I(bits >> _I(23)))
    m = _I(_I(bits & _MANTISSA) + _HALF_ROOT).view(np.float32) - _F(1)
    s = m / (_F(2) + m)
    t = s * s
    series = t * (_F(1 / 3) + t * (_F(1 / 5) + t * (_F(1 / 7) + t * _F(1 / 9))))
    return _F(2) * s * (_F(1) + series) + exponent * _LN2


@njit(inline="always")
def _polynomial(c: tuple[np.float32, ...], x: np.float32) -> np.float32:
    y = c[0]
    y = c[1] + y * x
    y = c[2] + y * x
    y = c[3] + y * x
    y = c[4] + y * x
    y = c[5] + y * x
    y = c[6] + y * x
    y = c[7] + y * x
    return c[8] + y * x


@njit(inline="always")
def _quantile(u: np.float32) -> np.float32:
    """The standard normal number below which the share u lies."""
    x = _F(2) * u - _F(1)
    w = max(-_log(_F(4) * u * (_F(1) - u)), _F(0))  # of 1 - x^2, exactly
    centre = _polynomial(_C, w - _F(2.5))
    tail = _polynomial(_T, np.sqrt(w) - _F(3))
    return _SQRT2 * x * (centre if w < _F(5) else tail)


# numpy's division: Python's, which raises by zero, would keep the loop from being vectorised
@njit(cache=True, nogil=True, error_model="numpy")
def fill_uniform(keys: np.ndarray, out: np.ndarray) -> None:
    """Fill each row of `out` (B, N) float32 with the uniform numbers of its key, uint64."""
    for b in range(out.shape[0]):
        key = keys[b]
        for i in range(out.shape[1]):
            out[b, i] = _uniform(key, i)


@njit(cache=True, nogil=True, error_model="numpy")
def fill_normal(keys: np.ndarray, out: np.ndarray) -> None:
    """Fill each row of `out` (B, N) float32 with the standard normal numbers of its key."""
    for b in range(out.shape[0]):
        key = keys[b]
        for i in range(out.shape[1]):
            out[b, i] = _quantile(_uniform(key, i))
