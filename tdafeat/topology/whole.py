"""Kernels that take whole diagrams: essential bars apart, then the line (H0) or the plane.

Mates of the bars of `a` are indices of bars of `b`, -1 for the diagonal. numba compiles each
kernel on first use (seconds in all), then caches it on disk.
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
def in_order(diagram: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Indices of the finite and of the essential bars, each by birth, then by death.

    Bars of no length are left out: nothing is gained by matching one.
    """
    births, deaths = diagram[:, 0].copy(), diagram[:, 1].copy()
    order, start, sorted_so_far = ascending(births), 0, True
    for stop in range(1, len(order) + 1):
        if stop < len(order) and births[order[stop]] == births[order[start]]:
            sorted_so_far &= deaths[order[stop - 1]] <= deaths[order[stop]]
            continue
        if not sorted_so_far:
            together = order[start:stop].copy()
            for t, place in enumerate(ascending(deaths[together])):
                order[start + t] = together[place]
        start, sorted_so_far = stop, True
    finite = np.empty(len(order), np.int64)
    essential = np.empty(len(order), np.int64)
    n_finite, n_essential = 0, 0
    for i in order:
        if deaths[i] == np.inf:
            essential[n_essential] = i
            n_essential += 1
        elif births[i] < deaths[i]:
            finite[n_finite] = i
            n_finite += 1
    return finite[:n_finite], essential[:n_essential]


@njit(cache=True, nogil=True)
def _on_a_line(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether all bars are born together, as in H0 of a Rips filtration, so by length in order.

    Where one diagram is empty the order does not matter: every bar of the other goes unmatched.
    """
    if len(a) == 0 or len(b) == 0:
        return True
    return a[0, 0] == a[-1, 0] == b[0, 0] == b[-1, 0]


@njit(cache=True, nogil=True)
def _keep(mates: np.ndarray, of_a: np.ndarray, of_b: np.ndarray, found: np.ndarray) -> None:
    """Write mates found among bars in order into `mates`, by the indices the bars had before."""
    for k in range(len(found)):
        if found[k] >= 0:
            mates[of_a[k]] = of_b[found[k]]


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

    `mates`, -1 throughout at first, takes those of the bars of `a` if a `matching` is asked for.
    """
    finite_a, essential_a = in_order(a)
    finite_b, essential_b = in_order(b)
    distance, of_finite = wasserstein_in_order(
        a[finite_a],
        a[:, 0][essential_a],
        b[finite_b],
        b[:, 0][essential_b],
        order,
        internal_p,
        matching,
    )
    if matching and distance < np.inf:
        _keep(mates, essential_a, essential_b, np.arange(len(essential_a)))
        _keep(mates, finite_a, finite_b, of_finite)
    return distance


@njit(cache=True, nogil=True)
def wasserstein_in_order(
    a: np.ndarray,
    births_a: np.ndarray,
    b: np.ndarray,
    births_b: np.ndarray,
    order: float,
    internal_p: float,
    matching: bool,
) -> tuple[float, np.ndarray]:
    """Wasserstein distance of finite bars and births of essential ones, as `in_order` has them.

    With it come the mates of the finite bars of `a`, of use only if a `matching` is asked for.

    Lengths are measured in a power of two, so that no power of them overflows and nothing is
    rounded: the next above the longest. Where the distance is so small beside that that its power
    underflows, they are measured anew in the next below the bottleneck distance, which the
    distance is at least, and exceeds at most by 2^(1/internal_p) (n + m)^(1/order).
    """
    mates = np.full(len(a), -1)
    if len(births_a) != len(births_b):
        return np.inf, mates
    gaps, longest = np.empty(len(births_a)), 0.0
    for k in range(len(gaps)):
        gaps[k] = abs(births_a[k] - births_b[k])
        longest = max(longest, gaps[k])
    for bars in (a, b):
        for k in range(len(bars)):
            longest = max(longest, bars[k, 1] - bars[k, 0])
    if longest == 0.0:
        return 0.0, mates
    on_a_line = _on_a_line(a, b)  # births that differ may not in units of the longest
    unit, most, total = math.ldexp(1.0, math.frexp(longest)[1]), np.inf, 0.0
    for anew in (False, True):
        total, mates = _matched(a, b, gaps, unit, most, order, internal_p, on_a_line, matching)
        if anew or total >= _UNDERFLOW:
            break
        covered_a, covered_b = np.full(len(a), -1), np.full(len(b), -1)
        least = bottleneck_in_order(a, births_a, b, births_b, covered_a, covered_b)
        if least == 0.0:  # the diagrams are the same, and so is their order
            return 0.0, np.arange(len(a))
        unit = math.ldexp(1.0, max(math.frexp(least)[1] - 1, math.frexp(longest)[1] - 960))
        n = len(a) + len(b) + len(births_a) + len(births_b)
        most = n * (2 ** (1 / internal_p) * least / unit) ** order
    return unit * total ** (1 / order), mates


@njit(cache=True, nogil=True)
def _matched(
    a: np.ndarray,
    b: np.ndarray,
    gaps: np.ndarray,
    unit: float,
    most: float,
    order: float,
    internal_p: float,
    on_a_line: bool,
    matching: bool,
) -> tuple[float, np.ndarray]:
    """Least cost of finite bars and of gaps, and mates, which on a line must be asked for.

    The cost is that of lengths in units of `unit`; `most` is no less than it.
    """
    a, b, gaps = a / unit, b / unit, gaps / unit
    raise_to(gaps, len(gaps), order)
    lengths_a, lengths_b = a[:, 1] - a[:, 0], b[:, 1] - b[:, 0]
    to_diagonal = 2 ** (1 / internal_p - 1)
    # What costs more than all together is in no optimal matching, however much more that is.
    drop_a, drop_b = lengths_a * to_diagonal, lengths_b * to_diagonal
    raise_to(drop_a, len(drop_a), order)
    raise_to(drop_b, len(drop_b), order)
    drop_a, drop_b = np.minimum(drop_a, 2 * most), np.minimum(drop_b, 2 * most)
    if not on_a_line:
        mates = cheapest_matching(a, b, drop_a, drop_b, order, internal_p)
        cost = _cost_of(mates, a, b, drop_a, drop_b, order, internal_p)
        return cost + gaps.sum(), mates
    cost, mates = alignment_cost(lengths_a, lengths_b, drop_a, drop_b, order), np.full(len(a), -1)
    if matching:
        mates = aligned_mates(lengths_a, lengths_b, drop_a, drop_b, order)
    return cost + gaps.sum(), mates


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
    births, deaths = b[:, 0].copy(), b[:, 1].copy()
    total, cost, free = 0.0, np.empty(1), np.ones(len(b), np.bool_)
    for i in range(len(a)):
        j = mates[i]
        if j < 0:
            total += drop_a[i]
            continue
        free[j] = False
        ground_costs(a[i, 0], a[i, 1], births, deaths, j, j + 1, order, internal_p, cost)
        total += cost[0]
    for j in range(len(b)):
        if free[j]:
            total += drop_b[j]
    return total


@njit(cache=True, nogil=True)
def bottleneck_of(a: np.ndarray, b: np.ndarray, matching: bool, mates: np.ndarray) -> float:
    """Bottleneck distance of two checked diagrams.

    `mates`, -1 throughout at first, takes those of the bars of `a` if a `matching` is asked for.
    """
    finite_a, essential_a = in_order(a)
    finite_b, essential_b = in_order(b)
    bars_a, bars_b = a[finite_a], b[finite_b]
    mates_a, mates_b = np.full(len(bars_a), -1), np.full(len(bars_b), -1)
    radius = bottleneck_in_order(
        bars_a, a[:, 0][essential_a], bars_b, b[:, 0][essential_b], mates_a, mates_b
    )
    if matching and radius < np.inf:
        _keep(mates, essential_a, essential_b, np.arange(len(essential_a)))
        _cover_both(mates_a, mates_b, (bars_b[:, 1] - bars_b[:, 0]) / 2 > radius)
        _keep(mates, finite_a, finite_b, mates_a)
    return radius


@njit(cache=True, nogil=True)
def bottleneck_in_order(
    a: np.ndarray,
    births_a: np.ndarray,
    b: np.ndarray,
    births_b: np.ndarray,
    mates_a: np.ndarray,
    mates_b: np.ndarray,
) -> float:
    """Bottleneck distance of finite bars and births of essential ones, as `in_order` has them.

    `mates_a`, `mates_b`, -1 throughout at first, take the bars by which each diagram's long bars
    are covered.
    """
    if len(births_a) != len(births_b):
        return np.inf
    radius = 0.0
    for k in range(len(births_a)):
        radius = max(radius, abs(births_a[k] - births_b[k]))
    if _on_a_line(a, b):
        lengths_a, lengths_b = a[:, 1] - a[:, 0], b[:, 1] - b[:, 0]
        return max(radius, bottleneck_on_a_line(lengths_a, lengths_b, mates_a, mates_b))
    radius = covering_radius(a, b, radius, mates_a)
    return covering_radius(b, a, radius, mates_b)


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
