"""Kernels for the bottleneck distance in the plane: covering the long bars of one diagram.

At radius r the long bars, those longer than 2 r, must be matched. By the theorem of Mendelsohn and
Dulmage (1958) one matching covers the long bars of both diagrams if and only if one covers those
of the first and another those of the second: two one-sided problems, of few bars each. numba
compiles each kernel on first use (seconds in all), then caches it on disk.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from tdafeat.topology.sorting import ascending, first_at_least


@njit(cache=True, nogil=True)
def covering_radius(a: np.ndarray, b: np.ndarray, radius: float, mates: np.ndarray) -> float:
    """Smallest r >= `radius` at which the bars of `a` longer than 2 r match into `b` within r.

    `b` comes in order of birth; `mates`, -1 throughout at first, takes the bar of `b` that each
    bar of `a` is matched to.
    """
    births, deaths = b[:, 0].copy(), b[:, 1].copy()
    half = (a[:, 1] - a[:, 0]) / 2
    by_length = ascending(-half)
    # No radius is smaller than the way of a long bar to the nearest bar or to the diagonal.
    for i in by_length:
        if half[i] <= radius:
            break
        nearest = half[i]
        for j in range(_first_within(births, a[i, 0], nearest), len(births)):
            if births[j] - a[i, 0] >= nearest:
                break
            nearest = min(nearest, max(abs(a[i, 0] - births[j]), abs(a[i, 1] - deaths[j])))
        radius = max(radius, nearest)
    if len(half) == 0 or half[by_length[0]] <= radius:
        return radius
    mates_b = np.full(len(b), -1)
    if _cover(a, births, deaths, half, by_length, radius, mates, mates_b):
        return radius
    # Bisection over the float64 numbers themselves, whose bits are ordered as integers. What was
    # matched within too small a radius stays matched; at half the longest bar nothing has to be.
    bounds = np.array([radius, half[by_length[0]]])
    bits = bounds.view(np.int64)
    best, matched = np.full(len(a), -1), mates
    trial = np.empty(1)
    while bits[1] - bits[0] > 1:
        trial.view(np.int64)[0] = bits[0] + (bits[1] - bits[0]) // 2
        new, new_b = matched.copy(), mates_b.copy()
        if _cover(a, births, deaths, half, by_length, trial[0], new, new_b):
            bounds[1], best = trial[0], new
        else:
            bounds[0], matched, mates_b = trial[0], new, new_b
    for i in range(len(a)):  # not by a slice: see `growing`
        mates[i] = best[i]
    return bounds[1]


@njit(cache=True, nogil=True)
def _first_within(births: np.ndarray, birth: float, radius: float) -> int:
    """Index from which births can be within `radius`, as their rounded differences have it."""
    slack = 2.0**-51 * (abs(birth) + radius)  # twice what both differences are rounded by
    return first_at_least(births, birth - radius - slack)


@njit(cache=True, nogil=True)
def _cover(
    a: np.ndarray,
    births: np.ndarray,
    deaths: np.ndarray,
    half: np.ndarray,
    by_length: np.ndarray,
    radius: float,
    mates: np.ndarray,
    mates_b: np.ndarray,
) -> bool:
    """Whether all long bars of `a` can be matched; the matching grows until one cannot.

    Breadth-first search for chains of exchanges that end at a free bar of `b`, or at a bar of `a`
    that need not be matched. In each round a bar of `b` is looked at once, so chains do not share
    bars and a round is cheap; a bar that the first chain of a round cannot match, none can.
    """
    came_from, seen = np.empty(len(births), np.int64), np.zeros(len(births), np.int64)
    queue = np.empty(len(births) + 1, np.int64)
    a_round, missing = 0, True
    while missing:
        a_round, missing, first = a_round + 1, False, True
        for root in by_length:
            if half[root] <= radius:
                break
            if mates[root] >= 0:
                continue
            queue[0], head, tail, last = root, 0, 1, -1
            while head < tail and last < 0:
                i = queue[head]
                head += 1
                for j in range(_first_within(births, a[i, 0], radius), len(births)):
                    if births[j] - a[i, 0] > radius:
                        break
                    if (
                        seen[j] == a_round
                        or abs(a[i, 0] - births[j]) > radius
                        or abs(a[i, 1] - deaths[j]) > radius
                    ):
                        continue
                    seen[j], came_from[j] = a_round, i
                    mate = mates_b[j]
                    if mate < 0 or half[mate] <= radius:
                        last = j
                        break
                    queue[tail] = mate
                    tail += 1
            if last < 0:
                if first:
                    return False
                missing = True
            elif mates_b[last] >= 0:
                mates[mates_b[last]] = -1
            first = False
            while last >= 0:
                i = came_from[last]
                mates_b[last] = i
                last, mates[i] = mates[i], last
    return True
