"""Confidence sets for the Rips diagram of a cloud: which bars are more than sampling noise."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from tdafeat.checks import as_count, as_generator, check_share
from tdafeat.jobs import n_workers
from tdafeat.record import Registry
from tdafeat.topology.bottleneck import bottleneck
from tdafeat.topology.diagrams import as_diagram
from tdafeat.topology.engines import choose
from tdafeat.topology.limits import check_memory
from tdafeat.topology.parallel import of_each
from tdafeat.topology.points import NO_TRIANGLE_INEQUALITY, point_metrics
from tdafeat.topology.subsampling import checked_points, diagrams_of_draws, engine_of_many
from tdafeat.topology.summaries import longest_bar

methods: Registry[str] = Registry("confidence method", "tdafeat.confidence_methods")
methods.add(
    "hausdorff",
    "The Rips diagrams of the support of the distribution, of all degrees together, lie within "
    "`radius` in bottleneck distance with probability at least 1 - alpha as the number of points "
    "grows, if the points are independent draws from a compact set, with a density bounded away "
    "from 0 on it (Fasy et al. 2014, theorem 3, and stability). Conservative.",
)
methods.add(
    "subsample",
    "Bottleneck distances of diagrams of smaller samples to that of the cloud stay within "
    "`radius` in a share 1 - alpha of draws, degree by degree. A smaller sample is farther from "
    "the support than the cloud is, which is why the support's diagram is expected within "
    "`radius` too; no theorem says so. From degree 1 up the radius is inf where samples have lost "
    "the longest bar of the cloud: their distances then say nothing of the error.",
)
methods.add(
    "bootstrap",
    "Bottleneck distances of diagrams of resampled clouds to that of the cloud stay within "
    "`radius` in a share 1 - alpha of draws, degree by degree: how far the diagram moves under "
    "resampling. No theorem makes it a confidence set for Rips diagrams.",
)


@dataclass(frozen=True)
class ConfidenceBand:
    """How far the true diagram may be, and what exactly is claimed.

    Attributes
    ----------
    radius : `(maxdim + 1,)`, by degree: bottleneck distance that the confidence set reaches.
    alpha : it misses with this probability.
    method : how the radius was found.
    covers : the claim, with what it assumes.
    n_points, n_draws : size and number of the samples behind it.
    distances : `(n_draws, maxdim + 1)`, what was measured on them.
    """

    radius: np.ndarray
    alpha: float
    method: str
    covers: str
    n_points: int
    n_draws: int
    distances: np.ndarray = field(repr=False)

    def significant(self, diagram: Any, degree: int) -> np.ndarray:
        """Which bars no diagram of the confidence set lacks: those longer than twice the radius.

        Parameters
        ----------
        diagram : of that degree, `(n, 2)` array-like.
        degree : of homology.

        Returns
        -------
        `(n,)` bool.

        Raises
        ------
        ValueError for a degree the band is not of, and for an array that is no diagram.
        """
        if as_count(degree, "degree", least=0) >= len(self.radius):
            raise ValueError(f"degree must be at most {len(self.radius) - 1}; got {degree}")
        births, deaths = as_diagram(diagram).T
        return deaths - births > 2 * self.radius[degree]


def confidence_band(
    X: Any,
    alpha: float = 0.05,
    method: str = "hausdorff",
    maxdim: int = 1,
    metric: str = "euclidean",
    n_points: int | None = None,
    n_draws: int = 200,
    random_state: int = 0,
    n_jobs: int | None = None,
) -> ConfidenceBand:
    """Bottleneck radius around the Rips diagrams of a cloud in which the true ones lie.

    Parameters
    ----------
    X : `(n_samples, n_features)` array-like or torch tensor, or a distance matrix; its rows are
        independent draws of one distribution.
    alpha : probability to miss, in (0, 1).
    method : ``"hausdorff"``: 4 times the (1 - alpha)-quantile of Hausdorff distances of subsamples
        to the cloud: twice that bounds the Hausdorff distance of the cloud to the support, and a
        Rips diagram, in diameters, moves by at most twice a Hausdorff distance. Covers as proven,
        wide. ``"subsample"``: the quantile of bottleneck distances of subsamples' diagrams to the
        cloud's. ``"bootstrap"``: the same for clouds drawn with replacement. Both are sharper
        and without a theorem; `covers` of the result states each claim.
    maxdim, metric : as in `persistence`; ``"hausdorff"`` needs the triangle inequality, which
        ``"cosine"`` and ``"correlation"`` lack.
    n_points : size of a subsample. By default n^(2/3) for ``"hausdorff"``, whose theorem asks for
        sizes that grow more slowly than n / log n, and n / log n for ``"subsample"``, which smaller
        ones would often lose the loops of. A bootstrap draws n.
    n_draws : how many samples.
    random_state : seed of the draws.
    n_jobs : processes (joblib); the band is the same for any number.

    Returns
    -------
    ConfidenceBand, its radius in units of the filtration.

    Raises
    ------
    ValueError for arguments out of range, fewer than 3 points, or more than memory has room for the
    distances of, and as in `persistence`;
    UnknownName for another method or metric.

    References
    ----------
    Fasy, Lecci, Rinaldo, Wasserman, Balakrishnan and Singh (2014), "Confidence sets for
    persistence diagrams"; Chazal, de Silva and Oudot (2014), "Persistence stability for geometric
    complexes".

    Examples
    --------
    >>> from tdafeat.topology import persistence
    >>> angle = np.random.default_rng(0).uniform(0, 2 * np.pi, 300)
    >>> circle = np.column_stack([np.cos(angle), np.sin(angle)])
    >>> band = confidence_band(circle, method="subsample")
    >>> int(band.significant(persistence(circle)[1], degree=1).sum())  # one loop
    1
    """
    covers = methods[method]
    check_share(alpha, "alpha")
    as_count(maxdim, "maxdim", least=0)
    as_count(n_draws, "n_draws")
    n_workers(n_jobs)
    if method == "hausdorff" and metric in NO_TRIANGLE_INEQUALITY:
        raise ValueError(
            f"method 'hausdorff' needs the triangle inequality, which metric {metric!r} lacks; "
            "take 'subsample'"
        )
    points = checked_points(X, metric)
    draws = _draws(len(points), method, n_points, n_draws, random_state)
    if method == "hausdorff":
        distances = np.repeat(_hausdorff(points, draws, metric)[:, None], maxdim + 1, axis=1)
    else:
        distances, longest = _bottlenecks(points, draws, maxdim, metric, n_jobs)
    radius = np.quantile(distances, 1 - alpha, axis=0, method="inverted_cdf")
    if method == "hausdorff":
        radius *= 4
    elif method == "subsample":
        # A lost bar costs half its length, whatever became of it. A relative 1e-9 is rounding.
        lost = (longest > 0) & (radius >= longest / 2 * (1 - 1e-9))
        radius[1:][lost[1:]] = math.inf
    return ConfidenceBand(radius, alpha, method, covers, len(draws[0]), n_draws, distances)


def _draws(
    n_samples: int, method: str, n_points: int | None, n_draws: int, random_state: int
) -> list[np.ndarray]:
    if n_samples < 3:
        raise ValueError(f"X must have at least 3 points; got {n_samples}")
    rng = as_generator(random_state)
    if method == "bootstrap":
        if n_points is not None:
            raise ValueError("n_points is for subsamples: a bootstrap draws as many as there are")
        return [rng.integers(n_samples, size=n_samples) for _ in range(n_draws)]
    default = n_samples ** (2 / 3) if method == "hausdorff" else n_samples / math.log(n_samples)
    size = int(default) if n_points is None else as_count(n_points, "n_points")
    if size >= n_samples:
        raise ValueError(f"n_points must be between 1 and {n_samples - 1}; got {n_points}")
    return [rng.choice(n_samples, size, replace=False) for _ in range(n_draws)]


def _hausdorff(points: np.ndarray, draws: list[np.ndarray], metric: str) -> np.ndarray:
    measure = point_metrics[metric]
    check_memory(len(points), 4, "take fewer points")
    distances = measure.pairwise(measure.prepare(points))
    return np.array([distances[draw].min(axis=0).max() for draw in draws])


def _bottlenecks(
    points: np.ndarray, draws: list[np.ndarray], maxdim: int, metric: str, n_jobs: int | None
) -> tuple[np.ndarray, np.ndarray]:
    """Distances to the diagrams of the cloud, `(n_draws, maxdim + 1)`, and its longest bars."""
    everything = [np.arange(len(points))]
    # A point drawn twice changes no diagram.
    distinct = [np.unique(draw) for draw in draws]
    if maxdim > 0:  # then the cloud's own diagrams need all distances, and the draws share them
        measure = point_metrics[metric]
        engine, _ = choose(engine_of_many(maxdim), len(points), maxdim)
        check_memory(len(points), 8 + engine.bytes_per_pair, "take fewer points")
        points, metric = measure.pairwise(measure.prepare(points)), "precomputed"
    whole, *parts = diagrams_of_draws(points, everything + distinct, maxdim, metric, n_jobs)
    to_whole = partial(_bottleneck_by_degree, whole)
    longest = np.array([longest_bar(diagram) for diagram in whole])
    return np.array(of_each(to_whole, parts, n_jobs, threads=True)), longest


def _bottleneck_by_degree(a: Any, b: Any) -> list[float]:
    return [bottleneck(first, second) for first, second in zip(a, b, strict=True)]
