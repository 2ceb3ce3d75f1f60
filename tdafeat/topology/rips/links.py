"""What an edge does as it enters: the components of its link.

By Mayer-Vietoris an edge f = (i, j), entering with all triangles it completes, kills in H1 the
image of the reduced H0 of its link: with c components, c - 1 cycles i - k - j - k' with k and k' in
two of them. Nearly every link has one component. To see that, no exact order is needed: edges are
taken a level at a time, and what the graph `earlier` (before the level) and the graph `later`
(with all of the level) both say holds at every moment in between.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from tdafeat.topology.rips.order import NONE, ONE, before, bit, has, lowest


@njit(cache=True, nogil=True)
def killed_cycles(
    keys: np.ndarray,
    near: np.ndarray,
    earlier: np.ndarray,
    later: np.ndarray,
    first: int,
    step: int,
) -> np.ndarray:
    """Cycles i - k - j - k' killed by the level's edges, as rows (i, j, k, k'), i < j.

    Of those edges, the ones with i = first, first + step, ...
    """
    n, width = earlier.shape
    found, count = np.empty((64, 4), np.int32), 0
    rest, inside = np.empty(width, np.uint64), np.empty(width, np.uint64)
    for i in range(first, n, step):
        for w in range(i >> 6, width):
            level = later[i, w] & ~earlier[i, w]
            if w == i >> 6:
                level &= ~(bit(i) - ONE)
            while level != NONE:
                j = (w << 6) + lowest(level)
                level &= level - ONE
                if surely_connected(near, earlier, later, i, j, rest, inside):
                    continue
                find_lune(keys, earlier, later, i, j, rest)
                if first_vertex(rest) < 0:
                    continue
                k = take_component(keys, near, earlier, later, i, j, rest, inside)
                while first_vertex(rest) >= 0:
                    if count == len(found):
                        more = np.empty((2 * count, 4), np.int32)
                        more[:count] = found
                        found = more
                    found[count, 0] = i
                    found[count, 1] = j
                    found[count, 2] = k
                    found[count, 3] = take_component(keys, near, earlier, later, i, j, rest, inside)
                    count += 1
    return found[:count]


@njit(cache=True, nogil=True)
def surely_connected(
    near: np.ndarray,
    earlier: np.ndarray,
    later: np.ndarray,
    i: int,
    j: int,
    rest: np.ndarray,
    inside: np.ndarray,
) -> bool:
    """Whether the lune of (i, j) has one component throughout the level, as far as is easily seen.

    The vertices in the lune before the level stay in it; those in the lune with all of the level
    are all that may come. A vertex k of the former and up to three of its neighbours in the lune,
    near i or near j, make a star. It is enough that all that may come are neighbours, before the
    level, of the star or of a neighbour of it in the lune. Near i it is the same few vertices for
    many j, whose rows stay in the cache. `rest` and `inside` are scratch space.
    """
    width = earlier.shape[1]
    k = common_neighbour(near, earlier, i, i, j)
    if k < 0:
        k = common_neighbour(near, earlier, j, i, j)
    w = 0
    while k < 0:
        if w == width:
            return False
        if earlier[i, w] & earlier[j, w] != NONE:
            k = (w << 6) + lowest(earlier[i, w] & earlier[j, w])
        w += 1
    k2 = k3 = k4 = k
    for q in range(near.shape[1]):
        v = int(near[i, q])
        if v != k and has(earlier, j, v) and has(earlier, k, v) and has(earlier, i, v):
            k3, k4 = k4, v
            if k3 != k:
                break
    for q in range(near.shape[1]):
        v = int(near[j, q])
        if has(earlier, i, v) and has(earlier, k, v) and has(earlier, j, v):
            k2 = v
            break
    apart = NONE
    for w in range(width):
        star = earlier[k, w] | earlier[k2, w] | earlier[k3, w] | earlier[k4, w]
        inside[w] = earlier[i, w] & earlier[j, w] & star
        rest[w] = later[i, w] & later[j, w] & ~star
        apart |= rest[w]
    if apart == NONE:
        return True
    for w in range(width):
        outside = rest[w]
        while outside != NONE:
            v = (w << 6) + lowest(outside)
            outside &= outside - ONE
            if not meets(earlier, v, inside):
                return False
            if has(earlier, i, v) and has(earlier, j, v):
                for q in range(width):
                    rest[q] &= ~earlier[v, q]
                outside &= rest[w]
    return True


@njit(cache=True, nogil=True)
def common_neighbour(near: np.ndarray, graph: np.ndarray, a: int, i: int, j: int) -> int:
    """The vertex nearest to `a` that is a neighbour of i and j, or -1 if no near one is."""
    for q in range(near.shape[1]):
        if has(graph, i, near[a, q]) and has(graph, j, near[a, q]):
            return int(near[a, q])
    return -1


@njit(cache=True, nogil=True)
def first_vertex(row: np.ndarray) -> int:
    """Lowest vertex whose bit is set, or -1."""
    for w in range(len(row)):
        if row[w] != NONE:
            return (w << 6) + lowest(row[w])
    return -1


@njit(cache=True, nogil=True)
def find_lune(
    keys: np.ndarray, earlier: np.ndarray, later: np.ndarray, i: int, j: int, lune: np.ndarray
) -> None:
    """Write the lune of (i, j) itself, between those before and after the level."""
    for w in range(len(lune)):
        lune[w] = earlier[i, w] & earlier[j, w]
        come = later[i, w] & later[j, w] & ~lune[w]
        while come != NONE:
            k = (w << 6) + lowest(come)
            come &= come - ONE
            if before(keys, i, k, i, j) and before(keys, j, k, i, j):
                lune[w] |= bit(k)


@njit(cache=True, nogil=True)
def take_component(
    keys: np.ndarray,
    near: np.ndarray,
    earlier: np.ndarray,
    later: np.ndarray,
    i: int,
    j: int,
    rest: np.ndarray,
    inside: np.ndarray,
) -> int:
    """Move one component of the link of (i, j) out of `rest` and give a vertex of it."""
    width = len(rest)
    k = first_vertex(rest)
    for q in range(near.shape[1]):
        v = int(near[i, q])
        if rest[v >> 6] & bit(v) != NONE:
            k = v
            break
    for w in range(width):
        inside[w] = rest[w] & earlier[k, w]
        rest[w] &= ~earlier[k, w]
    growing = True
    while growing:
        growing = False
        for w in range(width):
            left = rest[w]
            while left != NONE:
                v = (w << 6) + lowest(left)
                left &= left - ONE
                if not meets(earlier, v, inside) and not meets_before(keys, later, v, inside, i, j):
                    continue
                growing = True
                for q in range(width):
                    inside[q] |= rest[q] & earlier[v, q]
                    rest[q] &= ~earlier[v, q]
                left &= rest[w]
    return k


@njit(cache=True, nogil=True)
def meets_before(
    keys: np.ndarray, later: np.ndarray, v: int, inside: np.ndarray, i: int, j: int
) -> bool:
    """Whether an edge of the level before (i, j) joins `v` to a vertex inside."""
    for w in range(len(inside)):
        joined = later[v, w] & inside[w]
        while joined != NONE:
            if before(keys, v, (w << 6) + lowest(joined), i, j):
                return True
            joined &= joined - ONE
    return False


@njit(inline="always")
def meets(graph, v, inside):  # type: ignore[no-untyped-def]
    """Whether `v` has a neighbour inside."""
    together = NONE
    for w in range(len(inside)):
        together |= graph[v, w] & inside[w]
    return together != NONE
