"""Lunes, and the relative neighbourhood graph: the edges whose lune is empty.

The lune of an edge f = (i, j) holds every vertex k with both (i, k) and (j, k) before f: the
vertices of the link of f when it enters. Where it is empty no triangle enters with f, so f joins
two components (an edge of the minimum spanning tree) or gives birth to a class of H1.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from tdafeat.topology.growing import longer
from tdafeat.topology.rips.order import LAST, ends, ranked

NEAR = 16  # nearest vertices kept of each
_SWEPT = 6  # nearest vertices of i with which all lunes of edges (i, j) are tested at once
_BLOCK = 256  # vertices looked at between two chances to stop


@njit(cache=True, nogil=True)
def nearest(keys: np.ndarray, near: np.ndarray, first: int, step: int) -> None:
    """Fill rows first, first + step, ... of `near`, `(n, NEAR)`, with the nearest vertices.

    They come in order; of no more than NEAR points the last ones are filled up with vertex 0.
    """
    n = len(keys)
    best = np.empty(NEAR, np.int64)  # keys, and in their lower bits the vertices
    for i in range(first, n, step):
        best[:] = np.int64(LAST) << 32
        for start in range(0, n, 64):
            block = keys[i, start : start + 64]
            smallest = LAST
            for b in range(len(block)):
                smallest = min(smallest, block[b])
            if smallest >= best[NEAR - 1] >> 32:
                continue
            for b in range(len(block)):
                one = (np.int64(block[b]) << 32) | np.int64(start + b)
                if one < best[NEAR - 1]:
                    # It goes past all, rather than to a place which no branch could foresee.
                    for q in range(NEAR):
                        best[q], one = min(best[q], one), max(best[q], one)
        for q in range(NEAR):
            near[i, q] = best[q] & 0xFFFF


@njit(cache=True, nogil=True)
def relative_neighbours(
    keys: np.ndarray, near: np.ndarray, hubs: np.ndarray, limit: np.int32, first: int, step: int
) -> np.ndarray:
    """Ranks of the edges (i, j) below `limit` with an empty lune, for i = first, first + step, ...

    Most lunes of long edges hold one of a few hubs, whichever they are, most lunes of short ones a
    near neighbour of i: a sweep over all j at once strikes those edges out. Of the others most
    hold a near neighbour of i or j; the rest are looked at whole.
    """
    n = len(keys)
    found, count = np.empty(64, np.int64), 0
    kept = np.empty(n, np.int32)
    for i in range(first, n, step):
        lengths, longest = keys[i, i + 1 :], kept[i + 1 :]
        longest[:] = limit - np.int32(1)
        for t in range(len(hubs) + _SWEPT):
            k = hubs[t] if t < len(hubs) else np.int64(near[i, t - len(hubs)])
            to_i, to_others = keys[k, i], keys[k, i + 1 :]
            for b in range(len(lengths)):
                longest[b] = min(longest[b], max(to_i, to_others[b]))
        for b in range(len(lengths)):
            j = i + 1 + b
            if (
                lengths[b] > longest[b]
                or holds_near(keys, near, i, j)
                or not lune_is_empty(keys, i, j)
            ):
                continue
            if count == len(found):
                found = longer(found, 2 * count)
            found[count] = ranked(keys, i, j)
            count += 1
    return found[:count]


@njit(cache=True, nogil=True)
def holds_near(keys: np.ndarray, near: np.ndarray, i: int, j: int) -> bool:
    """Whether a near neighbour of i or of j is strictly within the lune."""
    length = keys[i, j]
    for a, b in ((i, j), (j, i)):
        for k in near[a]:
            if keys[a, k] >= length:
                break
            if keys[b, k] < length:
                return True
    return False


@njit(cache=True, nogil=True)
def lune_is_empty(keys: np.ndarray, i: int, j: int) -> bool:
    """Whether no vertex is joined to both ends of (i, j), i < j, by earlier edges."""
    n, key = len(keys), keys[i, j]
    next_key = np.int32(key + 1)
    # Edges as long as (i, j) come before it by their vertices: below i both, up to j the first.
    for low, high, from_i, from_j in (
        (0, i, next_key, next_key),
        (i + 1, j, next_key, key),
        (j + 1, n, key, key),
    ):
        for start in range(low, high, _BLOCK):
            row_i = keys[i, start : min(start + _BLOCK, high)]
            row_j = keys[j, start : min(start + _BLOCK, high)]
            inside = False
            for b in range(len(row_i)):
                inside |= (row_i[b] < from_i) & (row_j[b] < from_j)
            if inside:
                return False
    return True


@njit(cache=True, nogil=True)
def spanning_edges(edges: np.ndarray, n: int) -> np.ndarray:
    """Which of these edges, ranked and ascending, join two components (Kruskal)."""
    parent = np.arange(n)
    joins = np.zeros(len(edges), np.bool_)
    for e in range(len(edges)):
        x, y = ends(edges[e])
        while parent[x] != x:
            parent[x] = parent[parent[x]]
            x = parent[x]
        while parent[y] != y:
            parent[y] = parent[parent[y]]
            y = parent[y]
        parent[x] = y
        joins[e] = x != y
    return joins
