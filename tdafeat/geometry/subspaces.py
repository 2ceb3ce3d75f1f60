"""Angles between linear subspaces: between the classes of a cloud, and between clean and noisy.

A class spans the subspace of its leading principal directions. All pairs of classes are compared
at once: one orthonormal basis per class, one product of all bases, and the eigenvalues of the
small Gram matrices, which are the squared cosines.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from tdafeat.checks import as_cloud, as_labels, as_pair
from tdafeat.geometry.sharing import shared
from tdafeat.geometry.threads import over_threads
from tdafeat.record import metric

MAX_COMPONENTS = 10  # enough for most of a class's variance, few enough to leave room in R^D


@dataclass(frozen=True, eq=False)
class ClassAngles:
    """Principal angles of every pair of classes, with the two numbers needed to read them.

    Attributes
    ----------
    angles : (C, C, k) float64, radians in [0, pi/2], largest first; symmetric, 0 on the diagonal.
        NaN for a class that does not span k directions.
    classes : (C,) label of each row.
    n_components : k, the dimension of every class's subspace.
    n_features : D, the dimension of the space they lie in.
    """

    angles: np.ndarray
    classes: np.ndarray
    n_components: int
    n_features: int

    @property
    def n_forced_zeros(self) -> int:
        """How many of the k angles are 0 for any two subspaces, because 2k exceeds D."""
        return max(0, 2 * self.n_components - self.n_features)

    @property
    def note(self) -> str:
        """What must stand beside the angles: k and D, and a warning where zeros are forced."""
        k, dimension, zeros = self.n_components, self.n_features, self.n_forced_zeros
        text = f"{k} principal directions per class in {dimension} dimensions"
        if zeros == 0:
            return text
        which = "all angles are" if zeros == k else f"at least {zeros} of the {k} angles are"
        return f"{text}: {which} 0 whatever the data, because 2k > D"


def principal_angles(
    a: Any, b: Any, n_components: int | None = None, center: bool = False
) -> np.ndarray:
    """Principal angles between the spans of the rows of `a` and of `b`.

    Parameters
    ----------
    a : (n, D) samples, array-like or torch tensor.
    b : (m, D) samples.
    n_components : number of leading principal directions taken from each; None for all of them.
    center : subtract each one's mean first, so that directions of variation are compared.

    Returns
    -------
    (min(rank a, rank b),) float64, radians in [0, pi/2], largest first. Angles closer to 0 or to
    pi/2 than about 1e-7 are not resolved.

    Raises
    ------
    ValueError if the dimensions differ, if either spans no direction or fewer than
    `n_components`.

    References
    ----------
    Bjorck, Golub (1973), Numerical methods for computing angles between linear subspaces.

    Examples
    --------
    >>> principal_angles([[1.0, 0, 0]], [[1.0, 1, 0]]).round(6)
    array([0.785398])
    """
    first, second = as_cloud(a, "a"), as_cloud(b, "b")
    if first.shape[1] != second.shape[1]:
        raise ValueError(
            f"a and b must have equally many columns; got shapes {first.shape} and {second.shape}"
        )
    bases = []
    for name, points in (("a", first), ("b", second)):
        basis = _basis(torch.from_numpy(points), center)
        if len(basis) < (n_components or 1):
            raise ValueError(
                f"{name} must span at least {n_components or 1} directions; it spans {len(basis)}"
            )
        bases.append(basis[:n_components])
    return _angles(bases[0] @ bases[1].T).numpy()


@shared
def class_angles(
    features: Any, labels: Any, n_components: int | None = None, center: bool = True
) -> ClassAngles:
    """Principal angles between the subspaces of all pairs of classes.

    Parameters
    ----------
    features : (n, D) array-like or torch tensor.
    labels : (n,) class of each row; at least two classes.
    n_components : k, the leading principal directions per class. None takes 10, or as many as the
        smallest class spans, and never more than D/2, above which some angles are 0 by necessity.
    center : subtract each class's mean first.

    Returns
    -------
    `ClassAngles`; a class that spans fewer than k directions has NaN angles.

    Raises
    ------
    ValueError with fewer than two classes, or if no class spans a direction.

    References
    ----------
    Bjorck, Golub (1973), Numerical methods for computing angles between linear subspaces.

    Examples
    --------
    >>> features = [[1, 0, 0, 0], [-1, 0, 0, 0], [0, 3, 0, 0], [0, 2, 0, 0]]
    >>> result = class_angles(features, [0, 0, 1, 1])
    >>> result.angles[0, 1].round(6)
    array([1.570796])
    >>> result.note
    '1 principal directions per class in 4 dimensions'
    """
    points = torch.from_numpy(as_cloud(features))
    known = as_labels(labels, len(points))
    classes = np.unique(known)
    if len(classes) < 2:
        raise ValueError(f"labels must name at least two classes; got {len(classes)}")
    dimension = points.shape[1]
    members = [points[torch.from_numpy(known == c)] for c in classes]
    bases = over_threads(lambda own: _basis(own, center), members)
    ranks = np.array([len(basis) for basis in bases])
    if not ranks.any():
        raise ValueError("some class must span a direction; each is a single sample or constant")
    if n_components is None:
        k = min(MAX_COMPONENTS, max(1, dimension // 2), int(ranks[ranks > 0].min()))
    elif 1 <= n_components <= dimension:
        k = n_components
    else:
        raise ValueError(f"n_components must lie in 1..{dimension}; got {n_components}")

    angles = np.full((len(classes), len(classes), k), np.nan)
    spanning = np.flatnonzero(ranks >= k)
    if len(spanning):
        stack = torch.stack([bases[i][:k] for i in spanning])
        between = _all_pairs(stack).numpy()
        angles[np.ix_(spanning, spanning)] = between
    return ClassAngles(angles, classes, k, dimension)


def _basis(points: torch.Tensor, center: bool) -> torch.Tensor:
    """Orthonormal principal directions in descending order, (r, D), r the numerical rank."""
    # relative to the points as given: centred constant rows leave rounding, not a direction
    tolerance = max(points.shape) * torch.finfo(points.dtype).eps * float(points.norm())
    if center:
        points = points - points.mean(0)
    _, values, directions = torch.linalg.svd(points, full_matrices=False)
    return directions[values > tolerance]


def _all_pairs(bases: torch.Tensor) -> torch.Tensor:
    """Angles between all of C orthonormal bases (C, k, D), as (C, C, k)."""
    n_classes, k, dimension = bases.shape

    def with_later(i: int) -> torch.Tensor:
        later = bases[i + 1 :].reshape(-1, dimension)
        return _angles((bases[i] @ later.T).reshape(k, -1, k).transpose(0, 1))

    angles = bases.new_zeros((n_classes, n_classes, k))
    for i, found in enumerate(over_threads(with_later, range(n_classes - 1))):
        angles[i, i + 1 :] = angles[i + 1 :, i] = found
    return angles


def _angles(products: torch.Tensor) -> torch.Tensor:
    """Angles, largest first, from products (..., k, m) of two orthonormal bases."""
    if products.shape[-2] > products.shape[-1]:
        products = products.mT
    squared_cosines = torch.linalg.eigvalsh(products @ products.mT)
    return torch.arccos(squared_cosines.clamp(0, 1).sqrt())


_ANGLES: dict[str, Any] = {
    "room": "geometry",
    "range": (0.0, np.pi / 2),
    "invariant": ("rotation", "scale", "translation", "permutation"),
    "source": "Bjorck & Golub 1973",
    "unit": "radians",
}
_PAIRS: dict[str, Any] = {
    **_ANGLES,
    "needs": ("features", "labels"),
    "scopes": ("all",),
    "shape": "pairs",
}


@metric("class_angle_mean", title="mean angle between classes", **_PAIRS)
def class_angle_mean(features: Any, labels: Any) -> np.ndarray:
    """Mean principal angle between the subspaces of each pair of classes, (C, C)."""
    return class_angles(features, labels).angles.mean(-1)


@metric("class_angle_max", title="largest angle between classes", **_PAIRS)
def class_angle_max(features: Any, labels: Any) -> np.ndarray:
    """Largest principal angle between the subspaces of each pair of classes, (C, C)."""
    return class_angles(features, labels).angles[..., 0]


@metric("class_angle_min", title="smallest angle between classes", **_PAIRS)
def class_angle_min(features: Any, labels: Any) -> np.ndarray:
    """Smallest principal angle between the subspaces of each pair of classes, (C, C)."""
    return class_angles(features, labels).angles[..., -1]


@metric(
    "subspace_angle_to_clean",
    title="angle to the clean subspace",
    needs=("features", "clean"),
    better="lower",
    **_ANGLES,
)
def subspace_angle_to_clean(features: Any, clean: Any) -> float:
    """Mean principal angle between the leading principal directions of noisy and clean features.

    Takes 10 directions of each cloud, or as many as both span, and never more than D/2.
    NaN where a cloud is constant or a single sample.
    """
    pair = as_pair(features, clean)
    noisy_basis, clean_basis = (_basis(torch.from_numpy(points), center=True) for points in pair)
    k = min(MAX_COMPONENTS, max(1, pair[0].shape[1] // 2), len(noisy_basis), len(clean_basis))
    if k == 0:
        return float("nan")
    return float(_angles(noisy_basis[:k] @ clean_basis[:k].T).mean())
