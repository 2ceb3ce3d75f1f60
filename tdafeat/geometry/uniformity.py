"""How evenly directions fill the sphere, and how far noise moves features from clean ones."""

from __future__ import annotations

from typing import Any

import numpy as np

from tdafeat.checks import as_cloud, as_pair
from tdafeat.directions import unit_rows
from tdafeat.geometry.moments import Moments, check_left_out
from tdafeat.geometry.neighbours import nearest_neighbours
from tdafeat.geometry.paired_moments import PairedMoments
from tdafeat.geometry.pairs import pairs_of_directions
from tdafeat.record import metric

SMALLEST_DISTANCE = 1e-8  # KoLeo takes duplicates to be this far apart, and so stays finite

_ON_SPHERE: dict[str, Any] = {
    "room": "geometry",
    "invariant": ("rotation", "scale", "permutation"),
}


def nearest_distances(points: Any) -> np.ndarray:
    """Euclidean distance of each row to the nearest other row, (n,) float64; needs two rows.

    Examples
    --------
    >>> nearest_distances([[0.0], [1.0], [3.0]])
    array([1., 1., 2.])
    """
    return nearest_neighbours(points, 1)[0][:, 0]


@metric(
    "koleo",
    title="KoLeo",
    needs=("features",),
    better="lower",
    range=(-np.log(2), -np.log(SMALLEST_DISTANCE)),
    source="Sablayrolles et al. 2019",
    **_ON_SPHERE,
)
def koleo(features: Any) -> float:
    """KoLeo: minus the mean log distance of each unit-normalised row to its nearest other row.

    Depends on the number of rows: compare at equal n only. Duplicates count as 1e-8 apart (18.42
    each); DINOv2's code adds its eps to every coordinate instead, so that its answer there
    depends on D. Needs two rows; a row of zeros is a ValueError.

    Examples
    --------
    >>> round(koleo([[1, 0], [0, 1]]), 6)
    -0.346574
    """
    distances = pairs_of_directions(features).distances[:, 0]
    return float(-np.log(np.maximum(distances, SMALLEST_DISTANCE)).mean())


@metric(
    "uniformity",
    title="uniformity",
    needs=("features",),
    better="lower",
    range=(-8.0, 0.0),
    source="Wang & Isola 2020",
    **_ON_SPHERE,
)
def uniformity(features: Any) -> float:
    """Uniformity on the sphere: log of the mean of exp(-2 |x_i - x_j|^2) over pairs i < j.

    Rows are unit-normalised. 0 where all rows agree; -4 + O(1/D) for uniform directions. Needs
    two rows; a row of zeros is a ValueError.

    Examples
    --------
    >>> round(uniformity([[1, 0], [-1, 0]]), 6)
    -8.0
    """
    # rounding may take opposite directions a little further apart than 2
    return max(-8.0, float(np.log(pairs_of_directions(features, kernel=True).kernel)))


@metric(
    "mean_cosine",
    title="mean cosine",
    version=2,
    needs=("features",),
    range=(-1.0, 1.0),
    source="Ethayarajh 2019",
    **_ON_SPHERE,
)
def mean_cosine(features: Any) -> float:
    """Mean cosine over pairs of rows (anisotropy): near 1 where all lie in one narrow cone.

    Needs two rows, or `Moments` of them; a row of zeros is a ValueError.

    Examples
    --------
    >>> mean_cosine([[1, 0], [0, 1]])
    0.0
    """
    if isinstance(features, Moments):
        if features.n < 2 or np.isnan(features.directions).any():
            raise ValueError("moments must be of at least 2 rows, none of them all zeros")
        return mean_cosine_of(features.directions, features.n)
    rows = unit_rows(features, min_samples=2)
    return mean_cosine_of(rows.sum(axis=0), len(rows))


def mean_cosine_of(total: np.ndarray, n: int) -> float:
    """Mean cosine over pairs of n unit rows, from their sum: of its square n are of no pair."""
    return float(np.clip((np.square(total).sum() - n) / (n * (n - 1)), -1.0, 1.0))


_NEAREST: dict[str, Any] = {
    "room": "geometry",
    "needs": ("features",),
    "range": (0.0, float("inf")),
    "invariant": ("rotation", "translation", "permutation"),
    "source": "Clark & Evans 1954",
    "unit": "units of the features",
}


@metric("nearest_neighbour_distance", title="median nearest-neighbour distance", **_NEAREST)
def nearest_neighbour_distance(features: Any) -> float:
    """Median Euclidean distance of a row to the nearest other row; needs two rows.

    Examples
    --------
    >>> nearest_neighbour_distance([[0.0], [1.0], [3.0]])
    1.0
    """
    return float(np.median(nearest_distances(as_cloud(features, min_samples=2))))


def _register_quantile(percent: int) -> None:
    """A metric that is a quantile of the nearest-neighbour distances."""

    def quantile(features: Any) -> float:
        distances = nearest_distances(as_cloud(features, min_samples=2))
        return float(np.quantile(distances, percent / 100))

    quantile.__doc__ = f"{percent} % quantile of the rows' distances to the nearest other row."
    metric(
        f"nearest_neighbour_q{percent}",
        title=f"{percent} % quantile of nearest-neighbour distances",
        **_NEAREST,
    )(quantile)


for _percent in (10, 90):
    _register_quantile(_percent)


@metric(
    "alignment",
    title="alignment with clean",
    needs=("features", "clean"),
    better="lower",
    range=(0.0, 4.0),
    source="Wang & Isola 2020",
    **_ON_SPHERE,
)
def alignment(features: Any, clean: Any = None) -> float:
    """Alignment: mean squared distance between unit-normalised noisy and clean features.

    Of two clouds, or `PairedMoments` of both; a row of zeros is a ValueError.

    Examples
    --------
    >>> alignment([[1.0, 0]], [[0, 1.0]])
    2.0
    """
    if isinstance(features, PairedMoments):
        check_left_out(clean, "clean")
        return _mean(features.turned, features)
    as_pair(features, clean)
    difference = unit_rows(features) - unit_rows(clean, "clean")
    return float(np.square(difference).sum(axis=1).mean())


@metric(
    "displacement",
    title="displacement from clean",
    room="geometry",
    needs=("features", "clean"),
    better="lower",
    range=(0.0, float("inf")),
    invariant=("rotation", "translation", "permutation"),
    source="mean Euclidean distance of paired features",
    unit="units of the features",
)
def displacement(features: Any, clean: Any = None) -> float:
    """Mean Euclidean distance between each noisy feature and its clean one.

    Of two clouds, or `PairedMoments` of both.

    Examples
    --------
    >>> displacement([[3.0, 4.0]], [[0.0, 0.0]])
    5.0
    """
    if isinstance(features, PairedMoments):
        check_left_out(clean, "clean")
        return _mean(features.moved, features)
    noisy, original = as_pair(features, clean)
    return float(np.linalg.norm(noisy - original, axis=1).mean())


def _mean(total: float, moments: PairedMoments) -> float:
    """Of a sum over the images that is NaN where it is not defined."""
    if np.isnan(moments.moved):
        raise ValueError("moments must be of two spaces of equally many columns")
    if np.isnan(total):
        raise ValueError("moments must be of rows that have a direction; some are all zeros")
    return total / moments.n
