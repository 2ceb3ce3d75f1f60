"""The order in which edges enter, and graphs of the earlier ones as rows of bits.

Lengths are non-negative float32 numbers, whose bits read as int32 are ordered as they are: a key.
Edges are ordered by key, then by their lower and their higher vertex, so no two are equal. The
diagonal holds `LAST`: a vertex is no neighbour of itself.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numba.cpython.unsafe.numbers import trailing_zeros

LAST = np.int32(2**31 - 1)
WORD = 64
NONE = np.uint64(0)
ONE = np.uint64(1)


def as_keys(distances: np.ndarray) -> np.ndarray:
    """A float32 distance matrix turned, in place, into the int32 keys of its edges."""
    distances += np.float32(0.0)  # minus zero would come before every other length
    keys = distances.view(np.int32)
    np.fill_diagonal(keys, LAST)
    return keys


def words(n: int) -> int:
    """Words in a row of `n` bits, in whole cache lines so that vector loops have no remainder."""
    return 8 * -(-n // (8 * WORD))


@njit(inline="always")
def lowest(word):  # type: ignore[no-untyped-def]
    """Position of the lowest bit that is set."""
    return np.int64(trailing_zeros(word))  # type: ignore[call-arg]


@njit(inline="always")
def bit(vertex):  # type: ignore[no-untyped-def]
    """The word in which only this vertex's bit is set."""
    return ONE << np.uint64(vertex & 63)


@njit(inline="always")
def has(rows, a, b):  # type: ignore[no-untyped-def]
    """Whether bit `b` of row `a` is set."""
    return rows[a, b >> 6] & bit(b) != NONE


@njit(inline="always")
def shorter(lengths, limit):  # type: ignore[no-untyped-def]
    """Bits of the entries below `limit`, at most one word of them."""
    word = NONE
    for b in range(len(lengths)):
        word |= np.uint64(lengths[b] < limit) << np.uint64(b)
    return word


@njit(inline="always")
def before(keys, a, b, i, j):  # type: ignore[no-untyped-def]
    """Whether the edge (a, b) comes before (i, j), i < j."""
    if keys[a, b] != keys[i, j]:
        return keys[a, b] < keys[i, j]
    low, high = min(a, b), max(a, b)
    return low < i or (low == i and high < j)


@njit(cache=True, nogil=True)
def graph_below(
    keys: np.ndarray, limit: np.int32, graph: np.ndarray, first: int, step: int
) -> None:
    """Rows first, first + step, ... of the graph of edges below `limit`, each vertex in its own."""
    for i in range(first, len(keys), step):
        for w in range((len(keys) + 63) >> 6):
            graph[i, w] = shorter(keys[i, w * 64 : w * 64 + 64], limit)
        graph[i, i >> 6] |= bit(i)
