"""H0 alone: the lengths of a minimum spanning forest, without the matrix of all distances.

Boruvka's algorithm on a few nearest points of each point. A component whose shortest edge outwards
is certain takes it; where a point's list has run out inside its component, the last of it bounds
what the point may still offer. Only when no component is certain are lists made anew, for the
smaller half of the components, and of points outside them.

References
----------
Boruvka (1926); March, Ram and Gray (2010), "Fast Euclidean minimum spanning tree: algorithm,
analysis, and applications", for components that wait.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from tdafeat.topology.parallel import in_threads

_NEAR = 12  # nearest points in a list
_BLOCK = 1 << 20  # distances held at once by each thread

Block = Callable[[np.ndarray], np.ndarray]


def h0(block: Block, n: int, thresh: float, n_threads: int = 1) -> np.ndarray:
    """Diagram of degree 0, bars in no particular order.

    Parameters
    ----------
    block : indices of m points -> their distances to all, float32 `(m, n)`, symmetric to the bit.
    n : number of points.
    thresh : longest edge that enters, inf for all.
    n_threads : threads that take blocks; the diagram does not depend on them.

    Returns
    -------
    `(m, 2)` float64 array of births and deaths; bars of zero length are left out.

    Examples
    --------
    >>> line = np.array([0.0, 1.0, 3.0], np.float32)
    >>> h0(lambda rows: abs(line[rows, None] - line), 3, np.inf)
    array([[ 0.,  1.],
           [ 0.,  2.],
           [ 0., inf]])
    """
    component = np.arange(n)
    nearest_outside = partial(_nearest_outside, block, n_threads=n_threads)
    lists = nearest_outside(np.arange(n), component)
    lengths: list[np.ndarray] = []
    while component.any():  # the last component left is number 0
        offers, ends, bounds = _shortest_outwards(*lists, component)
        shortest = np.full(n, np.inf)
        np.minimum.at(shortest, component, bounds)
        by_length = np.argsort(offers, kind="stable")
        least = np.full(n, np.inf)
        np.minimum.at(least, component, offers)
        certain = (least <= shortest)[component] & (offers == least[component]) & (offers < np.inf)
        chosen = by_length[certain[by_length]]
        chosen = chosen[np.sort(np.unique(component[chosen], return_index=True)[1])]
        if len(chosen) == 0:
            names, sizes = np.unique(component, return_counts=True)
            smaller = names[np.argsort(sizes)[: len(names) // 2]]
            points = np.flatnonzero(np.isin(component, smaller) & (bounds < least[component]))
            for old, new in zip(lists, nearest_outside(points, component), strict=True):
                old[points] = new
            continue
        component, joined = _join(component, component[ends[chosen]], component[chosen])
        lengths.append(offers[chosen[joined]])
    deaths = np.concatenate([*lengths, np.empty(0)])
    deaths = deaths[deaths <= thresh]
    bars = np.append(deaths[deaths > 0], np.full(n - len(deaths), np.inf))
    return np.column_stack([np.zeros(len(bars)), bars])


def _nearest_outside(
    block: Block, points: np.ndarray, component: np.ndarray, n_threads: int
) -> tuple[np.ndarray, np.ndarray]:
    """Nearest points of other components, ascending: distances and indices, `(len(points), k)`.

    Where there are fewer than k, the distances go on with inf.
    """
    n = len(component)
    k = min(_NEAR, n)
    distances, indices = np.empty((len(points), k)), np.empty((len(points), k), np.int64)
    step = max(1, _BLOCK // n)

    def fill(start: int) -> None:
        rows = points[start : start + step]
        outside = block(rows)
        outside[component[rows, None] == component] = np.inf
        near = np.argpartition(outside, k - 1, axis=1)[:, :k]
        lengths = np.take_along_axis(outside, near, axis=1)
        order = np.argsort(lengths, axis=1)
        distances[start : start + step] = np.take_along_axis(lengths, order, axis=1)
        indices[start : start + step] = np.take_along_axis(near, order, axis=1)

    in_threads(fill, range(0, len(points), step), n_threads)
    return distances, indices


def _shortest_outwards(
    distances: np.ndarray, indices: np.ndarray, component: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of each point: its shortest listed edge to another component, where to, and a lower bound.

    The bound is for edges that are not listed; an edge that is there is no longer than those.
    """
    outside = component[indices] != component[:, None]
    first, points = outside.argmax(axis=1), np.arange(len(component))
    found = outside[points, first]
    offers = np.where(found, distances[points, first], np.inf)
    return offers, indices[points, first], np.where(found, np.inf, distances[:, -1])


def _join(
    component: np.ndarray, first: np.ndarray, second: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Components after these pairs, in turn, have been joined, and which pairs did join two."""
    parent = np.arange(len(component))

    def root(x: int) -> int:
        while parent[x] != x:
            parent[x] = parent[parent[x]]
            x = parent[x]
        return x

    joined = np.zeros(len(first), bool)
    for e, (x, y) in enumerate(zip(first.tolist(), second.tolist(), strict=True)):
        x, y = root(x), root(y)
        joined[e] = x != y
        parent[max(x, y)] = min(x, y)
    while (parent != parent[parent]).any():
        parent = parent[parent]
    return parent[component], joined
