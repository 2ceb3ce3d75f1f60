import warnings

import numpy as np
import pytest
import torch
from scipy import sparse
from scipy.spatial.distance import pdist, squareform

from tdafeat.topology import persistence
from tdafeat.topology.matrices import Precomputed, as_sparse_distances


def test_precomputed_matrices_pass_as_they_are():
    matrix = squareform(pdist(np.random.default_rng(2).normal(size=(5, 2))))
    metric = Precomputed()
    prepared = metric.prepare(matrix)
    assert (metric.pairwise(prepared) == matrix.astype(np.float32)).all()
    assert (metric.from_point(prepared, 2) == matrix[2].astype(np.float32)).all()


@pytest.mark.parametrize("n", [1001, 1024])  # with a part of a tile left over, and none
@pytest.mark.parametrize("n_threads", [1, 3])
def test_large_matrices_are_copied_and_checked_by_tiles(n, n_threads):
    matrix = squareform(pdist(np.random.default_rng(4).normal(size=(n, 2))))
    prepare = Precomputed().prepare
    for values in (
        matrix,
        matrix.astype(np.float32),
        np.asfortranarray(matrix),
        matrix[::-1, ::-1],
    ):
        copy = prepare(values, n_threads)
        np.testing.assert_array_equal(copy, np.asarray(values, np.float32))
        assert copy is not values
    nearly = matrix.copy()
    nearly[n - 1, 3] *= 1 + 1e-7  # symmetric to float32: the larger of both is taken
    np.testing.assert_array_equal(
        prepare(nearly, n_threads), np.float32(np.maximum(nearly, nearly.T))
    )
    for (i, j), value, message in (
        ((n - 1, 2), 9.0, r"symmetric to float32; entry \(2, "),
        ((300, 300), 1.0, r"zero diagonal; entry \(300, 300\) is 1"),
        ((70, 5), np.nan, r"finite distances; entry \(70, 5\) is nan"),
        ((5, 70), -1.0, r"none negative; entry \(5, 70\) is -1"),
    ):
        wrong = matrix.copy()
        wrong[i, j] = value
        with pytest.raises(ValueError, match=message):
            prepare(wrong, n_threads)
    with pytest.raises(ValueError, match="beyond the range of float32"):
        prepare(matrix * 1e39, n_threads)
    nearest = matrix.copy()
    nearest[2, 5] = nearest[5, 2] = 1e-40  # fewer digits, which beside the others is rounding
    np.testing.assert_array_equal(prepare(nearest, n_threads), np.float32(nearest))
    with pytest.raises(ValueError, match="beyond the range of float32"):
        prepare(matrix * 1e-50, n_threads)


@pytest.mark.parametrize("kind", ["bool", "uint8", "int64", "float32"])
def test_matrices_of_any_real_kind(kind):
    matrix = (1 - np.eye(3)).astype(kind)
    prepared = Precomputed().prepare(matrix)
    assert prepared.dtype == np.float32
    assert (prepared == 1 - np.eye(3)).all()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([[0, 1, 2], [1, 0, 2]], r"square distance matrix; got shape \(2, 3\)"),
        (np.empty((0, 0)), "square distance matrix"),
        ([1.0, 2.0, 3.0], r"got shape \(3,\): scipy.spatial.distance.squareform makes one"),
        ([[0, 1, 5], [1, 0, 2], [1, 2, 0]], r"entry \(0, 2\) is 5.0: entry \(2, 0\) is 1.0"),
        ([[1e-9, 1], [1, 0]], "fill_diagonal.X, 0. mends what is rounding"),
        ([[0, 1], [2, 0]], r"symmetric to float32; entry \(0, 1\) is 1"),
        ([[0, -1], [-1, 0]], r"none negative; entry \(0, 1\) is -1"),
        ([[0, np.nan], [np.nan, 0]], r"finite distances; entry \(0, 1\) is nan"),
        ([[0, np.inf], [np.inf, 0]], r"finite distances; entry \(0, 1\) is inf"),
        ([[0, 1e-45], [1e-45, 0]], r"range of float32 \(1e-30 to 3.4e\+38\)"),
        ([[0, 1], [1, 0.5]], r"zero diagonal; entry \(1, 1\) is 0.5"),
    ],
)
def test_bad_input(values, message):
    with pytest.raises(ValueError, match=message):
        Precomputed().prepare(values)


def test_what_looks_like_distances_and_is_taken_as_points():
    points = np.random.default_rng(0).normal(size=(6, 2))
    distances = squareform(pdist(points))
    for values in (distances, torch.tensor(distances), distances.astype(np.float32)):
        with pytest.warns(UserWarning, match="pass metric='precomputed' if it holds distances"):
            persistence(values)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        persistence(distances, metric="precomputed")
        for cloud in (points, points @ points.T, points[:2], distances[:, ::-1], np.zeros((3, 3))):
            persistence(cloud)


def test_sparse_distances_are_checked():
    good = sparse.coo_matrix(([1.0, 1.0, 0.0, 0.0], ([0, 1, 1, 2], [1, 0, 2, 1])), (3, 3))
    assert as_sparse_distances(good).nnz == 4  # zeros that are given are distances
    for values, rows, columns, message in (
        ([1.0], [0], [1], r"entry \(i, j\) is given without \(j, i\)"),
        ([1.0, 2.0], [0, 1], [1, 0], "symmetric to float32"),
        ([-1.0, -1.0], [0, 1], [1, 0], "none negative"),
        ([np.nan, np.nan], [0, 1], [1, 0], r"finite distances, .* entry \(0, 1\) is nan"),
        ([1.0], [2], [2], r"zero diagonal; entry \(2, 2\) is 1.0"),
    ):
        with pytest.raises(ValueError, match=message):
            as_sparse_distances(sparse.coo_matrix((values, (rows, columns)), (3, 3)))
    with pytest.raises(ValueError, match="square"):
        as_sparse_distances(sparse.coo_matrix((2, 3)))
