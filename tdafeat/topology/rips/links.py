"""What an edge does as it enters: the components of its link.

By Mayer-Vietoris an edge f = (i, j), entering with all triangles it completes, kills in H1 the
image of the reduced H0 of its link: with c components, c - 1 cycles i - k - j - k' with k and k' in
two of them. Nearly every link has one component, which a few rows of bits show.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from tdafeat.topology.growing import longer
from tdafeat.topology.rips.neighbourhood import NEAR
from tdafeat.topology.rips.order import NONE, ONE, bit, ends, has, lowest, pack, ranked

_BLOCK = 16  # words looked at between two chances to stop
_AT_ONCE = 4  # near vertices looked at together


@njit(cache=True, nogil=True)
def edges_between(
    keys: np.ndarray,
    lower: np.int32,
    upper: np.int32,
    capacity: int,
    graph: np.ndarray,
    written: bool,
) -> np.ndarray:
    """Write the graph of the edges below `lower`; give those from there to below `upper`.

    They come in order of their vertices, and about `capacity` are expected. Each vertex is its own
    neighbour in `graph`, which may be `written` already.
    """
    n, width = graph.shape
    found, count = np.empty(capacity + n, np.int64), 0
    is_below, level = np.zeros(64 * width, np.uint8), np.empty(width, np.uint64)
    for i in range(n):
        row = keys[i]
        for j in range(n):
            is_below[j] = row[j] < upper
        pack(is_below, level)
        if not written:
            for j in range(n):
                is_below[j] = row[j] < lower
            pack(is_below, graph[i])
        if count + n > len(found):
            found = longer(found, count + count // 2 + n)
        for w in range(i >> 6, width):
            left = level[w] & ~graph[i, w]
            if w == i >> 6:
                left &= ~(bit(i) - ONE)
            while left != NONE:
                found[count] = ranked(keys, i, (w << 6) + lowest(left))
                count += 1
                left &= left - ONE
        graph[i, i >> 6] |= bit(i)
    return found[:count]


@njit(cache=True, nogil=True)
def killed_cycles(
    graph: np.ndarray, near: np.ndarray, edges: np.ndarray, stop: np.ndarray
) -> np.ndarray:
    """Cycles i - k - j - k' killed by these edges in turn, as rows (i, j, k, k'), i < j.

    Parameters
    ----------
    graph : of all edges before the first; the edges are added to it.
    near : nearest vertices of each vertex.
    edges : ranked, ascending.
    stop : nothing more is wanted once `stop[0]` is set.
    """
    width = graph.shape[1]
    found, count = np.empty(256, np.int32), 0
    rest, inside = np.empty(width, np.uint64), np.empty(width, np.uint64)
    for e in range(len(edges)):
        if e & 1023 == 0 and stop[0]:
            break
        i, j = ends(edges[e])
        if not surely_connected(graph, near, i, j, rest):
            for w in range(width):
                rest[w] = graph[i, w] & graph[j, w]
            k = take_component(graph, rest, inside)
            k2 = take_component(graph, rest, inside)
            while k2 >= 0:
                if count == len(found):
                    found = longer(found, 2 * count)
                for vertex in (i, j, k, k2):
                    found[count] = vertex
                    count += 1
                k2 = take_component(graph, rest, inside)
        graph[i, j >> 6] |= bit(j)
        graph[j, i >> 6] |= bit(i)
    return found[:count].reshape(-1, 4)


@njit(inline="always")
def surely_connected(graph, near, i, j, rest):  # type: ignore[no-untyped-def]
    """Whether the link of (i, j) is easily seen to be connected, or empty.

    Two vertices of the lune, next to i and next to j and joined by an edge, make a star. It is
    enough that every other vertex of the lune has a neighbour in the star, or has one in common
    with it that is in the lune. `rest` is scratch space.
    """
    width = graph.shape[1]
    a, b = common_near(graph, near, i, j), common_near(graph, near, j, i)
    if a < 0:
        a = b if b >= 0 else first_common(graph, i, j)
        if a < 0:
            return True
    if b < 0 or not has(graph, a, b):
        b = a
    last = -1
    for w in range(width):
        word = graph[i, w] & graph[j, w] & ~(graph[a, w] | graph[b, w])
        rest[w] = word
        last = max(last, w if word != NONE else -1)
    while last >= 0:
        v = (last << 6) + lowest(rest[last])
        shared = NONE
        for start in range(0, width, _BLOCK):
            for w in range(start, min(width, start + _BLOCK)):
                shared |= graph[v, w] & graph[i, w] & graph[j, w] & (graph[a, w] | graph[b, w])
            if shared != NONE:
                break
        if shared == NONE:
            return False
        last = -1
        for w in range(width):
            word = rest[w] & ~graph[v, w]
            rest[w] = word
            last = max(last, w if word != NONE else -1)
    return True


@njit(inline="always")
def common_near(graph, near, a, b):  # type: ignore[no-untyped-def]
    """The vertex nearest to `a` that is a neighbour of a and b, or -1 if no near one is.

    A few at a time, without a branch for each: which is the first cannot be foreseen.
    """
    for start in range(0, NEAR, _AT_ONCE):
        common = np.int64(0)
        for q in range(_AT_ONCE):
            v = np.int64(near[a, start + q])
            word = (graph[a, v >> 6] & graph[b, v >> 6]) >> np.uint64(v & 63)
            common |= np.int64(word & ONE) << q
        if common != 0:
            return np.int64(near[a, start + lowest(common)])
    return np.int64(-1)


@njit(inline="always")
def first_common(graph, a, b):  # type: ignore[no-untyped-def]
    """Lowest vertex that is a neighbour of a and b, or -1."""
    for w in range(graph.shape[1]):
        if graph[a, w] & graph[b, w] != NONE:
            return (w << 6) + lowest(graph[a, w] & graph[b, w])
    return np.int64(-1)


@njit(cache=True, nogil=True)
def take_component(graph: np.ndarray, rest: np.ndarray, inside: np.ndarray) -> int:
    """Move one component of the graph on `rest` out of it and give a vertex of it, or -1."""
    width, first = len(rest), -1
    for w in range(width):
        if rest[w] != NONE:
            first = (w << 6) + lowest(rest[w])
            break
    if first < 0:
        return first
    inside[:] = NONE
    inside[first >> 6] = bit(first)
    growing = True
    while growing:
        growing = False
        for w in range(width):
            left = rest[w]
            while left != NONE:
                v = (w << 6) + lowest(left)
                left &= left - ONE
                together = NONE
                for q in range(width):
                    together |= graph[v, q] & inside[q]
                if together != NONE:
                    growing = True
                    for q in range(width):
                        inside[q] |= rest[q] & graph[v, q]
                        rest[q] &= ~graph[v, q]
                    left &= rest[w]
    return first
