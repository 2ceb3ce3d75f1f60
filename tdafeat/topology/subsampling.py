"""Diagrams of many small samples of a cloud: for clouds too large for one, and for inference."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from tdafeat.checks import as_array, as_count, as_generator
from tdafeat.topology.diagrams import Diagrams
from tdafeat.topology.parallel import of_each
from tdafeat.topology.persistence import persistence
from tdafeat.topology.points import point_metrics


def subsample_diagrams(
    X: Any,
    n_points: int,
    n_draws: int = 100,
    maxdim: int = 1,
    metric: str = "euclidean",
    random_state: int = 0,
    n_jobs: int | None = None,
) -> list[Diagrams]:
    """Diagrams of random samples of the points of one cloud.

    Each draw is without replacement, and the draws are independent given the cloud. Their mean
    summary (`mean_band`) estimates that of a sample of `n_points` of the cloud, at the cost of
    many small problems in place of a large one. Draws share points: as a sample of the
    distribution behind the cloud they are not independent (`disjoint_diagrams` are).

    Parameters
    ----------
    X : `(n_samples, n_features)` array-like or torch tensor, or a distance matrix.
    n_points : points in each draw, at most n_samples.
    n_draws : how many draws.
    maxdim, metric : as in `persistence`.
    random_state : seed of the draws.
    n_jobs : processes (joblib); the diagrams are the same for any number.

    Returns
    -------
    `n_draws` Diagrams; their records say from how many points they were drawn.

    Raises
    ------
    ValueError for no draws, more points than there are, and as in `persistence`.

    References
    ----------
    Chazal, Fasy, Lecci, Michel, Rinaldo and Wasserman (2015), "Subsampling methods for persistent
    homology".

    Examples
    --------
    >>> cloud = np.random.default_rng(0).normal(size=(500, 3))
    >>> [len(d[0]) for d in subsample_diagrams(cloud, n_points=20, n_draws=3)]
    [20, 20, 20]
    """
    as_count(n_draws, "n_draws")
    points = checked_points(X, metric)
    _check_size(n_points, len(points))
    rng = as_generator(random_state)
    draws = [rng.choice(len(points), n_points, replace=False) for _ in range(n_draws)]
    return diagrams_of_draws(points, draws, maxdim, metric, n_jobs)


def disjoint_diagrams(
    X: Any,
    n_points: int,
    maxdim: int = 1,
    metric: str = "euclidean",
    random_state: int = 0,
    n_jobs: int | None = None,
) -> list[Diagrams]:
    """Diagrams of disjoint random blocks of a cloud: independent if its points are.

    Parameters
    ----------
    X : `(n_samples, n_features)` array-like or torch tensor, or a distance matrix.
    n_points : points in each block; what is left over after the last full block is not used.
    maxdim, metric, random_state, n_jobs : as in `subsample_diagrams`.

    Returns
    -------
    n_samples // n_points Diagrams.

    Raises
    ------
    ValueError for a block of more points than there are, and as in `persistence`.

    Examples
    --------
    >>> cloud = np.random.default_rng(0).normal(size=(50, 3))
    >>> len(disjoint_diagrams(cloud, n_points=20))
    2
    """
    points = checked_points(X, metric)
    _check_size(n_points, len(points))
    order = as_generator(random_state).permutation(len(points))
    n_blocks = len(points) // n_points
    draws = np.split(order[: n_blocks * n_points], n_blocks)
    return diagrams_of_draws(points, draws, maxdim, metric, n_jobs)


def checked_points(X: Any, metric: str) -> np.ndarray:
    """The cloud, or matrix, as an array in which draws may be indexed; refused as a whole."""
    point_metrics[metric].prepare(X)
    return as_array(X, "X", 2)


def diagrams_of_draws(
    points: np.ndarray, draws: Sequence[np.ndarray], maxdim: int, metric: str, n_jobs: int | None
) -> list[Diagrams]:
    """Diagrams of the points with these indices, for each draw."""
    as_count(maxdim, "maxdim", least=0)
    return of_each(partial(_diagrams, points, maxdim=maxdim, metric=metric), draws, n_jobs)


def engine_of_many(maxdim: int) -> str:
    """Engine for many small clouds: together they are worth the loading of its kernels."""
    return "tdafeat" if maxdim <= 1 else "auto"


def _diagrams(points: np.ndarray, draw: np.ndarray, maxdim: int, metric: str) -> Diagrams:
    drawn = points[np.ix_(draw, draw)] if metric == "precomputed" else points[draw]
    diagrams = persistence(drawn, maxdim, metric, engine=engine_of_many(maxdim))
    return Diagrams(diagrams, {**diagrams.record, "drawn_from": len(points)})


def _check_size(n_points: int, n_samples: int) -> None:
    if as_count(n_points, "n_points") > n_samples:
        raise ValueError(f"n_points must be between 1 and {n_samples}; got {n_points}")
