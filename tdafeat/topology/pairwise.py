"""Distances between many diagrams: of all pairs, or of one list to another."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from tdafeat.jobs import n_workers
from tdafeat.record import Registry
from tdafeat.topology.bottleneck import bottleneck_of_checked, bottleneck_of_pairs
from tdafeat.topology.diagrams import OfPairs, as_diagrams
from tdafeat.topology.parallel import of_each
from tdafeat.topology.surfaces import (
    heat_distance,
    image_distance,
    landscape_distance,
    sliced_wasserstein,
)
from tdafeat.topology.wasserstein import wasserstein_of_checked, wasserstein_of_pairs

diagram_distances: Registry[Callable[..., float]] = Registry(
    "distance", "tdafeat.diagram_distances"
)
diagram_distances.add("wasserstein", wasserstein_of_checked)
diagram_distances.add("bottleneck", bottleneck_of_checked)
diagram_distances.add("sliced-wasserstein", sliced_wasserstein)
diagram_distances.add("heat", heat_distance)
diagram_distances.add("persistence-image", image_distance)
diagram_distances.add("landscape", landscape_distance)

OfLists = Callable[[Sequence[np.ndarray], Sequence[np.ndarray]], OfPairs]

# Those whose pairs compiled code goes through; those of the others are computed one by one.
_COMPILED: dict[str, Callable[..., OfPairs]] = {
    "wasserstein": wasserstein_of_pairs,
    "bottleneck": bottleneck_of_pairs,
}
_CHUNKS = 8  # of pairs for each thread, so that none waits long for another
_AT_ONCE = 1 << 22  # bars times bars that compiled code goes through before Ctrl-C is heard


def distance_matrix(
    diagrams: Sequence[Any],
    others: Sequence[Any] | None = None,
    distance: str = "wasserstein",
    order: float = 1.0,
    internal_p: float = math.inf,
    n_jobs: int | None = None,
    **parameters: float,
) -> np.ndarray:
    """Distances between diagrams: of all pairs, or of each of `diagrams` to each of `others`.

    Parameters
    ----------
    diagrams : n diagrams of one degree.
    others : m diagrams; without them the table is symmetric, each pair is computed once.
    distance : ``"wasserstein"``, ``"bottleneck"``, ``"sliced-wasserstein"`` (parameter `n_slices`,
        50), ``"heat"`` (`sigma`, 0.4), ``"persistence-image"`` (`sigma`, 0.1) or ``"landscape"``;
        `tdafeat.topology.surfaces` says what the last four are.
    order, internal_p : of the Wasserstein distance, and `order` of the norm of landscapes; the
        others do not use them.
    n_jobs : threads; None for one, -1 for all cores. The table is the same for any.
    **parameters : of the distance, by name; those above are the defaults. `sigma` is a length of
        the filtration for images, and the square of one for ``"heat"``: choose it by the bars.

    Returns
    -------
    `(n, n)` or `(n, m)` float64, in the units of the filtration for Wasserstein, bottleneck and
    sliced Wasserstein.

    Raises
    ------
    UnknownName for another distance; TypeError for a parameter it does not have, and for the
    `Diagrams` of one cloud, which are of several degrees; ValueError for arrays that are no
    diagrams and for parameters out of range.

    Examples
    --------
    >>> distance_matrix([[[0, 2]], [[0, 3]], []])
    array([[0. , 1. , 1. ],
           [1. , 0. , 1.5],
           [1. , 1.5, 0. ]])
    """
    of_lists = _with_parameters(distance, order, internal_p, parameters)
    first = as_diagrams(diagrams, "diagrams")
    if others is None:
        rows, columns = np.triu_indices(len(first), k=1)
        second = first
    else:
        second = as_diagrams(others, "others")
        rows, columns = (index.ravel() for index in np.indices((len(first), len(second))))
    table = np.zeros((len(first), len(second)))
    table[rows, columns] = _of_pairs(of_lists, first, second, rows, columns, n_jobs)
    return table + table.T if others is None else table


def finite_distances(diagrams: Sequence[Any], **arguments: Any) -> np.ndarray:
    """`distance_matrix` of diagrams none of which is infinitely far from another.

    Examples
    --------
    >>> finite_distances([[[0, 1]], [[0, np.inf]]])
    Traceback (most recent call last):
    ValueError: diagrams 0 and 1 are infinitely far apart: they have different numbers of essential
    bars
    """
    table = distance_matrix(diagrams, **arguments)
    if not np.isfinite(table).all():
        i, j = np.argwhere(~np.isfinite(table))[0]
        raise ValueError(
            f"diagrams {i} and {j} are infinitely far apart: they have different numbers of "
            "essential bars"
        )
    return table


def paired_distances(
    diagrams: Sequence[Any],
    others: Sequence[Any],
    distance: str = "wasserstein",
    order: float = 1.0,
    internal_p: float = math.inf,
    n_jobs: int | None = None,
    **parameters: float,
) -> np.ndarray:
    """Distance of each of `diagrams` to the one of `others` in the same place.

    Parameters
    ----------
    diagrams, others : n diagrams each, of one degree.
    distance, order, internal_p, n_jobs, **parameters : as in `distance_matrix`.

    Returns
    -------
    `(n,)` float64.

    Raises
    ------
    As `distance_matrix`; ValueError where the two lists are not equally long.

    Examples
    --------
    >>> paired_distances([[[0, 2]], [[0, 3]]], [[], [[0, 3]]], distance="bottleneck")
    array([1., 0.])
    """
    of_lists = _with_parameters(distance, order, internal_p, parameters)
    first = as_diagrams(diagrams, "diagrams")
    second = as_diagrams(others, "others")
    if len(first) != len(second):
        raise ValueError(
            f"diagrams and others must be equally many to be paired; "
            f"got {len(first)} and {len(second)}"
        )
    places = np.arange(len(first))
    return _of_pairs(of_lists, first, second, places, places, n_jobs)


def _with_parameters(
    distance: str, order: float, internal_p: float, parameters: dict[str, float]
) -> OfLists:
    """The distance as a function of two lists of diagrams, which gives one of pairs of them."""
    function = diagram_distances[distance]
    known = list(inspect.signature(function).parameters)[2:]
    for name in parameters:
        if name not in known:
            takes = f"it takes {', '.join(known)}" if known else "it takes none"
            raise TypeError(f"the distance {distance!r} has no parameter {name!r}; {takes}")
    exponents = {"order": order, "internal_p": internal_p}
    used = {name: value for name, value in exponents.items() if name in known} | parameters
    if distance in _COMPILED:
        return partial(_COMPILED[distance], **used)
    return partial(_one_by_one, partial(function, **used))


def _one_by_one(
    function: Callable[[np.ndarray, np.ndarray], float],
    first: Sequence[np.ndarray],
    second: Sequence[np.ndarray],
) -> OfPairs:
    def of_pairs(rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        pairs = zip(rows, columns, strict=True)
        return np.array([function(first[i], second[j]) for i, j in pairs], dtype=np.float64)

    return of_pairs


def _of_pairs(
    of_lists: OfLists,
    first: Sequence[np.ndarray],
    second: Sequence[np.ndarray],
    rows: np.ndarray,
    columns: np.ndarray,
    n_jobs: int | None,
) -> np.ndarray:
    of_pairs = of_lists(first, second)
    longest = max(map(len, first), default=1) * max(map(len, second), default=1)
    n_chunks = max(1, len(rows) * longest // _AT_ONCE)
    if n_workers(n_jobs) > 1:
        n_chunks = max(n_chunks, _CHUNKS * n_workers(n_jobs))
    chunks = np.array_split(np.arange(len(rows)), min(n_chunks, max(1, len(rows))))
    values = of_each(
        lambda chunk: of_pairs(rows[chunk], columns[chunk]), chunks, n_jobs, threads=True
    )
    return np.concatenate(values)
