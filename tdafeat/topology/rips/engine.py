"""The engine: births and tree edges first, then deaths a level of edges at a time."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Lock

import numpy as np

from tdafeat.topology.parallel import in_threads
from tdafeat.topology.rips.links import edges_between, killed_cycles
from tdafeat.topology.rips.neighbourhood import NEAR, nearest, relative_neighbours, spanning_edges
from tdafeat.topology.rips.order import LAST, as_keys, by_length, keys_of, words
from tdafeat.topology.rips.reduction import LivingCycles

_HUBS = 16  # vertices with which every lune is tested
_FEW = 500  # points up to which a second thread, if it was idle, costs more than it brings
_SHARES = 2  # of the rows, per thread
_SAMPLE = 1 << 13  # lengths from which the levels are read, at most one of _EACH edges
_EACH = 64
_LEAST, _MOST = 0.01, 0.04  # of all edges, in a level; in between as many as came before it
_WORTH = 1000  # edges of the smallest level: fewer are done before a level is begun


def h0_h1(
    distances: np.ndarray, thresh: float, n_threads: int, maxdim: int = 1
) -> list[np.ndarray]:
    """Diagrams of degrees 0 and 1, bars in no particular order.

    Parameters
    ----------
    distances : float32 `(n, n)`, symmetric and non-negative, at most 65,535 points; overwritten.
    thresh : longest edge that enters, inf for all.
    n_threads : threads; the diagrams do not depend on them.
    maxdim : 1, or 0 for degree 0 alone.

    Returns
    -------
    `(m, 2)` float64 arrays of births and deaths by degree; bars of zero length are left out.

    Notes
    -----
    Beyond the matrix it takes n^2 / 8 bytes per thread for graphs, and n^2 / 2 or so per thread
    for the edges of a level.

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
    shares, step = range(_SHARES * n_threads), _SHARES * n_threads
    near = np.empty((n, NEAR), np.int32)
    hubs = np.random.default_rng(0).permutation(n)[:_HUBS]  # which ones changes no diagram

    def neighbours(first: int) -> np.ndarray:
        return relative_neighbours(keys, near, hubs, end, first, step)

    in_threads(lambda first: nearest(keys, near, first, step), shares, n_threads)
    edges = np.sort(np.concatenate(in_threads(neighbours, shares, n_threads)))
    in_tree = spanning_edges(edges, n)
    h0_deaths = np.append(_lengths(keys_of(edges[in_tree])), np.full(n - in_tree.sum(), np.inf))
    diagrams = [np.column_stack([np.zeros(len(h0_deaths)), h0_deaths])]
    if maxdim:
        cycles = LivingCycles(keys, near, edges, in_tree)
        if len(cycles.births):
            _kill_all(cycles, keys, near, end, n_threads)
        births = _lengths(keys_of(cycles.births))
        diagrams.append(np.column_stack([births, _lengths(cycles.deaths)]))
    return [diagram[diagram[:, 0] < diagram[:, 1]] for diagram in diagrams]


def _kill_all(
    cycles: LivingCycles, keys: np.ndarray, near: np.ndarray, end: np.int32, n_threads: int
) -> None:
    """Let edges enter, a level at a time in each thread, until no cycle lives or they are at `end`.

    What a level kills is found in any order, and dies in that of the levels: one thread at a time
    sees to that, while the others go on to later ones.
    """
    # Graphs, and below which key each has all edges: one thread goes on with what it has.
    shape = len(keys), words(len(keys))
    graphs = [(np.empty(shape, np.uint64), LAST) for _ in range(n_threads)]
    found, next_level, turn, no_use = dict[int, np.ndarray](), 0, Lock(), np.zeros(1, np.bool_)

    def enter(numbered: tuple[int, tuple[np.int32, np.int32, int]]) -> None:
        nonlocal next_level
        number, level = numbered
        if no_use[0]:
            return
        graph, complete = graphs.pop()
        entering = by_length(edges_between(keys, *level, graph, complete == level[0]))
        found[number] = killed_cycles(graph, near, entering, no_use)
        graphs.append((graph, level[1]))
        while next_level in found and turn.acquire(blocking=False):
            while next_level in found:
                cycles.kill(found.pop(next_level))
                next_level += 1
                no_use[0] = cycles.deaths.max() < LAST
            turn.release()

    in_threads(enter, enumerate(_levels(keys, keys_of(cycles.births)[0], end)), n_threads)


def _levels(
    keys: np.ndarray, first: np.int32, end: np.int32
) -> Iterator[tuple[np.int32, np.int32, int]]:
    """Keys between which the edges are taken at once, and about how many they are."""
    n = len(keys)
    n_edges = n * (n - 1) / 2
    size = int(min(_SAMPLE, n_edges / _EACH + 1))
    sample = np.sort(keys[tuple(np.random.default_rng(0).integers(n, size=(2, size)))])
    least = max(_LEAST, _WORTH / n_edges)
    lower, at = first, int(np.searchsorted(sample, first))
    while lower < end:
        share = max(least, min(_MOST, at / size))
        next_at = at + 1 + int(share * size)
        upper = min(end, sample[next_at]) if next_at < size else end
        if upper > lower:
            yield lower, upper, int(1.1 * share * n_edges)
        lower, at = upper, next_at


def _lengths(keys: np.ndarray) -> np.ndarray:
    return np.where(keys == LAST, np.inf, keys.view(np.float32).astype(np.float64))
