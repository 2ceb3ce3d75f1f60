"""Distances between the points of a cloud, exact to the float32 in which Rips engines work."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from tdafeat.checks import as_cloud
from tdafeat.directions import directions, unit_rows
from tdafeat.jobs import one_blas_thread
from tdafeat.record import Registry
from tdafeat.topology.lengths import OUT_OF_RANGE, within_float32
from tdafeat.topology.matrices import Precomputed
from tdafeat.topology.parallel import in_threads

_SIDE = 384  # of the square of distances that are taken at once: its temporary arrays stay in cache
_SQUARES = 10  # from so many on threads share them
_CHUNK = 1 << 16  # pairs whose distances are taken one by one at a time
_ALL = slice(None)

NO_TRIANGLE_INEQUALITY = ("cosine", "correlation")  # so no bound by stability holds


def _centred_directions(points: np.ndarray) -> np.ndarray:
    # A constant row is recognised before rounding in its mean can make it look like a direction.
    constant = np.ptp(points, axis=1) == 0
    if constant.any():
        row = int(constant.argmax())
        raise ValueError(f"X must vary within each row; row {row} is constant")
    return directions(points - points.mean(axis=1, keepdims=True))


class PointMetric(Protocol):
    """A way to measure the distances within a cloud."""

    def prepare(self, values: Any, n_threads: int = 1) -> Any:
        """Check the input and bring it into the form the other methods take; its len is n."""

    def block(self, prepared: Any, rows: np.ndarray | slice, columns: slice = _ALL) -> np.ndarray:
        """Distances of these points to those, float32 `(number of rows, number of columns)`."""

    def pairwise(self, prepared: Any, n_threads: int = 1) -> np.ndarray:
        """Distances of all pairs, float32 `(n, n)`, symmetric to the bit."""

    def from_point(self, prepared: Any, index: int) -> np.ndarray:
        """Distances from one point to all, `(n,)`."""

    def subset(self, prepared: Any, indices: np.ndarray) -> Any:
        """The same cloud with these points only."""


@dataclass(frozen=True)
class Cloud:
    """Points around their mean, `(n, d)` float64, and their squared norms."""

    points: np.ndarray
    norms: np.ndarray

    def __len__(self) -> int:
        return len(self.points)


@dataclass(frozen=True)
class Embedded:
    """A function `finish` of the squared Euclidean distance after the map `embed`.

    Every distance is that of the squares of the differences summed in float64, then rounded: the
    same bits for a pair wherever it is asked for. A matrix product gives nearly all of them, for
    its error is known, and where it matters to the float32 number the sum itself is taken.
    """

    finish: Callable[[np.ndarray], np.ndarray]
    embed: Callable[[np.ndarray], np.ndarray]

    def prepare(self, values: Any, n_threads: int = 1) -> Cloud:
        """Points of a Euclidean space."""
        points = within_float32(self.embed(as_cloud(values, "X")))
        points = points - points.mean(axis=0)  # the error grows with the norms
        return Cloud(points, np.einsum("ij,ij->i", points, points))

    def block(self, prepared: Cloud, rows: np.ndarray | slice, columns: slice = _ALL) -> np.ndarray:
        """Distances of these points to those."""
        points, others = prepared.points[rows], prepared.points[columns]
        slack = prepared.norms[rows, None] + prepared.norms[columns]
        squared = points @ others.T
        squared *= -2
        squared += slack
        # An inner product of d terms errs by d/2 epsilons of the product of the norms at most.
        slack += squared
        slack *= (points.shape[1] + 2) * np.finfo(np.float64).eps
        slack += np.finfo(np.float64).tiny
        distances = self._rounded(squared + slack)
        squared -= slack
        first, second = np.nonzero(self._rounded(squared) != distances)
        step = max(1, _CHUNK // points.shape[1])
        for start in range(0, len(first), step):
            i, j = first[start : start + step], second[start : start + step]
            difference = points[i] - others[j]
            distances[i, j] = self._rounded(np.einsum("ij,ij->i", difference, difference))
        return distances

    def pairwise(self, prepared: Cloud, n_threads: int = 1) -> np.ndarray:
        """Distances of all pairs, a square of them at a time."""
        n = len(prepared)
        distances = np.empty((n, n), np.float32)

        def fill(corner: tuple[int, int]) -> None:
            rows, columns = (slice(start, start + _SIDE) for start in corner)
            block = self.block(prepared, rows, columns)
            distances[rows, columns] = block
            if rows != columns:
                distances[columns, rows] = block.T

        starts = range(0, n, _SIDE)
        corners = list(itertools.combinations_with_replacement(starts, 2))
        if n_threads == 1 or len(corners) < _SQUARES:
            for corner in corners:
                fill(corner)
        else:
            with one_blas_thread():
                in_threads(fill, corners, n_threads)
        return distances

    def _rounded(self, squared: np.ndarray) -> np.ndarray:
        with np.errstate(over="ignore"):  # refused below
            distances = self.finish(np.maximum(squared, 0)).astype(np.float32)
        if np.isinf(distances).any():
            raise ValueError(OUT_OF_RANGE)
        return distances

    def from_point(self, prepared: Cloud, index: int) -> np.ndarray:
        """Distances from one point to all."""
        difference = prepared.points - prepared.points[index]
        return self.finish(np.einsum("ij,ij->i", difference, difference))

    def subset(self, prepared: Cloud, indices: np.ndarray) -> Cloud:
        """These points."""
        return Cloud(prepared.points[indices], prepared.norms[indices])


point_metrics: Registry[PointMetric] = Registry("metric", "tdafeat.point_metrics")
point_metrics.add("euclidean", Embedded(np.sqrt, embed=lambda points: points))
# 1 - cos is half the squared chord, which keeps the digits that 1 - <u, v> would cancel.
point_metrics.add(
    "cosine", Embedded(lambda squared: squared / 2, embed=lambda points: unit_rows(points, "X"))
)
point_metrics.add("correlation", Embedded(lambda squared: squared / 2, embed=_centred_directions))
point_metrics.add("precomputed", Precomputed())
