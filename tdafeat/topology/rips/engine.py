"""The engine: births and tree edges first, then deaths a level of edges at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import numpy as np

from tdafeat.topology.rips.links import edges_between, killed_cycles
from tdafeat.topology.rips.neighbourhood import nearest, relative_neighbours, spanning_edges
from tdafeat.topology.rips.order import LAST, as_keys, words
from tdafeat.topology.rips.reduction import TREE, kill, table_of_roles

_NEAR = 16  # nearest neighbours kept of each vertex
_HUBS = 16  # vertices with which every lune is tested
_FIRST, _GROWTH, _MOST = 0.01, 0.3, 0.03
_SAMPLE = 1 << 15  # lengths from which the levels are read
_FEW = 256  # points up to which a second thread costs more than it brings
_SHARES = 4  # of the work, per thread

Share = Callable[..., list[Any]]


def h0_h1(distances: np.ndarray, thresh: float, n_threads: int) -> list[np.ndarray]:
    """Diagrams of degrees 0 and 1, bars in no particular order.

    Parameters
    ----------
    distances : float32 `(n, n)`, symmetric and non-negative, at most 65,535 points; overwritten.
    thresh : longest edge that enters, inf for all.
    n_threads : threads; the diagrams do not depend on them.

    Returns
    -------
    Two `(m, 2)` float64 arrays of births and deaths; bars of zero length are left out.

    Notes
    -----
    Beyond the matrix it takes n^2 / 4 bytes for two graphs, and b^2 / 8 for b births in H1.

    Examples
    --------
    >>> square = np.array([[0, 1, 2, 1], [1, 0, 1, 2], [2, 1, 0, 1], [1, 2, 1, 0]], np.float32)
    >>> h0_h1(square, np.inf, n_threads=1)[1]
    array([[1., 2.]])
    """
    keys = as_keys(distances)
    n = len(keys)
    end = LAST if thresh == np.inf else np.float32(thresh).view(np.int32) + np.int32(1)
    n_threads = n_threads if n > _FEW else 1
    with _shares(n_threads) as share:
        near = np.zeros((n, min(_NEAR, n - 1)), np.int32)
        if n > 1:
            share(nearest, keys, near)
        hubs = np.random.default_rng(0).permutation(n)[:_HUBS]  # which ones changes no diagram
        edges = _in_order(keys, share(relative_neighbours, keys, near, hubs, end))
        in_tree = spanning_edges(edges, n)
    lengths = keys[edges[:, 0], edges[:, 1]]
    deaths = _deaths(keys, near, edges, in_tree, end, n_threads)
    h0_deaths = np.append(_lengths(lengths[in_tree]), np.full(n - in_tree.sum(), np.inf))
    h0 = np.column_stack([np.zeros(len(h0_deaths)), h0_deaths])
    h1 = np.column_stack([_lengths(lengths[~in_tree]), _lengths(deaths)])
    return [diagram[diagram[:, 0] < diagram[:, 1]] for diagram in (h0, h1)]


def _deaths(
    keys: np.ndarray,
    near: np.ndarray,
    edges: np.ndarray,
    in_tree: np.ndarray,
    end: np.int32,
    n_threads: int,
) -> np.ndarray:
    """Key at which each birth dies, `LAST` for those alive at the end."""
    ranks = keys[edges[:, 0], edges[:, 1]].astype(np.int64) << 32
    ranks |= (edges[:, 0].astype(np.int64) << 16) | edges[:, 1]
    births = ranks[~in_tree]
    deaths = np.full(len(births), LAST)
    if len(births) == 0:
        return deaths
    roles = np.full(len(edges), TREE, np.int64)
    roles[~in_tree] = np.arange(len(births))
    used = len(edges)
    memo = table_of_roles(np.column_stack([ranks, roles]), 1 << (4 * used).bit_length())
    sums, spans, n_summands = np.empty(256, np.int32), np.zeros((len(births), 2), np.int64), 0
    for cycles in _killed(keys, near, np.int32(births[0] >> 32), end, n_threads):
        memo, used, sums, n_summands = kill(
            keys, near, cycles, births, memo, used, sums, spans, n_summands, deaths
        )
        if (deaths != LAST).all():
            break
    return deaths


def _killed(
    keys: np.ndarray, near: np.ndarray, first: np.int32, end: np.int32, n_threads: int
) -> Iterator[np.ndarray]:
    """Cycles killed by the edges from `first` to `end`, level by level, `n_threads` at a time."""
    n = len(keys)
    stop = np.zeros(1, np.bool_)
    spare = [np.empty((n, words(n)), np.uint64) for _ in range(n_threads)]

    def killed(lower: np.int32, upper: np.int32, capacity: int) -> np.ndarray:
        graph = spare.pop()
        edges = edges_between(keys, lower, upper, graph, capacity)
        edges.sort()
        cycles = killed_cycles(graph, near, edges, stop)
        spare.append(graph)
        return cycles

    if n_threads == 1:
        yield from (killed(*level) for level in _levels(keys, first, end))
        return
    with ThreadPoolExecutor(n_threads) as pool:
        running: deque[Future[np.ndarray]] = deque()
        try:
            for level in _levels(keys, first, end):
                running.append(pool.submit(killed, *level))
                if len(running) == n_threads:
                    yield running.popleft().result()
            while running:
                yield running.popleft().result()
        finally:
            stop[0] = True


def _levels(
    keys: np.ndarray, first: np.int32, end: np.int32
) -> Iterator[tuple[np.int32, np.int32, int]]:
    """Keys between which the edges are taken at once, and about how many they are."""
    n = len(keys)
    if n * n <= _SAMPLE:
        sample = keys.ravel()
    else:
        sample = keys[tuple(np.random.default_rng(0).integers(n, size=(2, _SAMPLE)))]
    sample = np.sort(sample)
    lower, at = first, int(np.searchsorted(sample, first))
    while lower < end:
        step = len(sample) * min(max(_FIRST, _GROWTH * at / len(sample)), _MOST)
        next_at = at + max(8, int(step))
        upper = min(end, sample[next_at]) if next_at < len(sample) else end
        if upper > lower:
            yield lower, upper, int(1.1 * (next_at - at) / len(sample) * n * n / 2)
        lower, at = upper, next_at


def _in_order(keys: np.ndarray, parts: list[np.ndarray]) -> np.ndarray:
    """Rows that begin with an edge (i, j), sorted by the order of edges."""
    rows = np.concatenate(parts)
    return rows[np.lexsort((rows[:, 1], rows[:, 0], keys[rows[:, 0], rows[:, 1]]))]


def _lengths(keys: np.ndarray) -> np.ndarray:
    return np.where(keys == LAST, np.inf, keys.view(np.float32).astype(np.float64))


@contextmanager
def _shares(n_threads: int) -> Iterator[Share]:
    """A function that runs a kernel on every share of the rows and gives the results, in order."""
    if n_threads == 1:
        yield lambda kernel, *arguments: [kernel(*arguments, 0, 1)]
        return
    with ThreadPoolExecutor(n_threads) as pool:
        step = _SHARES * n_threads
        yield lambda kernel, *arguments: list(
            pool.map(lambda first: kernel(*arguments, first, step), range(step))
        )
