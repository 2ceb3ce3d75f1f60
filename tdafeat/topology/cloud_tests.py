"""Permutation tests between two clouds: paired by image, or drawn independently.

Each function states its null hypothesis, and is valid for that alone.
"""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np

from tdafeat.checks import as_array, as_count, as_generator, as_pair
from tdafeat.topology.pairwise import distance_matrix
from tdafeat.topology.parallel import of_each
from tdafeat.topology.permutation import PermutationTest, group_test, p_value
from tdafeat.topology.persistence import persistence
from tdafeat.topology.subsampling import disjoint_diagrams, engine_of_many


def paired_cloud_test(
    a: Any,
    b: Any,
    degree: int = 1,
    groups: Any = None,
    distance: str = "wasserstein",
    order: float = 1.0,
    internal_p: float = math.inf,
    metric: str = "euclidean",
    n_landmarks: int | None = None,
    n_permutations: int = 199,
    random_state: int = 0,
    n_jobs: int | None = None,
    **parameters: float,
) -> PermutationTest:
    """Did this noise level change the topology? Distance of diagrams, swapping paired points.

    Row i of both clouds is of one image. Half of the images, at random, change sides, and the
    distance between the diagrams of the two mixed clouds is compared with the observed one.

    Parameters
    ----------
    a, b : clean and noisy cloud, `(n_samples, n_features)`, rows paired.
    degree : of the homology compared.
    groups : `(n_samples,)`, rows with equal entries swap together, as patch tokens of one image
        must; by default each row by itself.
    distance, order, internal_p : as in `distance_matrix`.
    metric, n_landmarks : as in `persistence`, not ``"precomputed"``.
    n_permutations : arrangements drawn; each costs two diagrams.
    random_state : their seed.
    n_jobs : processes (joblib); the result is the same for any number.
    **parameters : of the distance, as in `distance_matrix`.

    Returns
    -------
    PermutationTest; a large distance, hence a small p, speaks for a change. Its null: the two
    points of any pair may be exchanged, the others as they are, without changing the joint law.
    Noise that moves points is against that from the start: the test asks whether diagrams show it.
    They cannot where noise acts as an isometry, and p is 1. A shift that all points share is
    against the null too, though it changes no diagram: mixed clouds then fall in two, their
    distances grow, and the test loses power.

    Raises
    ------
    ValueError for clouds of different shape, groups of another length, and as in `persistence`.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> angle = rng.uniform(0, 2 * np.pi, 60)
    >>> circle = np.column_stack([np.cos(angle), np.sin(angle)])
    >>> noisy = circle + rng.normal(scale=0.5, size=circle.shape)
    >>> paired_cloud_test(circle, noisy, n_permutations=99).p
    0.01
    """
    n_permutations = as_count(n_permutations, "n_permutations")
    as_count(degree, "degree", least=0)
    if metric == "precomputed":
        raise ValueError("metric must be one of points: distances between the clouds are needed")
    a, b = as_pair(a, b, ("a", "b"))
    rng = as_generator(random_state)
    group_of_row = _group_of_row(groups, len(a))
    swaps = rng.random((n_permutations, int(group_of_row.max()) + 1)) < 0.5
    by_row = swaps[:, group_of_row]
    observed = np.zeros((1, len(a)), dtype=bool)
    apart = partial(
        _apart_after_swap,
        a,
        b,
        degree=degree,
        diagrams={
            "metric": metric,
            "n_landmarks": n_landmarks,
            "engine": engine_of_many(degree),
        },
        distances={
            "distance": distance,
            "order": order,
            "internal_p": internal_p,
            **parameters,
        },
    )
    statistic, *drawn = of_each(apart, np.concatenate([observed, by_row]), n_jobs)
    null = "the two points of each pair are exchangeable"
    return PermutationTest(statistic, p_value(statistic, np.array(drawn)), null, np.array(drawn))


def two_sample_test(
    a: Any,
    b: Any,
    n_points: int | None = None,
    degree: int = 1,
    distance: str = "wasserstein",
    order: float = 1.0,
    internal_p: float = math.inf,
    metric: str = "euclidean",
    n_permutations: int = 999,
    random_state: int = 0,
    n_jobs: int | None = None,
    **parameters: float,
) -> PermutationTest:
    """Are two clouds of one shape? Their disjoint random blocks as two groups of diagrams.

    Blocks share no points, so that they are independent if the points are; overlapping samples
    would be alike within a cloud and reject too often.

    Parameters
    ----------
    a, b : clouds, `(n_samples, n_features)`, or distance matrices; of any number of points and
        even of different numbers of features.
    n_points : points of a block, by default a tenth of the smaller cloud, or 4 (degree + 1) where
        that is more. Fewer than 2 (degree + 1) points have no class of that degree. Fewer than
        4 blocks of each cloud cannot reach p = 0.05.
    degree : of the homology compared.
    distance, order, internal_p, n_permutations : as in `group_test`.
    metric : as in `persistence`.
    random_state : seed of blocks and permutations.
    n_jobs : processes for the diagrams (joblib), threads for their distances; the result is the
        same for any number.
    **parameters : of the distance, as in `distance_matrix`.

    Returns
    -------
    PermutationTest. Its null: the points of each cloud are independent draws of one distribution,
    and the diagrams of `n_points` such draws have one law for both. It holds where the two
    distributions are the same up to an isometry, and it is about the scale of blocks of
    `n_points`.

    Raises
    ------
    ValueError for blocks so large that a cloud has fewer than two, or so small that none has a
    class, and as in `persistence`.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> disc, line = rng.uniform(size=(200, 2)), rng.uniform(size=(300, 1))
    >>> two_sample_test(disc, line, degree=0).p
    0.001
    """
    sizes = [len(as_array(cloud, name, 2)) for cloud, name in ((a, "a"), (b, "b"))]
    least = 2 * (
        as_count(degree, "degree", least=0) + 1
    )  # vertices of the smallest complex with a hole of that degree
    size = max(2 * least, min(sizes) // 10)
    if n_points is not None:
        size = as_count(n_points, "n_points")
    if not least <= size <= min(sizes) // 2:
        raise ValueError(
            f"n_points must be at least {least} for degree {degree} and leave two blocks of each "
            f"cloud, so be at most {min(sizes) // 2}; got {size}"
        )
    as_count(n_permutations, "n_permutations")
    seeds = (
        np.random.SeedSequence(as_count(random_state, "random_state", least=0))
        .generate_state(3)
        .tolist()
    )
    first, second = (
        [
            diagrams[degree]
            for diagrams in disjoint_diagrams(cloud, size, degree, metric, seed, n_jobs)
        ]
        for cloud, seed in zip((a, b), seeds[:2], strict=True)
    )
    outcome = group_test(
        first,
        second,
        paired=False,
        distance=distance,
        order=order,
        internal_p=internal_p,
        n_permutations=n_permutations,
        random_state=seeds[2],
        n_jobs=n_jobs,
        **parameters,
    )
    null = f"diagrams of {size} independent points have one law for both clouds"
    return PermutationTest(outcome.statistic, outcome.p, null, outcome.drawn)


def _group_of_row(groups: Any, n_rows: int) -> np.ndarray:
    if groups is None:
        return np.arange(n_rows)
    names = np.asarray(groups)
    if names.shape != (n_rows,):
        raise ValueError(f"groups must have one entry per row, {n_rows}; got shape {names.shape}")
    return np.unique(names, return_inverse=True)[1]


def _apart_after_swap(
    a: np.ndarray,
    b: np.ndarray,
    swapped: np.ndarray,
    degree: int,
    diagrams: dict[str, Any],
    distances: dict[str, Any],
) -> float:
    """Distance between the diagrams of two clouds that have exchanged these rows."""
    mixed = (np.where(swapped[:, None], *pair) for pair in ((b, a), (a, b)))
    first, second = (persistence(cloud, maxdim=degree, **diagrams)[degree] for cloud in mixed)
    return float(distance_matrix([first], [second], **distances)[0, 0])
