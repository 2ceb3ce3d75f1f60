"""Middle of a group of diagrams: the Frechet mean, and the medoid, which is one of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from tdafeat.checks import as_count
from tdafeat.topology.diagrams import as_diagrams, essential_births, finite_part
from tdafeat.topology.pairwise import distance_matrix, finite_distances
from tdafeat.topology.parallel import of_each
from tdafeat.topology.wasserstein import wasserstein


def medoid(
    diagrams: Sequence[Any],
    distance: str = "wasserstein",
    order: float = 2.0,
    internal_p: float = 2.0,
    n_jobs: int | None = None,
    **parameters: float,
) -> int:
    """Index of the diagram with the least sum of squared distances to the others.

    Parameters
    ----------
    diagrams : at least one, of one degree.
    distance, order, internal_p, n_jobs, **parameters : as in `distance_matrix`.

    Returns
    -------
    Index; of several equally good, the first.

    Raises
    ------
    ValueError for no diagrams, different numbers of essential bars, and as in `distance_matrix`.

    Examples
    --------
    >>> medoid([[[0, 4]], [[0, 5]], [[0, 6]]])
    1
    """
    table = finite_distances(
        _at_least_one(diagrams),
        distance=distance,
        order=order,
        internal_p=internal_p,
        n_jobs=n_jobs,
        **parameters,
    )
    return int((table**2).sum(axis=1).argmin())


@dataclass(frozen=True)
class FrechetMean:
    """A local minimum of the Frechet function.

    Attributes
    ----------
    diagram : `(n, 2)`.
    variance : mean squared distance of the diagrams to it.
    converged : whether the iteration came to rest.
    """

    diagram: np.ndarray
    variance: float
    converged: bool


def frechet_mean(
    diagrams: Sequence[Any],
    n_starts: int = 1,
    max_iterations: int = 100,
    n_jobs: int | None = None,
) -> FrechetMean:
    """Mean of diagrams: a local minimum of the mean squared 2-Wasserstein distance.

    From one of the diagrams on, every bar moves to the mean of the bars it is matched with, those
    matched to the diagonal pulling it there, and every bar without a partner begins one of its
    own; the variance falls until nothing moves. That is a local minimum where the matchings are
    unique, as they are but for ties. The Frechet function has many local minima and the mean need
    not be unique: more starts may find a lower one. The mean of two diagrams is exact. In H0, bars
    that only some diagrams have are born above 0 in the mean.

    Parameters
    ----------
    diagrams : at least one, of one degree.
    n_starts : how many diagrams to start from, the most central first, beginning with the medoid.
    max_iterations : from each start.
    n_jobs : threads; the mean is the same for any number.

    Returns
    -------
    FrechetMean, for the ground norm L_2.

    Raises
    ------
    ValueError for no diagrams, different numbers of essential bars, or no starts.

    References
    ----------
    Turner, Mileyko, Mukherjee and Harer (2014), "Frechet means for distributions of persistence
    diagrams".

    Examples
    --------
    >>> mean = frechet_mean([[[0, 2]], [[0, 4], [1, 2]]])
    >>> mean.diagram.tolist(), round(mean.variance, 12)
    ([[0.0, 3.0], [1.25, 1.75]], 1.125)
    """
    as_count(n_starts, "n_starts")
    as_count(max_iterations, "max_iterations")
    checked = _at_least_one(diagrams)
    essential = [essential_births(diagram) for diagram in checked]
    counts = {len(births) for births in essential}
    if len(counts) > 1:
        raise ValueError(
            f"diagrams must have equally many essential bars to have a mean; got {sorted(counts)}"
        )
    finite = [finite_part(diagram) for diagram in checked]
    table = distance_matrix(finite, order=2.0, internal_p=2.0, n_jobs=n_jobs)
    starts = np.argsort((table**2).sum(axis=1), kind="stable")[:n_starts]
    means = [_descend(finite[start], finite, max_iterations, n_jobs) for start in starts]
    best = min(means, key=lambda mean: mean.variance)
    births = np.mean(essential, axis=0)
    forever = np.column_stack([births, np.full(len(births), math.inf)])
    return FrechetMean(
        np.concatenate([best.diagram, forever]),
        best.variance + float(np.mean(np.sum((np.array(essential) - births) ** 2, axis=1))),
        best.converged,
    )


def _at_least_one(diagrams: Sequence[Any]) -> list[np.ndarray]:
    checked = as_diagrams(diagrams, "diagrams")
    if not checked:
        raise ValueError("diagrams must be at least one")
    return checked


def _descend(
    mean: np.ndarray, diagrams: list[np.ndarray], max_iterations: int, n_jobs: int | None
) -> FrechetMean:
    variance = math.inf
    for _ in range(max_iterations):
        matched = of_each(partial(_matched, mean), diagrams, n_jobs, threads=True)
        before, variance = variance, float(np.mean([distance**2 for distance, _ in matched]))
        if variance >= before * (1 - 1e-12):
            return FrechetMean(mean, variance, converged=True)
        mean = _mean_of_groups(mean, diagrams, [pairs for _, pairs in matched])
    matched = of_each(partial(_matched, mean), diagrams, n_jobs, threads=True)
    variance = float(np.mean([distance**2 for distance, _ in matched]))
    return FrechetMean(mean, variance, converged=False)


def _matched(mean: np.ndarray, diagram: np.ndarray) -> tuple[float, np.ndarray]:
    return wasserstein(mean, diagram, order=2.0, internal_p=2.0, matching=True)


def _mean_of_groups(
    mean: np.ndarray, diagrams: list[np.ndarray], matchings: list[np.ndarray]
) -> np.ndarray:
    """Best place of each bar given what it is matched with, and of those that were matched none."""
    total = np.zeros_like(mean)
    count = np.zeros(len(mean))
    alone = []
    for diagram, pairs in zip(diagrams, matchings, strict=True):
        mine, theirs = pairs[(pairs >= 0).all(axis=1)].T
        total[mine] += diagram[theirs]
        count[mine] += 1
        alone.append(diagram[pairs[pairs[:, 0] < 0, 1]])
    kept = count > 0
    groups = np.concatenate([total[kept], *alone])
    sizes = np.concatenate([count[kept], np.ones(len(groups) - kept.sum())])[:, None]
    centres = groups / sizes
    on_diagonal = centres.mean(axis=1, keepdims=True)  # where the others of each group pull
    share = sizes / len(diagrams)
    moved = share * centres + (1 - share) * on_diagonal
    return moved[moved[:, 0] < moved[:, 1]]
