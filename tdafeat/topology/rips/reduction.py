"""H1 as it is now: every cycle as a sum of living births.

A cycle is read from its last edge down. An edge outside the relative neighbourhood graph becomes
(x, k) + (k, y) with a witness k of its lune; an edge of the spanning tree is dropped, as it closes
no cycle; a birth that has died is itself a sum of older ones, put in its place. What is left is a
sum of living births, and few of them. If there are any, the youngest dies (the elder rule), and is
henceforth the sum of the others.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from tdafeat.topology.growing import longer
from tdafeat.topology.rips.order import LAST, ends, ranked

TREE = -1  # role of an edge of the spanning tree; births are 0, 1, ...; others -2 - witness
EMPTY = -1


class LivingCycles:
    """H1 while edges enter.

    Parameters
    ----------
    keys, near : of all pairs of vertices, and of each vertex the nearest.
    edges : ranks of those of the relative neighbourhood graph, ascending.
    in_tree : which of them are in the spanning tree; the others give birth.

    Attributes
    ----------
    births : ranks of the edges that give birth, ascending.
    deaths : key of the edge that killed each, `LAST` for the living.
    """

    def __init__(
        self, keys: np.ndarray, near: np.ndarray, edges: np.ndarray, in_tree: np.ndarray
    ) -> None:
        self.births = edges[~in_tree]
        self.deaths = np.full(len(self.births), LAST)
        self._keys, self._near, self._used = keys, near, len(edges)
        roles = np.full(len(edges), TREE, np.int64)
        roles[~in_tree] = np.arange(len(self.births))
        size = 1 << (4 * len(edges)).bit_length()
        self._memo = table_of_roles(np.column_stack([edges, roles]), size)
        self._sums, self._n_summands = np.empty(256, np.int32), 0
        self._spans = np.zeros((len(self.births), 2), np.int64)

    def kill(self, cycles: np.ndarray) -> None:
        """Let the cycles (i, j, k, k'), rows in order of the edges (i, j), die in turn."""
        self._memo, self._used, self._sums, self._n_summands = kill(
            self._keys,
            self._near,
            cycles,
            self.births,
            self._memo,
            self._used,
            self._sums,
            self._spans,
            self._n_summands,
            self.deaths,
        )


@njit(cache=True, nogil=True)
def slot(memo: np.ndarray, edge: int) -> int:
    """Where an edge is in the hash table `memo`, or would be."""
    mask = len(memo) - 1
    # Fibonacci hashing: the multiplier is 2^64 divided by the golden ratio.
    at = int((np.uint64(edge) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(32)) & mask
    while memo[at, 0] != EMPTY and memo[at, 0] != edge:
        at = (at + 1) & mask
    return at


@njit(cache=True, nogil=True)
def table_of_roles(entries: np.ndarray, size: int) -> np.ndarray:
    """Hash table of `size` places, a power of two, from rows (rank of an edge, its role)."""
    memo = np.full((size, 2), EMPTY, np.int64)
    for e in range(len(entries)):
        if entries[e, 0] != EMPTY:
            at = slot(memo, entries[e, 0])
            memo[at, 0], memo[at, 1] = entries[e, 0], entries[e, 1]  # no slice: see `growing`
    return memo


@njit(cache=True, nogil=True)
def witness(keys: np.ndarray, near: np.ndarray, i: int, j: int) -> int:
    """A vertex of the lune of (i, j), i < j, close to both ends."""
    key = keys[i, j]
    shortest, found = key, -1
    for a, b in ((i, j), (j, i)):
        for k in near[a]:
            if keys[a, k] >= shortest:
                break
            if keys[b, k] < shortest:
                shortest, found = max(keys[a, k], keys[b, k]), k
    if found >= 0:
        return found
    shortest = np.int32(key + 1)
    for k in range(len(keys)):
        longest = max(keys[i, k], keys[j, k])
        # Ties by the order of edges, as in `lune_is_empty`.
        if longest < shortest and ((keys[i, k] < key or k < j) and (keys[j, k] < key or k < i)):
            shortest, found = longest, k
    return found


@njit(cache=True, nogil=True)
def push(heap: np.ndarray, size: int, edge: int) -> np.ndarray:
    """Add an edge to a heap of `size` whose last edge is on top; the heap, larger if need be."""
    if size == len(heap):
        heap = longer(heap, 2 * size)
    while size > 0 and heap[(size - 1) >> 1] < edge:
        heap[size] = heap[(size - 1) >> 1]
        size = (size - 1) >> 1
    heap[size] = edge
    return heap


@njit(cache=True, nogil=True)
def pop(heap: np.ndarray, size: int) -> int:
    """Take the last edge off a heap of `size`."""
    top, edge, at, child = heap[0], heap[size - 1], 0, 1
    while child < size - 1:
        if child + 1 < size - 1 and heap[child + 1] > heap[child]:
            child += 1
        if heap[child] <= edge:
            break
        heap[at] = heap[child]
        at, child = child, 2 * child + 1
    heap[at] = edge
    return top


@njit(cache=True, nogil=True)
def kill(
    keys: np.ndarray,
    near: np.ndarray,
    cycles: np.ndarray,
    births: np.ndarray,
    memo: np.ndarray,
    used: int,
    sums: np.ndarray,
    spans: np.ndarray,
    n_summands: int,
    deaths: np.ndarray,
) -> tuple[np.ndarray, int, np.ndarray, int]:
    """Let the cycles (i, j, k, k') die in turn.

    Parameters
    ----------
    births : ranks of the edges that give birth, ascending.
    memo, used : table of the roles of edges, and how many it holds.
    sums, spans, n_summands : the b-th birth, once dead, is the sum of the births
        `sums[spans[b, 0] : spans[b, 1]]`, all that are there being n_summands.
    deaths : key of the edge that killed each birth, `LAST` for the living; written.

    Returns
    -------
    `memo`, `used`, `sums` and `n_summands` as they are now.
    """
    heap, size = np.empty(256, np.int64), 0
    for c in range(len(cycles)):
        i, j, k, k2 = cycles[c]
        for x, y in ((i, k), (k, j), (j, k2), (k2, i)):
            heap = push(heap, size, ranked(keys, x, y))
            size += 1
        start = n_summands
        while size > 0:
            edge = pop(heap, size)
            size -= 1
            if size > 0 and heap[0] == edge:  # twice is not at all
                pop(heap, size)
                size -= 1
                continue
            at = slot(memo, edge)
            if memo[at, 0] == EMPTY:
                if 2 * used > len(memo):
                    memo = table_of_roles(memo, 2 * len(memo))
                    at = slot(memo, edge)
                x, y = ends(edge)
                memo[at, 0] = edge
                memo[at, 1] = -2 - witness(keys, near, x, y)
                used += 1
            role = memo[at, 1]
            if role <= -2:
                for x in ends(edge):
                    heap = push(heap, size, ranked(keys, x, -2 - role))
                    size += 1
            elif role >= 0 and deaths[role] != LAST:
                for s in range(spans[role, 0], spans[role, 1]):
                    heap = push(heap, size, births[sums[s]])
                    size += 1
            elif role >= 0:
                if n_summands == len(sums):
                    sums = longer(sums, 2 * n_summands)
                sums[n_summands] = role
                n_summands += 1
        if n_summands > start:
            youngest = sums[start]
            spans[youngest, 0], spans[youngest, 1] = start + 1, n_summands
            deaths[youngest] = keys[i, j]
    return memo, used, sums, n_summands
