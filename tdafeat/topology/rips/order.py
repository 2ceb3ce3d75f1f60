"""The order in which edges enter, and graphs of the earlier ones as rows of bits.

Lengths are non-negative float32 numbers, whose bits read as int32 are ordered as they are: a key.
Edges are ordered by key, then by their lower and their higher vertex, so no two are equal; the
three make one number, the edge's rank. The diagonal holds `LAST`: a vertex is no neighbour of
itself.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numba.cpython.unsafe.numbers import trailing_zeros

LAST = np.int32(2**31 - 1)
_DIGIT = 10  # bits by which edges are sorted at a time
MOST_POINTS = 65_535  # a vertex has 16 bits in the rank of an edge
NONE = np.uint64(0)
ONE = np.uint64(1)


def as_keys(distances: np.ndarray) -> np.ndarray:
    """A float32 distance matrix turned, in place, into the int32 keys of its edges."""
    distances += np.float32(0.0)  # minus zero would come before every other length
    keys = distances.view(np.int32)
    np.fill_diagonal(keys, LAST)
    return keys


def keys_of(ranks: np.ndarray) -> np.ndarray:
    """Keys of edges given by their ranks."""
    return (ranks >> 32).astype(np.int32)


def words(n: int) -> int:
    """Words in a row of `n` bits, in whole cache lines so that vector loops have no remainder."""
    return 8 * -(-n // 512)


@njit(cache=True, nogil=True)
def by_length(edges: np.ndarray) -> np.ndarray:
    """Ranked edges in order of their keys, those of one key as they come (overwrites `edges`).

    Counting digit by digit of the key less the smallest one, the lowest digit first: the edges of a
    level, whose keys are near each other, take two or three rounds, and no comparison.
    """
    if len(edges) == 0:
        return edges
    smallest, largest = edges[0] >> 32, edges[0] >> 32
    for edge in edges:
        smallest, largest = min(smallest, edge >> 32), max(largest, edge >> 32)
    ordered, starts, digits = np.empty_like(edges), np.empty((1 << _DIGIT) + 1, np.int64), 0
    while (largest - smallest) >> digits > 0:
        starts[:] = 0
        for edge in edges:
            starts[digit(edge, smallest, digits) + 1] += 1
        for d in range(1 << _DIGIT):
            starts[d + 1] += starts[d]
        for edge in edges:
            d = digit(edge, smallest, digits)
            ordered[starts[d]] = edge
            starts[d] += 1
        edges, ordered = ordered, edges
        digits += _DIGIT
    return edges


@njit(inline="always")
def digit(edge, smallest, low):  # type: ignore[no-untyped-def]
    """Some bits, from bit `low` on, of an edge's key less the smallest key."""
    return (((edge >> 32) - smallest) >> low) & ((1 << _DIGIT) - 1)


@njit(inline="always")
def ranked(keys, x, y):  # type: ignore[no-untyped-def]
    """The edge (x, y) as one number."""
    low, high = min(x, y), max(x, y)
    return (np.int64(keys[x, y]) << 32) | (np.int64(low) << 16) | np.int64(high)


@njit(inline="always")
def ends(rank):  # type: ignore[no-untyped-def]
    """The lower and the higher vertex of an edge."""
    return (rank >> 16) & 0xFFFF, rank & 0xFFFF


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
def pack(flags, row):  # type: ignore[no-untyped-def]
    """Write flags, bytes that are 0 or 1, as the bits of a row of words."""
    eights = flags.view(np.uint64)
    for w in range(len(row)):
        word = NONE
        for b in range(8):  # the product gathers the eight lowest bits in the highest byte
            byte = (eights[8 * w + b] * np.uint64(0x0102040810204080)) >> np.uint64(56)
            word |= byte << np.uint64(8 * b)
        row[w] = word
