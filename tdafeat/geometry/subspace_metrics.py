"""The angles and distances between subspaces that a study measures, each with its record."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tdafeat.geometry.subspace_distances import (
    chordal_distance,
    grassmann_distance,
    projection_distance,
)
from tdafeat.geometry.subspaces import MAX_COMPONENTS, angles_to_clean, class_angles, note_on
from tdafeat.record import metric

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
    "note": lambda features, labels: class_angles(features, labels).note,
}
_GRASSMANN: dict[str, Any] = {
    "source": "Ye & Lim 2016",
    "range": (0.0, MAX_COMPONENTS**0.5 * np.pi / 2),
}
_CHORDAL: dict[str, Any] = {
    "source": "Ye & Lim 2016",
    "range": (0.0, MAX_COMPONENTS**0.5),
    "unit": "",
}
_PROJECTION: dict[str, Any] = _CHORDAL | {"range": (0.0, 1.0)}


@metric("class_angle_mean", title="mean angle between classes", **_PAIRS)
def class_angle_mean(features: Any, labels: Any = None) -> np.ndarray:
    """Mean principal angle between the subspaces of each pair of classes.

    (C, C), in radians, 0 to pi/2; shapes and errors are those of `class_angles`.

    Examples
    --------
    >>> crossed = [[1.0, 0, 0, 0], [-1, 0, 0, 0], [0, 1, 0, 0], [0, -1, 0, 0]]
    >>> class_angle_mean(crossed, [0, 0, 1, 1]).round(4)
    array([[0.    , 1.5708],
           [1.5708, 0.    ]])
    """
    return class_angles(features, labels).angles.mean(-1)


@metric("class_angle_max", title="largest angle between classes", **_PAIRS)
def class_angle_max(features: Any, labels: Any = None) -> np.ndarray:
    """Largest principal angle between the subspaces of each pair of classes.

    (C, C), in radians, 0 to pi/2; shapes and errors are those of `class_angles`.

    Examples
    --------
    >>> crossed = [[1.0, 0, 0, 0], [-1, 0, 0, 0], [0, 1, 0, 0], [0, -1, 0, 0]]
    >>> class_angle_max(crossed, [0, 0, 1, 1]).round(4)
    array([[0.    , 1.5708],
           [1.5708, 0.    ]])
    """
    return class_angles(features, labels).angles[..., 0]


@metric("class_angle_min", title="smallest angle between classes", **_PAIRS)
def class_angle_min(features: Any, labels: Any = None) -> np.ndarray:
    """Smallest principal angle between the subspaces of each pair of classes.

    (C, C), in radians, 0 to pi/2; shapes and errors are those of `class_angles`.

    Examples
    --------
    >>> crossed = [[1.0, 0, 0, 0], [-1, 0, 0, 0], [0, 1, 0, 0], [0, -1, 0, 0]]
    >>> class_angle_min(crossed, [0, 0, 1, 1]).round(4)
    array([[0.    , 1.5708],
           [1.5708, 0.    ]])
    """
    return class_angles(features, labels).angles[..., -1]


@metric("class_grassmann", title="Grassmann distance between classes", **(_PAIRS | _GRASSMANN))
def _class_grassmann(features: Any, labels: Any) -> np.ndarray:
    """Grassmann distance between the subspaces of each pair of classes."""
    return grassmann_distance(class_angles(features, labels).angles)


@metric("class_chordal", title="chordal distance between classes", **(_PAIRS | _CHORDAL))
def _class_chordal(features: Any, labels: Any) -> np.ndarray:
    """Chordal distance between the subspaces of each pair of classes."""
    return chordal_distance(class_angles(features, labels).angles)


@metric("class_projection", title="projection distance between classes", **(_PAIRS | _PROJECTION))
def _class_projection(features: Any, labels: Any) -> np.ndarray:
    """Projection distance between the subspaces of each pair of classes."""
    return projection_distance(class_angles(features, labels).angles)


_TO_CLEAN: dict[str, Any] = {
    **_ANGLES,
    "needs": ("features", "clean"),
    "better": "lower",
    "note": lambda features, clean: note_on(
        len(angles_to_clean(features, clean)), np.shape(features)[1], "of each cloud"
    ),
}


@metric("subspace_angle_to_clean", title="angle to the clean subspace", **_TO_CLEAN)
def subspace_angle_to_clean(features: Any, clean: Any) -> float:
    """Mean principal angle between the leading principal directions of noisy and clean features.

    Takes 10 directions of each cloud, or as many as both span, and never more than D/2.
    NaN where a cloud is constant or a single sample. In radians, 0 to pi/2.

    Examples
    --------
    >>> round(subspace_angle_to_clean([[1.0, 0], [-1, 0]], [[0, 1.0], [0, -1]]), 4)
    1.5708
    """
    angles = angles_to_clean(features, clean)
    return float(angles.mean()) if len(angles) else float("nan")


def _register_to_clean(
    name: str, title: str, distance: Callable[[Any], np.ndarray], record: dict[str, Any]
) -> None:
    """A metric that is a distance between the clean and the noisy subspace."""

    def measure(features: Any, clean: Any) -> float:
        angles = angles_to_clean(features, clean)
        return float(distance(angles)) if len(angles) else float("nan")

    measure.__doc__ = f"{title[0].upper()}{title[1:]}, of 10 principal directions or fewer."
    metric(name, title=title, **(_TO_CLEAN | record))(measure)


_register_to_clean(
    "subspace_grassmann_to_clean",
    "Grassmann distance to the clean subspace",
    grassmann_distance,
    _GRASSMANN,
)
_register_to_clean(
    "subspace_chordal_to_clean",
    "chordal distance to the clean subspace",
    chordal_distance,
    _CHORDAL,
)
_register_to_clean(
    "subspace_projection_to_clean",
    "projection distance to the clean subspace",
    projection_distance,
    _PROJECTION,
)
