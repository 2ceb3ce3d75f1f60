"""The engine: births and tree edges first, then deaths a level of edges at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import numpy as np

from tdafeat.topology.rips.links import killed_cycles
from tdafeat.topology.rips.neighbourhood import nearest, relative_neighbours, spanning_edges
from tdafeat.topology.rips.order import LAST, as_keys, graph_below, words
from tdafeat.topology.rips.reduction import TREE, kill, settle, table_of_roles

_NEAR = 16  # nearest neighbours kept of each vertex
_HUBS = 16  # vertices with which every lune is tested
_GROWTH = 1.15  # edges up to the end of a level, per edge before it
_SAMPLE = 1 << 15  # lengths from which the levels are read
_BATCH = 64  # deaths between two settlements
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
    with _shares(n_threads if n > _FEW else 1) as share:
        near = np.zeros((n, min(_NEAR, n - 1)), np.int32)
        if n > 1:
            share(nearest, keys, near)
        hubs = np.random.default_rng(0).permutation(n)[:_HUBS]  # which ones changes no diagram
        edges = _in_order(keys, share(relative_neighbours, keys, near, hubs, end))
        in_tree = spanning_edges(edges, n)
        lengths = keys[edges[:, 0], edges[:, 1]]
        deaths = _deaths(keys, near, edges, in_tree, end, share)
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
    share: Share,
) -> np.ndarray:
    """Key at which each birth dies, `LAST` for those alive at the end."""
    n, born = len(keys), edges[~in_tree]
    births = keys[born[:, 0], born[:, 1]]
    deaths = np.full(len(births), LAST)
    if len(births) == 0:
        return deaths
    roles = np.full(len(edges), TREE, np.int64)
    roles[~in_tree] = np.arange(len(births))
    used = len(edges)
    memo = table_of_roles(
        np.column_stack([edges[:, 0].astype(np.int64) * n + edges[:, 1], roles]),
        1 << (4 * used).bit_length(),
    )
    classes = np.zeros((len(births), words(len(births))), np.uint64)
    row_of, died = np.full(len(births), -1), np.zeros(len(births), np.int64)
    settled = n_dead = 0
    earlier, later = (np.zeros((n, words(n)), np.uint64) for _ in range(2))
    share(graph_below, keys, births[0], earlier)
    for limit in _levels(keys, births[0], end):
        share(graph_below, keys, limit, later)
        cycles = _in_order(keys, share(killed_cycles, keys, near, earlier, later))
        while len(cycles):
            full = settled + _BATCH
            done, n_dead, used, memo = kill(
                keys, near, cycles, memo, used, row_of, classes, died, deaths, settled, n_dead, full
            )
            cycles = cycles[done:]
            if n_dead == len(births):
                return deaths
            if n_dead == full:
                share(settle, classes, died, settled, n_dead)
                settled = n_dead
        earlier, later = later, earlier
    return deaths


def _levels(keys: np.ndarray, first: np.int32, end: np.int32) -> Iterator[np.int32]:
    """Keys at which the levels end, from that of the first birth to the end."""
    n = len(keys)
    if n * n <= _SAMPLE:
        sample = keys.ravel()
    else:
        sample = keys[tuple(np.random.default_rng(0).integers(n, size=(2, _SAMPLE)))]
    sample = np.sort(sample[sample < end])
    limit = first
    while limit < end:
        below = int(np.searchsorted(sample, limit))
        at = max(int(below * _GROWTH), below + 8)
        limit = sample[at] + np.int32(1) if at < len(sample) else end
        yield limit


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
