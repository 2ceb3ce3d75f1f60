"""The exact bottleneck distance between persistence diagrams."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from tdafeat.topology.diagrams import as_diagram, essential_births, finite_part
from tdafeat.topology.wasserstein import born_together

if TYPE_CHECKING:
    from scipy.spatial import KDTree


def bottleneck(a: Any, b: Any) -> float:
    """Bottleneck distance of two diagrams, exact: the limit of W_p as p grows.

    The smallest r such that all bars longer than 2 r, of either diagram, can be matched to bars
    of the other within r in the maximum norm. Essential bars are matched by sorted births;
    different numbers of them are infinitely far apart.

    Parameters
    ----------
    a, b : diagrams, `(n, 2)` and `(m, 2)` array-like.

    Returns
    -------
    Distance >= 0 in the units of the filtration.

    Raises
    ------
    ValueError for arrays that are no diagrams.

    Notes
    -----
    By the theorem of Mendelsohn and Dulmage (1958) one matching covers the long bars of both
    diagrams if and only if one covers those of `a` and another those of `b`: the problem falls
    apart into two small ones.

    References
    ----------
    Cohen-Steiner, Edelsbrunner and Harer (2007), "Stability of persistence diagrams".

    Examples
    --------
    >>> bottleneck([[0, 2], [1, 1.5]], [[0, 3]])
    1.0
    """
    return bottleneck_of_checked(as_diagram(a, "a"), as_diagram(b, "b"))


def bottleneck_of_checked(a: np.ndarray, b: np.ndarray) -> float:
    """`bottleneck` of diagrams that have been checked."""
    births_a, births_b = essential_births(a), essential_births(b)
    if len(births_a) != len(births_b):
        return math.inf
    gap = abs(births_a - births_b).max(initial=0.0)
    a, b = finite_part(a), finite_part(b)
    if born_together(a, b):
        from tdafeat.topology.alignment import bottleneck_on_a_line

        radius = bottleneck_on_a_line(np.sort(a[:, 1] - a[:, 0]), np.sort(b[:, 1] - b[:, 0]))
    else:
        radius = max(_covering_radius(a, b), _covering_radius(b, a))
    return float(max(gap, radius))


def _covering_radius(a: np.ndarray, b: np.ndarray) -> float:
    """Smallest r at which the bars of `a` longer than 2 r match into `b` within r."""
    half = (a[:, 1] - a[:, 0]) / 2
    if len(b) == 0:
        return half.max(initial=0.0)
    from scipy.spatial import KDTree

    tree = KDTree(b)
    # The longest half-life is always enough: then nothing has to be matched.
    levels = np.unique(np.append(half, 0.0))
    bracket = _first_true(
        len(levels) - 1, lambda k: _match_within(a[half > levels[k]], b, tree, levels[k])
    )
    if bracket == 0:
        return 0.0
    low, high = levels[bracket - 1], levels[bracket]
    # Between two half-lives the long bars stay the same, and only pairs appear.
    rows, columns, distances = _pairs_within(a[half > low], b, tree, high)
    n_rows = np.count_nonzero(half > low)
    radii = np.unique(distances[(distances > low) & (distances < high)])

    def matches(k: int) -> bool:
        near = distances <= radii[k]
        return _saturates(rows[near], columns[near], n_rows, len(b))

    found = _first_true(len(radii), matches)
    return radii[found] if found < len(radii) else high


def _first_true(count: int, holds: Callable[[int], bool]) -> int:
    """First of 0 .. count - 1 at which a monotone property holds, or `count`."""
    low, high = 0, count
    while low < high:
        middle = (low + high) // 2
        if holds(middle):
            high = middle
        else:
            low = middle + 1
    return low


def _match_within(long: np.ndarray, b: np.ndarray, tree: KDTree, radius: float) -> bool:
    if len(long) > len(b):
        return False
    rows, columns, _ = _pairs_within(long, b, tree, radius)
    return _saturates(rows, columns, len(long), len(b))


def _pairs_within(
    long: np.ndarray, b: np.ndarray, tree: KDTree, radius: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs of a long bar and a bar of `b` within `radius` in the maximum norm, by rows."""
    # The tree may round differently: ask it for a little more, then compare exactly.
    near = tree.query_ball_point(long, radius * (1 + 1e-12), p=math.inf)
    rows = np.repeat(np.arange(len(long)), [len(columns) for columns in near])
    columns = np.fromiter((j for found in near for j in found), dtype=np.int64, count=len(rows))
    distances = abs(long[rows] - b[columns]).max(axis=1, initial=0.0)
    within = distances <= radius
    return rows[within], columns[within], distances[within]


def _saturates(rows: np.ndarray, columns: np.ndarray, n_rows: int, n_columns: int) -> bool:
    """Whether these edges, sorted by row, hold a matching that covers every row."""
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import maximum_bipartite_matching

    degrees = np.bincount(rows, minlength=n_rows)
    if not degrees.all():
        return False
    starts = np.concatenate([[0], np.cumsum(degrees)])
    graph = csr_matrix((np.ones(len(rows), np.int8), columns, starts), shape=(n_rows, n_columns))
    return bool((maximum_bipartite_matching(graph, perm_type="column") >= 0).all())
