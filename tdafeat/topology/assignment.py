"""Kernels for diagrams in the plane: the cheapest matching when every bar may go unmatched.

A bar i unmatched costs its drop, a pair (i, j) its cost. By linear programming duality a matching
is the cheapest if there are prices u_i <= drop_i, v_j <= drop_j with u_i + v_j <= cost_ij, where
matched pairs have u_i + v_j = cost_ij and unmatched bars pay their drop. Only pairs cheaper than
both drops together can be matched. numba compiles each kernel on first use
(seconds in all), then caches it on disk.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from tdafeat.topology.growing import longer
from tdafeat.topology.heap import rise, sink
from tdafeat.topology.powers import raise_to
from tdafeat.topology.sorting import ascending, first_at_least

_BUCKETS = 32  # by which the pairs of a bar are roughly sorted
_TINY = 1e-300
_SETTLED = -2


class Pairs(NamedTuple):
    """Pairs that can be matched, row by row, as `_pairs_below` finds them."""

    starts: np.ndarray
    columns: np.ndarray
    keys: np.ndarray
    slack: np.ndarray


class Search(NamedTuple):
    """What a search for the shortest path knows of the columns; scratch space for all searches."""

    distance: np.ndarray  # from the root, inf where it has not been
    came_from: np.ndarray  # row before it on the way
    heap: np.ndarray  # columns to go on from, the nearest on top
    place: np.ndarray  # in the heap; -1 if it is not there, _SETTLED once it has been taken off
    touched: np.ndarray  # columns with a distance
    settled: np.ndarray  # columns gone on from


@njit(inline="always")
def ground_costs(
    x: float,
    y: float,
    births: np.ndarray,
    deaths: np.ndarray,
    first: int,
    last: int,
    order: float,
    internal_p: float,
    out: np.ndarray,
) -> None:
    """Distances of (x, y) to the bars from `first` to below `last`, in L_internal_p, to the order.

    `out` is filled from its beginning.
    """
    count = last - first
    if internal_p == np.inf:
        for t in range(count):
            out[t] = max(abs(x - births[first + t]), abs(y - deaths[first + t]))
    elif internal_p == 2.0:
        for t in range(count):
            out[t] = math.sqrt((x - births[first + t]) ** 2 + (y - deaths[first + t]) ** 2)
    elif internal_p == 1.0:
        for t in range(count):
            out[t] = abs(x - births[first + t]) + abs(y - deaths[first + t])
    else:
        for t in range(count):
            dx, dy = abs(x - births[first + t]), abs(y - deaths[first + t])
            larger, smaller = max(dx, dy), min(dx, dy)
            out[t] = larger
            if smaller > 0.0:
                out[t] *= (1.0 + (smaller / larger) ** internal_p) ** (1.0 / internal_p)
    raise_to(out, count, order)


@njit(cache=True, nogil=True)
def cheapest_matching(
    a: np.ndarray,
    b: np.ndarray,
    drop_a: np.ndarray,
    drop_b: np.ndarray,
    order: float,
    internal_p: float,
) -> np.ndarray:
    """Mates of the bars of `a` in `b`, -1 for none; both come in order of birth.

    First the bars of `a` are matched one by one, while those of `b` start at price 0; then the
    free bars of `b` are, by the same steps with the sides exchanged, where they do not yet pay
    their drop. Prices of one side only fall while the other is matched.
    """
    mates_a, mates_b = np.full(len(a), -1), np.full(len(b), -1)
    price_a, price_b = drop_a.copy(), np.zeros(len(b))
    for own, other, drop, price, others, mates, theirs in (
        (a, b, drop_a, price_a, price_b, mates_a, mates_b),
        (b, a, drop_b, price_b, price_a, mates_b, mates_a),
    ):
        fall = np.zeros(len(other))
        pairs = _pairs_below(own, other, drop, others, order, internal_p)
        _match_all(pairs, drop, price, fall, mates, theirs)
        others -= fall
    return mates_a


@njit(cache=True, nogil=True)
def _pairs_below(
    a: np.ndarray,
    b: np.ndarray,
    drop_a: np.ndarray,
    price_b: np.ndarray,
    order: float,
    internal_p: float,
) -> Pairs:
    """Pairs whose key cost_ij - price_j is below drop_i: no other can be matched at these prices.

    Returns starts of the rows, and of every pair its column and its key. Keys of a row come
    roughly sorted: none is smaller by more than slack_i, the last array, than one before it.
    """
    n, m = len(a), len(b)
    starts, slack = np.zeros(n + 1, np.int64), np.zeros(n)
    columns, keys = np.empty(4 * (n + m), np.int32), np.empty(4 * (n + m))
    births, deaths = b[:, 0].copy(), b[:, 1].copy()
    costs, found = np.empty(m), np.empty(m, np.int32)
    counts = np.empty(_BUCKETS, np.int64)
    reach = np.maximum(drop_a + price_b.max(), 0.0)
    raise_to(reach, n, 1.0 / order)
    for i in range(n):
        starts[i + 1] = starts[i]
        # No pair costs less than the difference of its births.
        first = first_at_least(births, a[i, 0] - reach[i])
        last = first_at_least(births, np.nextafter(a[i, 0] + reach[i], np.inf))
        ground_costs(a[i, 0], a[i, 1], births, deaths, first, last, order, internal_p, costs)
        any_below = False  # mostly: a loop without branches sees to it before one with them
        for t in range(last - first):
            costs[t] -= price_b[first + t]
            any_below |= costs[t] < drop_a[i]
        if not any_below:
            continue
        n_found, least, most = 0, np.inf, -np.inf
        for t in range(last - first):
            key = costs[t]
            if key < drop_a[i]:
                costs[n_found], found[n_found] = key, first + t
                n_found += 1
                least, most = min(least, key), max(most, key)
        starts[i + 1] += n_found
        if starts[i + 1] > len(keys):
            length = max(2 * len(keys), starts[i + 1])
            columns, keys = longer(columns, length), longer(keys, length)
        # Counting sort into buckets of width slack_i.
        n_buckets = min(n_found, _BUCKETS)
        slack[i] = max(most - least, _TINY) / n_buckets
        counts[:n_buckets] = 0
        for t in range(n_found):
            counts[min(int((costs[t] - least) / slack[i]), n_buckets - 1)] += 1
        position = starts[i]
        for bucket in range(n_buckets):
            position, counts[bucket] = position + counts[bucket], position
        for t in range(n_found):
            bucket = min(int((costs[t] - least) / slack[i]), n_buckets - 1)
            keys[counts[bucket]], columns[counts[bucket]] = costs[t], found[t]
            counts[bucket] += 1
    return Pairs(starts, columns, keys, slack)


@njit(cache=True, nogil=True)
def _match_all(
    pairs: Pairs,
    drop: np.ndarray,
    price: np.ndarray,
    fall: np.ndarray,
    mates: np.ndarray,
    mates_b: np.ndarray,
) -> None:
    """Match every free row or let it pay its drop; the longest bars enter first.

    Each row takes the cheapest chain of exchanges that ends at a free column, or at a row that
    goes unmatched; one that no column is near enough to goes unmatched itself. `fall` is how far
    the columns' prices fell since the keys were made.
    """
    m = len(fall)
    search = Search(
        np.full(m, np.inf),
        np.empty(m, np.int32),
        np.empty(m, np.int32),
        np.full(m, -1, np.int32),
        np.empty(m, np.int32),
        np.empty(m, np.int32),
    )
    for root in ascending(-drop):
        if mates[root] >= 0:
            continue
        if pairs.starts[root] == pairs.starts[root + 1]:
            price[root] = drop[root]
            continue
        # A price of zero need not be allowed: all paths from the root are longer by the same.
        price[root] = 0.0
        length, last_row, last_column, n_touched, n_settled = _shortest_path(
            root, pairs, drop, price, fall, mates_b, search
        )
        # Prices along all shorter paths change so that the steps of this one cost nothing.
        price[root] += length
        for j in search.settled[:n_settled]:
            change = length - search.distance[j]
            fall[j] += change
            price[mates_b[j]] += change
        _exchange(last_row, last_column, search.came_from, mates, mates_b)
        for j in search.touched[:n_touched]:
            search.distance[j], search.place[j] = np.inf, -1


@njit(inline="always")
def _shortest_path(
    root: int,
    pairs: Pairs,
    drop: np.ndarray,
    price: np.ndarray,
    fall: np.ndarray,
    mates_b: np.ndarray,
    search: Search,
) -> tuple[float, int, int, int, int]:
    """Shortest path from a row to a free column, or to a row that drops out (Dijkstra).

    A step from row i to column j costs its reduced cost cost_ij - u_i - v_j >= 0, one from a column
    to its mate nothing, to drop out drop_i - u_i. Returns the length, the row that drops out or -1,
    the free column or -1, and how many columns were touched and settled.
    """
    distance, place, heap = search.distance, search.place, search.heap
    n_touched, n_settled, size = 0, 0, 0
    shortest, last_row, last_column = np.inf, -1, -1
    i, so_far = root, 0.0
    while True:
        base = so_far - price[i]
        if base + drop[i] < shortest:
            shortest, last_row, last_column = base + drop[i], i, -1
        stop = shortest - base + pairs.slack[i]
        for e in range(pairs.starts[i], pairs.starts[i + 1]):
            if pairs.keys[e] >= stop:
                break
            j = pairs.columns[e]
            path = base + pairs.keys[e] + fall[j]
            if path >= shortest or path >= distance[j] or place[j] == _SETTLED:
                continue
            if distance[j] == np.inf:
                search.touched[n_touched] = j
                n_touched += 1
            distance[j], search.came_from[j] = path, i
            if mates_b[j] < 0:
                shortest, last_row, last_column = path, -1, j
                stop = shortest - base + pairs.slack[i]
                continue
            if place[j] < 0:
                place[j] = size
                size += 1
            rise(heap, place, distance, j)
        if size == 0 or distance[heap[0]] >= shortest:
            return shortest, last_row, last_column, n_touched, n_settled
        j = heap[0]
        size -= 1
        place[j] = _SETTLED
        if size > 0:
            sink(heap, place, distance, heap[size], size)
        search.settled[n_settled] = j
        n_settled += 1
        i, so_far = mates_b[j], distance[j]


@njit(cache=True, nogil=True)
def _exchange(
    last_row: int,
    last_column: int,
    came_from: np.ndarray,
    mates: np.ndarray,
    mates_b: np.ndarray,
) -> None:
    """Match along a path, from its end back to the root: each row takes the column it led to."""
    j = last_column
    if last_row >= 0:
        j, mates[last_row] = mates[last_row], -1
    while j >= 0:
        i = came_from[j]
        mates_b[j] = i
        j, mates[i] = mates[i], j
