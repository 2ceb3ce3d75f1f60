"""Kernels for whole landscapes: their levels one by one, and the norm of a difference, exact.

A level is piecewise linear with slopes 1, -1 and 0: a piece is where it starts, its slope and where
its line crosses zero. Differences are taken of these crossings, so nearly equal landscapes keep
their digits. numba compiles each kernel on first use (seconds in all), then caches it on disk.

References
----------
Bubenik and Dlotko (2017), "A persistence landscapes toolbox for topological statistics".
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def take_level(
    bars: np.ndarray, n: int, starts: np.ndarray, slopes: np.ndarray, zeros: np.ndarray
) -> tuple[int, int]:
    """Write the pieces of the first level of `n` bars, in order of birth; leave the other levels'.

    What a bar has below the first level is a bar of the levels that are left: in place of the
    first ones in `bars`. Returns the number of pieces and of those bars.
    """
    n_pieces, n_left = 0, 0
    death = -np.inf
    for k in range(n):
        next_birth, next_death = bars[k, 0], bars[k, 1]
        if next_death <= death:
            bars[n_left] = bars[k]
            n_left += 1
            continue
        start = next_birth
        if next_birth < death:  # the tents cross: the part below both of them is left
            start = (next_birth + death) / 2
            bars[n_left, 0], bars[n_left, 1] = next_birth, death
            n_left += 1
        elif k > 0:
            starts[n_pieces], slopes[n_pieces], zeros[n_pieces] = death, 0.0, 0.0
            n_pieces += 1
        death = next_death
        starts[n_pieces], slopes[n_pieces], zeros[n_pieces] = start, 1.0, next_birth
        n_pieces += 1
        starts[n_pieces], slopes[n_pieces], zeros[n_pieces] = (next_birth + death) / 2, -1.0, death
        n_pieces += 1
    if n > 0:
        starts[n_pieces], slopes[n_pieces], zeros[n_pieces] = death, 0.0, 0.0
        n_pieces += 1
    return n_pieces, n_left


@njit(cache=True, nogil=True)
def landscape_difference(a: np.ndarray, b: np.ndarray, order: float, unit: float) -> float:
    """Integral of |difference / unit|^order, summed over all levels; its largest size for inf.

    `a` and `b` are finite bars in order of birth.
    """
    a, b = a.copy(), b.copy()
    n, m = len(a), len(b)
    starts_a, slopes_a, zeros_a = np.empty(3 * n), np.empty(3 * n), np.empty(3 * n)
    starts_b, slopes_b, zeros_b = np.empty(3 * m), np.empty(3 * m), np.empty(3 * m)
    total = 0.0
    while n > 0 or m > 0:
        n_pieces, n = take_level(a, n, starts_a, slopes_a, zeros_a)
        m_pieces, m = take_level(b, m, starts_b, slopes_b, zeros_b)
        i, j, since = 0, 0, -np.inf  # pieces begun, and where the segment at hand begins
        while i < n_pieces or j < m_pieces:
            until = np.inf
            if i < n_pieces:
                until = starts_a[i]
            if j < m_pieces:
                until = min(until, starts_b[j])
            slope_a, zero_a, slope_b, zero_b = 0.0, 0.0, 0.0, 0.0
            if i > 0:
                slope_a, zero_a = slopes_a[i - 1], zeros_a[i - 1]
            if j > 0:
                slope_b, zero_b = slopes_b[j - 1], zeros_b[j - 1]
            if slope_a == slope_b:
                first = last = slope_a * (zero_b - zero_a)
            else:
                first = slope_a * (since - zero_a) - slope_b * (since - zero_b)
                last = slope_a * (until - zero_a) - slope_b * (until - zero_b)
            if slope_a != 0.0 or slope_b != 0.0:
                if order == np.inf:
                    total = max(total, abs(first), abs(last))
                else:
                    total += (until - since) * mean_power(first / unit, last / unit, order)
            since = until
            while i < n_pieces and starts_a[i] == until:
                i += 1
            while j < m_pieces and starts_b[j] == until:
                j += 1
    return total


@njit(cache=True, nogil=True)
def mean_power(first: float, last: float, order: float) -> float:
    """Mean of |y|^order as y goes evenly from `first` to `last`."""
    larger, smaller = max(abs(first), abs(last)), min(abs(first), abs(last))
    if larger == 0.0:
        return 0.0
    if (first < 0.0) != (last < 0.0):  # through zero
        share = (1.0 + (smaller / larger) ** (order + 1.0)) / (1.0 + smaller / larger)
    else:
        gap = (larger - smaller) / larger
        if gap == 0.0:
            share = order + 1.0
        elif gap == 1.0:
            share = 1.0
        else:  # (1 - (1 - gap)^(order + 1)) / gap without cancellation
            share = -math.expm1((order + 1.0) * math.log1p(-gap)) / gap
    return larger**order * share / (order + 1.0)
