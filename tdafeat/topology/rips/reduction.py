"""H1 as it is now: the class of every cycle in the basis of the living births.

A cycle is pushed down to the relative neighbourhood graph: its last edge (x, y) outside that graph
becomes (x, k) + (k, y) with a witness k of its lune, again and again. Edges of the spanning tree
close no cycle and are dropped, which leaves a sum of births. A birth that has died is itself a
sum of older ones still alive, kept as a row of bits; so the class of any cycle is read off at once.
If it is not zero, its youngest birth dies (the elder rule) and is henceforth the sum of the rest.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from tdafeat.topology.rips.order import NONE, bit, has

TREE = -1  # role of an edge of the spanning tree; births are 0, 1, ...; others -2 - witness
EMPTY = -1


@njit(inline="always")
def ranked(keys, x, y):  # type: ignore[no-untyped-def]
    """The edge (x, y) as one number: its key, then its lower and its higher vertex."""
    low, high = min(x, y), max(x, y)
    return (np.int64(keys[x, y]) << 32) | (np.int64(low) * len(keys) + high)


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
    """Hash table of `size` places, a power of two, from rows (edge, role)."""
    memo = np.full((size, 2), EMPTY, np.int64)
    for e in range(len(entries)):
        if entries[e, 0] != EMPTY:
            memo[slot(memo, entries[e, 0])] = entries[e]
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
def push(heap: np.ndarray, size: int, edge: int) -> None:
    """Add an edge to a heap of `size` whose last edge is on top."""
    while size > 0 and heap[(size - 1) >> 1] < edge:
        heap[size] = heap[(size - 1) >> 1]
        size = (size - 1) >> 1
    heap[size] = edge


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
    memo: np.ndarray,
    used: int,
    row_of: np.ndarray,
    classes: np.ndarray,
    died: np.ndarray,
    deaths: np.ndarray,
    settled: int,
    n_dead: int,
    batch: int,
) -> tuple[int, int, int, np.ndarray]:
    """Let the cycles (i, j, k, k') die, in order of (i, j), until `batch` births are dead.

    Parameters
    ----------
    row_of : row of `classes` that holds the class of a birth that is dead, -1 for the living.
    classes, died : class of the r-th birth to die, and which it is. The first `settled` rows are
        sums of births alive when the batch began, the others of births alive now.
    deaths : key of the edge that killed each birth.

    Returns
    -------
    Cycles looked at, births that are dead, places used in the table of roles, that table.
    """
    n, width = len(keys), classes.shape[1]
    heap, size = np.empty(256, np.int64), 0
    total = np.empty(width, np.uint64)
    for c in range(len(cycles)):
        if n_dead >= batch:
            return c, n_dead, used, memo
        i, j, k, k2 = cycles[c]
        for x, y in ((i, k), (k, j), (j, k2), (k2, i)):
            push(heap, size, ranked(keys, x, y))
            size += 1
        total[:] = NONE
        while size > 0:
            edge = pop(heap, size)
            size -= 1
            if size > 0 and heap[0] == edge:  # twice is not at all
                pop(heap, size)
                size -= 1
                continue
            edge &= 0xFFFFFFFF
            x, y = edge // n, edge % n
            at = slot(memo, edge)
            if memo[at, 0] == EMPTY:
                if 2 * used > len(memo):
                    memo = table_of_roles(memo, 2 * len(memo))
                    at = slot(memo, edge)
                memo[at, 0] = edge
                memo[at, 1] = -2 - witness(keys, near, x, y)
                used += 1
            role = memo[at, 1]
            if role == TREE:
                continue
            if role >= 0:
                if row_of[role] < 0:
                    total[role >> 6] ^= bit(role)
                else:
                    total ^= classes[row_of[role]]
                continue
            if size + 2 > len(heap):
                more = np.empty(2 * len(heap), np.int64)
                more[:size] = heap[:size]
                heap = more
            push(heap, size, ranked(keys, x, -2 - role))
            push(heap, size + 1, ranked(keys, y, -2 - role))
            size += 2
        for r in range(settled, n_dead):
            if total[died[r] >> 6] & bit(died[r]) != NONE:
                total[died[r] >> 6] ^= bit(died[r])
                total ^= classes[r]
        youngest = last_birth(total)
        if youngest < 0:
            continue
        for r in range(settled, n_dead):
            if has(classes, r, youngest):
                classes[r] ^= total
        total[youngest >> 6] ^= bit(youngest)
        classes[n_dead] = total
        died[n_dead] = youngest
        row_of[youngest] = n_dead
        deaths[youngest] = keys[i, j]
        n_dead += 1
    return len(cycles), n_dead, used, memo


@njit(cache=True, nogil=True)
def last_birth(row: np.ndarray) -> int:
    """Highest birth whose bit is set, or -1."""
    for w in range(len(row) - 1, -1, -1):
        if row[w] != NONE:
            b = 63
            while not (row[w] >> np.uint64(b)) & np.uint64(1):
                b -= 1
            return w * 64 + b
    return -1


@njit(cache=True, nogil=True)
def settle(
    classes: np.ndarray, died: np.ndarray, settled: int, n_dead: int, first: int, step: int
) -> None:
    """Write the batch's deaths into settled rows first, first + step, ..."""
    for r in range(first, settled, step):
        row = classes[r]
        for d in range(settled, n_dead):
            if has(classes, r, died[d]):
                row[died[d] >> 6] ^= bit(died[d])
                row ^= classes[d]
