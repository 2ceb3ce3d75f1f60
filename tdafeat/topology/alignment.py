"""Kernels for diagrams whose bars are all born together, as in H0: matching on a line.

There an optimal matching never crosses, so it is an alignment of the two sorted lists of
lifetimes. numba compiles each kernel on first use (about a second), then caches it on disk.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from tdafeat.topology.powers import raise_to


@njit(cache=True, nogil=True)
def alignment_cost(
    a: np.ndarray, b: np.ndarray, drop_a: np.ndarray, drop_b: np.ndarray, order: float
) -> float:
    """Least cost of aligning sorted `a` with sorted `b`: |a_i - b_j|^order a match, else a drop.

    f(i, j) = min(f(i-1, j-1) + |a_i - b_j|^order, f(i-1, j) + drop_a_i, f(i, j-1) + drop_b_j),
    over antidiagonals i + j = k, whose cells do not depend on each other: the inner loop is a
    straight sweep that the compiler turns into vector instructions. O(nm) time, O(n) memory.
    """
    n, m = len(a), len(b)
    b_reversed, drop_b_reversed = b[::-1].copy(), drop_b[::-1].copy()
    before, last, new = np.zeros(n + 1), np.zeros(n + 1), np.zeros(n + 1)
    match = np.empty(n)
    for k in range(1, n + m + 1):
        if k <= m:
            new[0] = last[0] + drop_b[k - 1]
        if k <= n:
            new[k] = last[k - 1] + drop_a[k - 1]
        start, stop = max(1, k - m), min(n, k - 1) + 1  # cells (i, k - i) off the borders
        x, drop_x = a[start - 1 :], drop_a[start - 1 :]
        y, drop_y = b_reversed[m - k + start :], drop_b_reversed[m - k + start :]
        for t in range(stop - start):
            match[t] = abs(x[t] - y[t])
        raise_to(match, stop - start, order)
        diagonal, above = before[start - 1 :], last[start - 1 :]
        left, out = last[start:], new[start:]
        for t in range(stop - start):
            out[t] = min(diagonal[t] + match[t], above[t] + drop_x[t], left[t] + drop_y[t])
        before, last, new = last, new, before
    return last[n]


@njit(cache=True, nogil=True)
def aligned_mates(
    a: np.ndarray, b: np.ndarray, drop_a: np.ndarray, drop_b: np.ndarray, order: float
) -> np.ndarray:
    """For each of sorted `a` the index in sorted `b` an optimal alignment gives it, or -1.

    The recurrence of `alignment_cost` by rows, with a byte for each cell to find the way back.
    """
    n, m = len(a), len(b)
    step = np.zeros((n + 1, m + 1), np.uint8)  # 0 drops b, 1 drops a, 2 matches
    last, new = np.zeros(m + 1), np.zeros(m + 1)
    for j in range(m):
        last[j + 1] = last[j] + drop_b[j]
    for i in range(n):
        new[0] = last[0] + drop_a[i]
        step[i + 1, 0] = 1
        for j in range(m):
            match = last[j] + abs(a[i] - b[j]) ** order
            above, left = last[j + 1] + drop_a[i], new[j] + drop_b[j]
            new[j + 1] = min(match, above, left)
            if new[j + 1] == match:
                step[i + 1, j + 1] = 2
            elif new[j + 1] == above:
                step[i + 1, j + 1] = 1
        last, new = new, last
    mates = np.full(n, -1)
    i, j = n, m
    while i > 0 or j > 0:
        taken = step[i, j]
        if taken == 2:
            mates[i - 1] = j - 1
        if taken != 0:
            i -= 1
        if taken != 1:
            j -= 1
    return mates


@njit(cache=True, nogil=True)
def cover(a: np.ndarray, b: np.ndarray, radius: float, mates: np.ndarray) -> float:
    """Match every bar of sorted `a` longer than 2 `radius` to its own bar of `b` that near.

    The intervals of reach all have the same length, so taking the first free bar is optimal.
    `mates` takes the bar of `b` that each bar of `a` is given, -1 for none. Returns the least
    radius at which this matching still covers, at most `radius`; inf if none does.
    """
    j, reached = 0, 0.0
    mates[:] = -1
    for i in range(len(a)):
        x = a[i]
        if x / 2 <= radius:
            reached = max(reached, x / 2)
            continue
        while j < len(b) and x - b[j] > radius:
            j += 1
        if j == len(b) or b[j] - x > radius:
            return np.inf
        mates[i] = j
        reached = max(reached, abs(x - b[j]))
        j += 1
    return reached


@njit(cache=True, nogil=True)
def least_way(a: np.ndarray, b: np.ndarray) -> float:
    """Largest way, of any of sorted `a`, to the nearest of sorted `b` or to the diagonal."""
    way, j = 0.0, 0
    for x in a:
        while j < len(b) and b[j] < x:
            j += 1
        nearest = x / 2
        if j > 0:
            nearest = min(nearest, x - b[j - 1])
        if j < len(b):
            nearest = min(nearest, b[j] - x)
        way = max(way, nearest)
    return way


@njit(cache=True, nogil=True)
def bottleneck_on_a_line(
    a: np.ndarray, b: np.ndarray, mates_a: np.ndarray, mates_b: np.ndarray
) -> float:
    """Bottleneck distance of sorted lifetimes: the smallest radius at which each covers the other.

    No radius is smaller than the least way of any bar. Beyond it bisects over the float64 numbers
    themselves: the bits of non-negative floats are ordered as integers. A matching found at some
    radius covers at a smaller one, too; where none does just below that, it is the answer.
    `mates_a`, `mates_b` take the bars by which each diagram's long bars are covered.
    """
    least = max(least_way(a, b), least_way(b, a))
    if max(cover(a, b, least, mates_a), cover(b, a, least, mates_b)) <= least:
        return least
    most = least
    for lengths in (a, b):
        if len(lengths) > 0:
            most = max(most, lengths[-1] / 2)
    bounds = np.array([least, most])
    bits = bounds.view(np.int64)
    trial = np.empty(1)
    just_below = False
    while bits[1] - bits[0] > 1:
        middle = bits[0] + (bits[1] - bits[0]) // 2
        trial.view(np.int64)[0] = bits[1] - 1 if just_below else middle
        reached = max(cover(a, b, trial[0], mates_a), cover(b, a, trial[0], mates_b))
        just_below = reached <= trial[0]
        bounds[1 if just_below else 0] = reached if just_below else trial[0]
    cover(a, b, bounds[1], mates_a)
    cover(b, a, bounds[1], mates_b)
    return bounds[1]
