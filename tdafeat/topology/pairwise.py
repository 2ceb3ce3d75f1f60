"""Tables of distances between many diagrams."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from tdafeat.record import Registry
from tdafeat.topology.bottleneck import bottleneck_of_checked
from tdafeat.topology.diagrams import as_diagram
from tdafeat.topology.wasserstein import check_exponents, wasserstein_of_checked

diagram_distances: Registry[Callable[..., float]] = Registry(
    "distance", "tdafeat.diagram_distances"
)
diagram_distances.add("wasserstein", wasserstein_of_checked)
diagram_distances.add("bottleneck", bottleneck_of_checked)


def distance_matrix(
    diagrams: Sequence[Any],
    others: Sequence[Any] | None = None,
    distance: str = "wasserstein",
    order: float = 1.0,
    internal_p: float = math.inf,
    n_jobs: int | None = None,
) -> np.ndarray:
    """Distances between diagrams: of all pairs, or of each of `diagrams` to each of `others`.

    Parameters
    ----------
    diagrams : n diagrams of one degree.
    others : m diagrams; without them the table is symmetric, each pair is computed once.
    distance : ``"wasserstein"`` or ``"bottleneck"``.
    order, internal_p : of the Wasserstein distance; bottleneck does not use them.
    n_jobs : processes (joblib); None for this one alone, -1 for all cores.

    Returns
    -------
    `(n, n)` or `(n, m)` float64, in the units of the filtration.

    Raises
    ------
    UnknownName for another distance; ValueError for arrays that are no diagrams.

    Examples
    --------
    >>> distance_matrix([[[0, 2]], [[0, 3]], []])
    array([[0. , 1. , 1. ],
           [1. , 0. , 1.5],
           [1. , 1.5, 0. ]])
    """
    function = diagram_distances[distance]
    if distance == "wasserstein":
        check_exponents(order, internal_p)
        function = partial(function, order=order, internal_p=internal_p)
    first = [as_diagram(d, f"diagrams[{i}]") for i, d in enumerate(diagrams)]
    if others is None:
        rows, columns = np.triu_indices(len(first), k=1)
        second = first
    else:
        second = [as_diagram(d, f"others[{j}]") for j, d in enumerate(others)]
        rows, columns = (index.ravel() for index in np.indices((len(first), len(second))))
    pairs = zip(rows, columns, strict=True)
    if n_jobs in (None, 1):
        values = [function(first[i], second[j]) for i, j in pairs]
    else:
        from joblib import Parallel, delayed

        values = Parallel(n_jobs=n_jobs)(delayed(function)(first[i], second[j]) for i, j in pairs)
    table = np.zeros((len(first), len(second)))
    table[rows, columns] = values
    return table + table.T if others is None else table
