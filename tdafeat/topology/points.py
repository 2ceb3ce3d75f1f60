"""Distances between the points of a cloud, exact to the float32 in which Rips engines work."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from tdafeat.checks import as_array, as_cloud
from tdafeat.directions import directions, unit_rows
from tdafeat.jobs import one_blas_thread
from tdafeat.record import Registry
from tdafeat.topology.parallel import in_threads

_BLOCK = 1 << 20  # entries of a temporary array
_SIDE = 384  # of the square of distances that are taken at once: its temporary arrays stay in cache
_SQUARES = 10  # from so many on threads share them
_CHUNK = 1 << 16  # pairs whose distances are taken one by one at a time
_FEW = 500  # points up to which numpy has copied a matrix before a kernel is loaded
ALL = slice(None)

NO_TRIANGLE_INEQUALITY = ("cosine", "correlation")  # so no bound by stability holds
# Beside a length of 1e-30, one that float32 holds with fewer digits is rounding.
_LEAST, _MOST = 1e-30, float(np.finfo(np.float32).max)
OUT_OF_RANGE = f"X lies beyond the range of float32 ({_LEAST:g} to {_MOST:.2g}); rescale it"


def within_float32(values: np.ndarray) -> np.ndarray:
    """The same values, refused where the largest would overflow in float32, or vanish."""
    check_largest(max(values.max(), -values.min()) if values.size else 0.0)
    return values


def check_largest(length: float) -> None:
    """Refuse a cloud whose largest length float32 does not hold."""
    if length != 0 and not _LEAST <= length <= _MOST:
        raise ValueError(OUT_OF_RANGE)


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

    def block(self, prepared: Any, rows: np.ndarray | slice, columns: slice = ALL) -> np.ndarray:
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

    def block(self, prepared: Cloud, rows: np.ndarray | slice, columns: slice = ALL) -> np.ndarray:
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


class Precomputed:
    """A distance matrix brought by the caller; the triangle inequality is not asked for."""

    def prepare(self, values: Any, n_threads: int = 1) -> np.ndarray:
        """A float32 copy, the larger of both entries of each pair, of a matrix that is checked.

        It must be square, finite, symmetric, non-negative, and zero on its diagonal.
        """
        matrix = as_array(values, "X", 2)
        if matrix.dtype.kind != "f":
            matrix = matrix.astype(np.float64)
        if matrix.shape[0] != matrix.shape[1] or matrix.shape[0] == 0:
            raise ValueError(f"X must be a square distance matrix; got shape {matrix.shape}")
        distances = np.empty(matrix.shape, np.float32)
        if len(matrix) > _FEW and self._copied(matrix, distances, n_threads):
            return distances
        step, largest = max(1, _BLOCK // len(matrix)), 0.0
        for start in range(0, len(matrix), step):
            stop = start + step
            upper, lower = matrix[start:stop, start:], matrix[start:, start:stop].T
            parts = (upper,) if np.array_equal(upper, lower) else (upper, lower)
            if np.diagonal(upper).any() or not all(
                0 <= part.min() <= part.max() <= _MOST for part in parts
            ):
                self._refuse(matrix)
            if len(parts) == 2:
                if (abs(upper - lower) > 1e-6 * np.maximum(*parts)).any():
                    self._refuse(matrix)
                upper = np.maximum(*parts)
            largest = max(largest, float(upper.max()))
            distances[start:stop, start:] = upper
            distances[stop:, start:stop] = upper[:, step:].T
        if matrix.dtype.itemsize > distances.itemsize:  # else nothing is lost
            check_largest(largest)
        return distances

    def _copied(self, matrix: np.ndarray, distances: np.ndarray, n_threads: int) -> bool:
        """Whether a kernel could copy the matrix, which is then symmetric to the bit.

        Where a length is so short that float32 has fewer digits for it, the kernel does not.
        """
        if matrix.dtype not in (np.float32, np.float64):
            return False
        from tdafeat.topology.copying import copy_distances

        def copied(first: int) -> bool:
            return copy_distances(matrix, distances, first, n_threads)

        return all(in_threads(copied, range(n_threads), n_threads))

    def _refuse(self, matrix: np.ndarray) -> None:
        """Say what is wrong, and where first."""
        with np.errstate(invalid="ignore"):  # inf - inf, refused before asymmetry is looked at
            gap = abs(matrix - matrix.T) > 1e-6 * np.maximum(abs(matrix), abs(matrix.T))
        for fault, where in (
            ("hold finite distances (leave edges out by `thresh`)", ~np.isfinite(matrix)),
            ("hold distances, none negative", matrix < 0),
            ("have a zero diagonal", np.diag(np.diagonal(matrix) != 0)),
            ("be symmetric to float32", gap),
        ):
            if where.any():
                i, j = map(int, np.argwhere(where)[0])
                raise ValueError(f"X must {fault}; entry ({i}, {j}) is {matrix[i, j]}")
        raise ValueError(OUT_OF_RANGE)

    def block(
        self, prepared: np.ndarray, rows: np.ndarray | slice, columns: slice = ALL
    ) -> np.ndarray:
        """These rows and columns."""
        return prepared[rows, columns]

    def pairwise(self, prepared: np.ndarray, n_threads: int = 1) -> np.ndarray:
        """The copy that was made of the matrix."""
        return prepared

    def from_point(self, prepared: np.ndarray, index: int) -> np.ndarray:
        """One row of the matrix."""
        return prepared[index]

    def subset(self, prepared: np.ndarray, indices: np.ndarray) -> np.ndarray:
        """These rows and columns."""
        return prepared[np.ix_(indices, indices)]


def as_sparse_distances(matrix: Any) -> Any:
    """A sparse distance matrix in coordinates, float32, or a clear error."""
    if matrix.shape[0] != matrix.shape[1] or matrix.shape[0] == 0:
        raise ValueError(f"X must be a square distance matrix; got shape {matrix.shape}")
    if matrix.dtype.kind not in "biuf":
        raise TypeError(f"X must hold real numbers; got dtype {matrix.dtype}")
    rows = matrix.tocsr().astype(np.float64)  # which sums what is given twice
    rows.sort_indices()
    columns = rows.T.tocsr()
    columns.sort_indices()
    if (rows.indptr != columns.indptr).any() or (rows.indices != columns.indices).any():
        raise ValueError("X must be symmetric: an entry (i, j) is given without (j, i)")
    if not (np.isfinite(rows.data) & (rows.data >= 0)).all():
        raise ValueError("X must hold finite distances, none negative")
    if rows.diagonal().any():
        raise ValueError("X must have a zero diagonal")
    if (abs(rows.data - columns.data) > 1e-6 * np.maximum(rows.data, columns.data)).any():
        raise ValueError("X must be symmetric to float32")
    rows.data = within_float32(np.maximum(rows.data, columns.data)).astype(np.float32)
    return rows.tocoo()


point_metrics: Registry[PointMetric] = Registry("metric", "tdafeat.point_metrics")
point_metrics.add("euclidean", Embedded(np.sqrt, embed=lambda points: points))
# 1 - cos is half the squared chord, which keeps the digits that 1 - <u, v> would cancel.
point_metrics.add(
    "cosine", Embedded(lambda squared: squared / 2, embed=lambda points: unit_rows(points, "X"))
)
point_metrics.add("correlation", Embedded(lambda squared: squared / 2, embed=_centred_directions))
point_metrics.add("precomputed", Precomputed())
