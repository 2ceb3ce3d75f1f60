"""Angles between linear subspaces: between classes, and to clean.

A class spans the subspace of its leading principal directions. All pairs of classes are compared
at once: one orthonormal basis per class, one product of all bases, and the eigenvalues of the
small Gram matrices, which are the squared cosines.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
import torch

from tdafeat.checks import as_cloud, as_count, as_labels, as_pair
from tdafeat.devices import resolve_device
from tdafeat.geometry.bases import angles_of, basis_of, basis_of_scatter, leading_basis
from tdafeat.geometry.moments import Moments, check_left_out
from tdafeat.geometry.threads import over_threads
from tdafeat.sharing import rows_of, shared

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
        return _forced_zeros(self.n_components, self.n_features)

    @property
    def note(self) -> str:
        """What must stand beside the angles: k and D, and a warning where zeros are forced."""
        return note_on(self.n_components, self.n_features, "per class")


def _forced_zeros(k: int, dimension: int) -> int:
    return max(0, 2 * k - dimension)


def note_on(k: int, dimension: int, of_what: str) -> str:
    """What must stand beside angles: k and D, and a warning where 2k > D forces zeros.

    Examples
    --------
    >>> note_on(2, 3, "per class")
    '2 principal directions per class in 3 dimensions: at least 1 of the 2 angles are 0 whatever \
the data, because 2k > D'
    """
    text = f"{k} principal direction{'s' * (k > 1)} {of_what} in {dimension} dimensions"
    zeros = _forced_zeros(k, dimension)
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
    a : (n, D) samples, array-like or torch tensor, or `Moments` of such.
    b : (m, D) samples, or `Moments` of such.
    n_components : number of leading principal directions taken from each; None for all of them.
    center : subtract each one's mean first, so that directions of variation are compared.

    Returns
    -------
    (min(rank a, rank b),) float64, radians in [0, pi/2], largest first. Where both together span
    more than D directions, as many as are beyond D are 0 whatever the data. Angles closer to 0 or
    to pi/2 than about 1e-7 are not resolved.

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
    least = 1 if n_components is None else as_count(n_components, "n_components")
    clouds = [
        x if isinstance(x, Moments) else as_cloud(x, name) for x, name in ((a, "a"), (b, "b"))
    ]
    first, second = ((x.n, len(x.mean)) if isinstance(x, Moments) else x.shape for x in clouds)
    if first[1] != second[1]:
        raise ValueError(f"a and b must have equally many columns; got shapes {first} and {second}")
    bases = []
    for name, cloud in zip("ab", clouds, strict=True):
        if isinstance(cloud, Moments):
            basis = basis_of_scatter(cloud.scatter, cloud.n, cloud.mean, center, n_components)
        else:
            basis = basis_of(torch.from_numpy(cloud), center, n_components)
        if len(basis) < least:
            raise ValueError(f"{name} must span at least {least} directions; it spans {len(basis)}")
        bases.append(basis)
    return angles_of(bases[0] @ bases[1].T).numpy()


@shared
def class_angles(
    features: Any,
    labels: Any = None,
    n_components: int | Literal["full"] | None = None,
    center: bool = True,
    device: str = "cpu",
) -> ClassAngles:
    """Principal angles between the subspaces of all pairs of classes.

    Parameters
    ----------
    features : (n, D) array-like or torch tensor; or `Moments` with the scatters of the classes, in
        place of features and labels.
    labels : (n,) class of each row; at least two classes.
    n_components : k, the leading principal directions per class. None takes 10, or as many as the
        smallest class spans, and never more than D/2, above which some angles are 0 by necessity.
        ``"full"`` takes all that each class spans; two classes then have as many angles as the
        smaller subspace has dimensions, NaN after them, and k is the largest class's.
    center : subtract each class's mean first.
    device : of torch, on which to compute; ``"cuda"`` for the GPU, in float64 there too, or
        ``"auto"``, the GPU where there is one.

    Returns
    -------
    `ClassAngles`; a class that spans fewer than k directions has NaN angles.

    Raises
    ------
    ValueError with fewer than two classes, if no class spans a direction, or for a device that is
    not there.

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
    '1 principal direction per class in 4 dimensions'
    """
    classes, dimension, basis_of_class = _classes_to_span(features, labels, resolve_device(device))
    if len(classes) < 2:
        raise ValueError(f"labels must name at least two classes; got {len(classes)}")
    if n_components == "full":
        most = None
    elif n_components is None:
        most = _most(dimension)
    elif isinstance(n_components, str):
        raise ValueError(f"n_components must be a number or be 'full'; got {n_components!r}")
    else:
        most = _directions_in(dimension, n_components)
    bases = over_threads(lambda c: basis_of_class(c, center, most), range(len(classes)))
    ranks = np.array([len(basis) for basis in bases])
    if not ranks.any():
        raise ValueError("some class must span a direction; each is a single sample or constant")
    k = int(ranks[ranks > 0].min()) if n_components is None else most or int(ranks.max())

    angles = np.full((len(classes), len(classes), k), np.nan)
    spanning = np.flatnonzero(ranks >= (1 if n_components == "full" else k))
    if len(spanning):
        stack = bases[0].new_zeros((len(spanning), k, dimension))
        for own, i in zip(stack, spanning, strict=True):
            own[: ranks[i]] = bases[i][:k]
        between = _all_pairs(stack).cpu().numpy()
        # A direction that a class lacks is a row of zeros, at a right angle to all: these come
        # first, and are left out.
        lacking = k - np.minimum.outer(ranks[spanning], ranks[spanning]).clip(max=k)
        place = np.arange(k) + lacking[:, :, None]
        kept = np.take_along_axis(between, place.clip(max=k - 1), axis=2)
        angles[np.ix_(spanning, spanning)] = np.where(place < k, kept, np.nan)
    return ClassAngles(angles, classes, k, dimension)


def _classes_to_span(
    features: Any, labels: Any, device: torch.device
) -> tuple[np.ndarray, int, Callable[[int, bool, int | None], torch.Tensor]]:
    """Classes, D, and what finds the basis of the c-th class, centred or not, of so many rows."""
    if isinstance(features, Moments):
        check_left_out(labels, "labels")
        scatters = features.scatters
        if scatters is None:
            raise ValueError(
                "moments must keep the scatter of each class: Moments.of(..., scatters=True)"
            )

        def of_scatter(c: int, center: bool, most: int | None) -> torch.Tensor:
            own = scatters[c], int(features.counts[c]), features.means[c]
            return basis_of_scatter(*own, center, most).to(device)

        return features.classes, features.means.shape[1], of_scatter

    points = as_cloud(features)
    known = as_labels(labels, len(points))
    classes = np.unique(known)

    def of_rows(c: int, center: bool, most: int | None) -> torch.Tensor:
        own = rows_of(points, known, int(classes[c]))
        if center and most is not None and device.type == "cpu":
            return leading_basis(own, most)
        return basis_of(torch.from_numpy(own).to(device), center, most)

    return classes, points.shape[1], of_rows


@shared
def angles_to_clean(features: Any, clean: Any, n_components: int | None = None) -> np.ndarray:
    """Principal angles between the leading principal directions of noisy and clean features.

    Parameters
    ----------
    features, clean : (n, D), rows of the same images; both are centred. Or `Moments` of both.
    n_components : k of each cloud. None takes 10, or as many as both span, and never more than
        D/2, above which some angles are 0 by necessity.

    Returns
    -------
    (k,) float64, radians in [0, pi/2], largest first; empty where a cloud spans no direction, or
    fewer than `n_components`.

    Examples
    --------
    >>> clean = np.array([[1.0, 0, 0], [-1, 0, 0]])
    >>> angles_to_clean(clean @ np.roll(np.eye(3), 1, axis=0), clean).round(6)
    array([1.570796])
    """
    clouds = _pair_to_span(features, clean)
    dimension = clouds[0][0]
    most = _most(dimension) if n_components is None else _directions_in(dimension, n_components)
    noisy, original = (basis(most) for _, basis in clouds)
    spanned = min(len(noisy), len(original))
    k = n_components or spanned
    if k > spanned or k == 0:
        return np.empty(0)
    return angles_of(noisy[:k] @ original[:k].T).numpy()


def _pair_to_span(features: Any, clean: Any) -> list[tuple[int, Callable[[int], torch.Tensor]]]:
    """Of both clouds, D and what finds the basis of so many directions."""
    if not isinstance(features, Moments):
        return [(x.shape[1], partial(leading_basis, x)) for x in as_pair(features, clean)]
    if not isinstance(clean, Moments) or features.means.shape[1] != clean.means.shape[1]:
        raise ValueError("clean must be moments of as many columns, where features are moments")
    return [
        (len(m.mean), partial(basis_of_scatter, m.scatter, m.n, m.mean, True))
        for m in (features, clean)
    ]


def _most(dimension: int) -> int:
    """Directions that a cloud is given where the user does not say how many."""
    return min(MAX_COMPONENTS, max(1, dimension // 2))


def _directions_in(dimension: int, n_components: int) -> int:
    """So many directions, if that many there can be."""
    if as_count(n_components, "n_components") > dimension:
        raise ValueError(f"n_components must lie in 1..{dimension}; got {n_components}")
    return n_components


def _all_pairs(bases: torch.Tensor) -> torch.Tensor:
    """Angles between all of C orthonormal bases (C, k, D), as (C, C, k)."""
    n_classes, k, dimension = bases.shape

    def with_later(i: int) -> torch.Tensor:
        later = bases[i + 1 :].reshape(-1, dimension)
        return angles_of((bases[i] @ later.T).reshape(k, -1, k).transpose(0, 1))

    angles = bases.new_zeros((n_classes, n_classes, k))
    for i, found in enumerate(over_threads(with_later, range(n_classes - 1))):
        angles[i, i + 1 :] = angles[i + 1 :, i] = found
    return angles
