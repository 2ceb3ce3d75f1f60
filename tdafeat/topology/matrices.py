"""Distance matrices that the caller brings, checked before anything is computed from them."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from tdafeat.checks import as_numbers
from tdafeat.topology.lengths import MOST, OUT_OF_RANGE, check_largest, within_float32
from tdafeat.topology.parallel import in_threads

_BLOCK = 1 << 20  # entries looked at together
_FEW = 500  # points up to which numpy has copied a matrix before a kernel is loaded
_ALL = slice(None)


class Precomputed:
    """A distance matrix brought by the caller; the triangle inequality is not asked for."""

    def prepare(self, values: Any, n_threads: int = 1) -> np.ndarray:
        """A float32 copy, the larger of both entries of each pair, of a matrix that is checked.

        It must be square, finite, symmetric, non-negative, and zero on its diagonal.
        """
        matrix = as_numbers(values, "X")
        if matrix.dtype.kind != "f":
            matrix = matrix.astype(np.float64)
        _check_square(matrix.shape)
        distances = np.empty(matrix.shape, np.float32)
        if len(matrix) > _FEW and self._copied(matrix, distances, n_threads):
            return distances
        step, largest = max(1, _BLOCK // len(matrix)), 0.0
        for start in range(0, len(matrix), step):
            stop = start + step
            upper, lower = matrix[start:stop, start:], matrix[start:, start:stop].T
            parts = (upper,) if np.array_equal(upper, lower) else (upper, lower)
            if np.diagonal(upper).any() or not all(
                0 <= part.min() <= part.max() <= MOST for part in parts
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
        missing = "a scipy.sparse matrix leaves edges out"
        for fault, where, hint in (
            ("hold finite distances", ~np.isfinite(matrix), missing),
            ("hold distances, none negative", matrix < 0, "X.clip(0) mends what is rounding"),
            (
                "have a zero diagonal",
                np.diag(np.diagonal(matrix) != 0),
                "np.fill_diagonal(X, 0) mends what is rounding",
            ),
            ("be symmetric to float32", gap, ""),
        ):
            if where.any():
                i, j = map(int, np.argwhere(where)[0])
                hint = hint or f"entry ({j}, {i}) is {matrix[j, i]}"
                raise ValueError(f"X must {fault}; entry ({i}, {j}) is {matrix[i, j]}: {hint}")
        raise ValueError(OUT_OF_RANGE)

    def block(
        self, prepared: np.ndarray, rows: np.ndarray | slice, columns: slice = _ALL
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


def _check_square(shape: tuple[int, ...]) -> None:
    if len(shape) != 2 or shape[0] != shape[1] or shape[0] == 0:
        hint = ": scipy.spatial.distance.squareform makes one of a list" if len(shape) == 1 else ""
        raise ValueError(f"X must be a square distance matrix; got shape {shape}{hint}")


def warn_of_distances(values: Any) -> None:
    """Warn of a cloud that looks like a distance matrix.

    Examples
    --------
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     warn_of_distances(np.array([[0.0, 1.0], [1.0, 0.0]]))
    >>> len(caught)
    1
    """
    n, *others = getattr(values, "shape", None) or [0]
    if others != [n]:
        return
    matrix = as_numbers(values, "X")
    if (
        not np.diagonal(matrix).any()
        and matrix.any()
        and (matrix >= 0).all()
        and np.array_equal(matrix, matrix.T)
    ):
        warnings.warn(
            "X looks like a distance matrix and is taken as a cloud: "
            "pass metric='precomputed' if it holds distances",
            stacklevel=3,
        )


def as_sparse_distances(matrix: Any) -> Any:
    """A sparse distance matrix in coordinates, float32, or a clear error."""
    _check_square(matrix.shape)
    if matrix.dtype.kind not in "biuf":
        raise TypeError(f"X must hold real numbers; got dtype {matrix.dtype}")
    rows = matrix.tocsr().astype(np.float64)  # which sums what is given twice
    rows.sort_indices()
    columns = rows.T.tocsr()
    columns.sort_indices()
    if (rows.indptr != columns.indptr).any() or (rows.indices != columns.indices).any():
        raise ValueError("X must be symmetric: an entry (i, j) is given without (j, i)")
    lengths, mirrored = rows.data, columns.data
    row_of = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
    with np.errstate(invalid="ignore"):  # inf - inf, refused before asymmetry is looked at
        gap = abs(lengths - mirrored) > 1e-6 * np.maximum(lengths, mirrored)
    for fault, where in (
        ("hold finite distances, none negative", ~(np.isfinite(lengths) & (lengths >= 0))),
        ("have a zero diagonal", (row_of == rows.indices) & (lengths != 0)),
        ("be symmetric to float32", gap),
    ):
        if where.any():
            k = int(where.argmax())
            raise ValueError(
                f"X must {fault}; entry ({row_of[k]}, {rows.indices[k]}) is {lengths[k]}"
            )
    rows.data = within_float32(np.maximum(lengths, mirrored)).astype(np.float32)
    return rows.tocoo()
