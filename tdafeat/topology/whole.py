"""Kernels that take whole diagrams: essential bars apart, then the line (H0) or the plane.

`mates` takes, where `matching` asks for it, the bar of `b` that each bar of `a` is matched to, -1
for the diagonal. numba compiles each kernel on first use (seconds in all), then caches it on disk.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from tdafeat.topology.alignment import aligned_mates, alignment_cost, bottleneck_on_a_line
from tdafeat.topology.assignment import cheapest_matching, ground_costs
from tdafeat.topology.covering import covering_radius
from tdafeat.topology.powers import raise_to
from tdafeat.topology.sorting import ascending

NO_MATES = np.empty(0, np.int64)
_UNDERFLOW = 1e-250  # of the cost: smaller terms of it may have become zero


@njit(cache=True, nogil=True)
def _split(diagram: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Indices of the finite and of the essential bars, each in order of birth.

    Bars of no length are left out: nothing is gained by matching one.
    """
    in_order = ascending(diagram[:, 0].copy())
    finite = np.empty(len(diagram), np.int64)
    essential = np.empty(len(diagram), np.int64)
    n_finite, n_essential = 0, 0
    for i in in_order:
        birth, death = diagram[i]
        if death == np.inf:
            essential[n_essential] = i
            n_essential += 1
        elif birth < death:
            finite[n_finite] = i
            n_finite += 1
    return finite[:n_finite], essential[:n_essential]


@njit(cache=True, nogil=True)
def _on_a_line(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether all bars, in order of birth, are born together, as in H0 of a Rips filtration."""
    if len(a) == 0 or len(b) == 0:
        return True
    return a[0, 0] == a[-1, 0] == b[0, 0] == b[-1, 0]


@njit(cache=True, nogil=True)
def _keep(mates: np.ndarray, of_a: np.ndarray, of_b: np.ndarray, in_order: np.ndarray) -> None:
    """Write mates among sorted bars into `mates`, by the indices the bars had before."""
    for k in range(len(in_order)):
        if in_order[k] >= 0:
            mates[of_a[k]] = of_b[in_order[k]]


@njit(cache=True, nogil=True)
def wasserstein_of(
    a: np.ndarray,
    b: np.ndarray,
    order: float,
    internal_p: float,
    matching: bool,
    mates: np.ndarray,
) -> float:
    """Wasserstein distance of two checked diagrams.

    Lengths are measured in a power of two, so that no power of them overflows and nothing is
    rounded: the next above the longest. Where the distance is so small beside that that its power
    underflows, they are measured anew in the next below the bottleneck distance, which the
    distance is at least, and exceeds at most by 2^(1/internal_p) (n + m)^(1/order).
    """
    finite_a, essential_a = _split(a)
    finite_b, essential_b = _split(b)
    if len(essential_a) != len(essential_b):
        return np.inf
    gaps = np.abs(a[essential_a, 0] - b[essential_b, 0])
    _keep(mates, essential_a, essential_b, np.arange(len(gaps) if matching else 0))
    bars_a, bars_b = a[finite_a], b[finite_b]
    longest = 0.0
    for lengths in (bars_a[:, 1] - bars_a[:, 0], bars_b[:, 1] - bars_b[:, 0], gaps):
        for length in lengths:
            longest = max(longest, length)
    if longest == 0.0:
        return 0.0
    unit, most = math.ldexp(1.0, math.frexp(longest)[1]), np.inf
    total, in_order = _matched(bars_a, bars_b, unit, most, order, internal_p, matching)
    total += ((gaps / unit) ** order).sum()
    if total < _UNDERFLOW:
        least = bottleneck_of(a, b, matching, mates)
        if least == 0.0:
            return 0.0
        unit = math.ldexp(1.0, max(math.frexp(least)[1] - 1, math.frexp(longest)[1] - 960))
        most = (len(a) + len(b)) * (2 ** (1 / internal_p) * least / unit) ** order
        total, in_order = _matched(bars_a, bars_b, unit, most, order, internal_p, matching)
        total += ((gaps / unit) ** order).sum()
    if matching:
        mates[finite_a] = -1
        _keep(mates, finite_a, finite_b, in_order)
    return unit * total ** (1 / order)


@njit(cache=True, nogil=True)
def _matched(
    a: np.ndarray,
    b: np.ndarray,
    unit: float,
    most: float,
    order: float,
    internal_p: float,
    matching: bool,
) -> tuple[float, np.ndarray]:
    """Least cost of matching finite bars, and, if asked for, the mates of those of `a` in `b`.

    Both come in order of birth; `most` is no less than the cost.
    """
    a, b = a / unit, b / unit
    lengths_a, lengths_b = a[:, 1] - a[:, 0], b[:, 1] - b[:, 0]
    to_diagonal = 2 ** (1 / internal_p - 1)
    # What costs more than all together is in no optimal matching, however much more that is.
    drop_a, drop_b = lengths_a * to_diagonal, lengths_b * to_diagonal
    raise_to(drop_a, order)
    raise_to(drop_b, order)
    drop_a, drop_b = np.minimum(drop_a, 2 * most), np.minimum(drop_b, 2 * most)
    if not _on_a_line(a, b):
        mates = cheapest_matching(a, b, drop_a, drop_b, order, internal_p)
        return _cost_of(mates, a, b, drop_a, drop_b, order, internal_p), mates
    by_length_a, by_length_b = ascending(lengths_a), ascending(lengths_b)
    x, y = lengths_a[by_length_a], lengths_b[by_length_b]
    drop_a, drop_b = drop_a[by_length_a], drop_b[by_length_b]
    cost, mates = alignment_cost(x, y, drop_a, drop_b, order), np.full(len(a), -1)
    if matching:
        _keep(mates, by_length_a, by_length_b, aligned_mates(x, y, drop_a, drop_b, order))
    return cost, mates


@njit(cache=True, nogil=True)
def _cost_of(
    mates: np.ndarray,
    a: np.ndarray,
    b: np.ndarray,
    drop_a: np.ndarray,
    drop_b: np.ndarray,
    order: float,
    internal_p: float,
) -> float:
    """Cost of a matching, summed from itself and not from prices, so that nothing cancels."""
    total, cost, free = 0.0, np.empty(1), np.ones(len(b), np.bool_)
    for i in range(len(a)):
        j = mates[i]
        if j < 0:
            total += drop_a[i]
            continue
        free[j] = False
        ground_costs(a[i, 0], a[i, 1], b[j : j + 1, 0], b[j : j + 1, 1], order, internal_p, cost)
        total += cost[0]
    for j in range(len(b)):
        if free[j]:
            total += drop_b[j]
    return total


@njit(cache=True, nogil=True)
def bottleneck_of(a: np.ndarray, b: np.ndarray, matching: bool, mates: np.ndarray) -> float:
    """Bottleneck distance of two checked diagrams."""
    finite_a, essential_a = _split(a)
    finite_b, essential_b = _split(b)
    if len(essential_a) != len(essential_b):
        return np.inf
    gap = 0.0
    for k in range(len(essential_a)):
        gap = max(gap, abs(a[essential_a[k], 0] - b[essential_b[k], 0]))
    bars_a, bars_b = a[finite_a], b[finite_b]
    mates_a, mates_b = np.full(len(bars_a), -1), np.full(len(bars_b), -1)
    half_a, half_b = bars_a[:, 1] - bars_a[:, 0], bars_b[:, 1] - bars_b[:, 0]
    if _on_a_line(bars_a, bars_b):
        sorted_a, sorted_b = ascending(half_a), ascending(half_b)
        finite_a, finite_b = finite_a[sorted_a], finite_b[sorted_b]
        half_a, half_b = half_a[sorted_a], half_b[sorted_b]
        radius = max(gap, bottleneck_on_a_line(half_a, half_b, mates_a, mates_b))
    else:
        radius = covering_radius(bars_a, bars_b, gap, mates_a)
        radius = covering_radius(bars_b, bars_a, radius, mates_b)
    if matching:
        _keep(mates, essential_a, essential_b, np.arange(len(essential_a)))
        _cover_both(mates_a, mates_b, half_b / 2 > radius)
        _keep(mates, finite_a, finite_b, mates_a)
    return radius


@njit(cache=True, nogil=True)
def _cover_both(mates_a: np.ndarray, mates_b: np.ndarray, long_b: np.ndarray) -> None:
    """Change `mates_a`, which covers the long bars of `a`, to cover those of `b` as well.

    A long bar of `b` that is free takes the mate it has in `mates_b`, and the bar that loses its
    mate by that goes on in the same way if it is long: the proof of Mendelsohn and Dulmage.
    """
    holders = np.full(len(mates_b), -1)
    for i in range(len(mates_a)):
        if mates_a[i] >= 0:
            holders[mates_a[i]] = i
    for j in np.flatnonzero(long_b):
        loser = j if holders[j] < 0 else -1
        while loser >= 0 and long_b[loser]:
            i = mates_b[loser]
            mates_a[i], loser = loser, mates_a[i]
