"""Distances between the points of a cloud, exact to the float32 in which Rips engines work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from tdafeat.checks import as_array, as_cloud
from tdafeat.record import Registry

# |x|^2 + |y|^2 - 2 <x, y> loses as many digits as its value is smaller than the norms. Below this
# ratio the difference is taken first, so that every distance keeps a relative error under 1e-8.
_CANCELLATION = 1e-6
_BLOCK = 1 << 22  # entries of a temporary array


def squared_distances(points: np.ndarray) -> np.ndarray:
    """Squared Euclidean distances of all pairs, `(n, n)`: one matrix product, then repairs."""
    centred = points - np.median(points, axis=0)
    norms = np.einsum("ij,ij->i", centred, centred)
    sums = norms[:, None] + norms[None]
    squared = centred @ centred.T
    squared *= -2
    squared += sums
    first, second = np.nonzero(np.triu(squared <= _CANCELLATION * sums, k=1))
    rows = max(1, _BLOCK // points.shape[1])
    for start in range(0, len(first), rows):
        i, j = first[start : start + rows], second[start : start + rows]
        difference = points[i] - points[j]
        squared[i, j] = squared[j, i] = np.einsum("ij,ij->i", difference, difference)
    np.fill_diagonal(squared, 0.0)
    return squared


def within_float32(values: np.ndarray) -> np.ndarray:
    """The same values, refused where float32 would overflow."""
    if abs(values).max() > np.finfo(np.float32).max:
        raise ValueError("X reaches beyond the range of float32 (3.4e38); rescale it")
    return values


def _unit_rows(points: np.ndarray, what: str) -> np.ndarray:
    norms = np.linalg.norm(points, axis=1, keepdims=True)
    if not norms.all():
        row = int(np.flatnonzero(norms == 0)[0])
        raise ValueError(f"X has {what} in row {row}, where this metric is not defined")
    return points / norms


def _directions(points: np.ndarray) -> np.ndarray:
    return _unit_rows(points, "a zero vector")


def _centred_directions(points: np.ndarray) -> np.ndarray:
    # A constant row is recognised before rounding in its mean can make it look like a direction.
    constant = np.ptp(points, axis=1, keepdims=True) == 0
    centred = np.where(constant, 0.0, points - points.mean(axis=1, keepdims=True))
    return _unit_rows(centred, "a constant vector")


class PointMetric(Protocol):
    """A way to measure the distances within a cloud."""

    def prepare(self, values: Any) -> np.ndarray:
        """Check the input and bring it into the form the other methods take, one row a point."""

    def pairwise(self, prepared: np.ndarray) -> np.ndarray:
        """Distances of all pairs, `(n, n)`."""

    def from_point(self, prepared: np.ndarray, index: int) -> np.ndarray:
        """Distances from one point to all, `(n,)`."""

    def subset(self, prepared: np.ndarray, indices: np.ndarray) -> np.ndarray:
        """The same cloud with these points only."""


@dataclass(frozen=True)
class Embedded:
    """A function `finish` of the squared Euclidean distance after the map `embed`."""

    finish: Callable[[np.ndarray], np.ndarray]
    embed: Callable[[np.ndarray], np.ndarray]

    def prepare(self, values: Any) -> np.ndarray:
        """Points of a Euclidean space."""
        return self.embed(within_float32(as_cloud(values, "X")))

    def pairwise(self, prepared: np.ndarray) -> np.ndarray:
        """Distances of all pairs."""
        return self.finish(squared_distances(prepared))

    def from_point(self, prepared: np.ndarray, index: int) -> np.ndarray:
        """Distances from one point to all."""
        difference = prepared - prepared[index]
        return self.finish(np.einsum("ij,ij->i", difference, difference))

    def subset(self, prepared: np.ndarray, indices: np.ndarray) -> np.ndarray:
        """These rows."""
        return prepared[indices]


class Precomputed:
    """A distance matrix brought by the caller; the triangle inequality is not asked for."""

    def prepare(self, values: Any) -> np.ndarray:
        """Check that the matrix is square, finite, symmetric, non-negative, its diagonal zero."""
        matrix = as_array(values, "X", 2)
        if matrix.dtype.kind != "f":
            matrix = matrix.astype(np.float64)
        if matrix.shape[0] != matrix.shape[1] or matrix.shape[0] == 0:
            raise ValueError(f"X must be a square distance matrix; got shape {matrix.shape}")
        for fault, where in (
            ("hold finite distances (leave edges out by `thresh`)", ~np.isfinite(matrix)),
            ("hold distances, none negative", matrix < 0),
            ("have a zero diagonal", np.diag(np.diagonal(matrix) != 0)),
            ("be symmetric to float32", _asymmetric(matrix)),
        ):
            if where.any():
                i, j = map(int, np.argwhere(where)[0])
                raise ValueError(f"X must {fault}; entry ({i}, {j}) is {matrix[i, j]}")
        return matrix

    def pairwise(self, prepared: np.ndarray) -> np.ndarray:
        """The matrix itself."""
        return prepared

    def from_point(self, prepared: np.ndarray, index: int) -> np.ndarray:
        """One row of the matrix."""
        return prepared[index]

    def subset(self, prepared: np.ndarray, indices: np.ndarray) -> np.ndarray:
        """These rows and columns."""
        return prepared[np.ix_(indices, indices)]


def _asymmetric(matrix: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore"):  # inf - inf, which the finiteness check has refused
        return abs(matrix - matrix.T) > 1e-6 * np.maximum(abs(matrix), abs(matrix.T))


point_metrics: Registry[PointMetric] = Registry("metric", "tdafeat.point_metrics")
point_metrics.add("euclidean", Embedded(np.sqrt, embed=lambda points: points))
# 1 - cos is half the squared chord, which keeps the digits that 1 - <u, v> would cancel.
point_metrics.add("cosine", Embedded(lambda squared: squared / 2, embed=_directions))
point_metrics.add("correlation", Embedded(lambda squared: squared / 2, embed=_centred_directions))
point_metrics.add("precomputed", Precomputed())
