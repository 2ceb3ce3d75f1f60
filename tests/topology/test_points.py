from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.spatial.distance import pdist, squareform

from tdafeat.topology.points import as_sparse_distances, point_metrics


def naive(points):
    return np.sqrt(((points[:, None] - points[None]) ** 2).sum(-1))


def euclidean(points):
    metric = point_metrics["euclidean"]
    return metric.pairwise(metric.prepare(points))


@settings(deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(1, 30),
    spread=st.sampled_from([1.0, 1e-3, 1e-7]),
    offset=st.sampled_from([0.0, 1.0, 1e4]),
)
def test_euclidean_as_exact_as_float32_however_near_the_points(seed, n, spread, offset):
    rng = np.random.default_rng(seed)
    points = offset + spread * rng.normal(size=(n, 5))
    points[n // 2 :] += 100 * spread  # two clusters: the mean sits in neither
    # Centring alone costs digits: as many as the offset has more than the spread.
    tolerance = 6e-8 + 1e-15 * offset / spread
    np.testing.assert_allclose(euclidean(points), naive(points), rtol=tolerance)


def test_every_distance_is_the_same_wherever_it_is_asked_for():
    points = np.random.default_rng(3).normal(size=(1600, 8))  # squares enough to be shared
    points[:500] *= 1e-6  # where a matrix product alone has few digits left
    metric = point_metrics["euclidean"]
    prepared = metric.prepare(points)
    matrix = metric.pairwise(prepared)
    difference = prepared.points[:, None] - prepared.points
    summed = np.sqrt(np.einsum("ijk,ijk->ij", difference, difference)).astype(np.float32)
    np.testing.assert_array_equal(matrix, summed)
    np.testing.assert_array_equal(matrix, metric.pairwise(prepared, n_threads=2))
    rows = np.array([7, 250, 3])
    np.testing.assert_array_equal(metric.block(prepared, rows, slice(40, None)), matrix[rows, 40:])


def test_matrix_products_have_their_threads_again_afterwards():
    from threadpoolctl import threadpool_info

    def threads():
        return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]

    metric = point_metrics["euclidean"]
    prepared = metric.prepare(np.random.default_rng(0).normal(size=(1600, 3)))
    before = threads()
    with ThreadPoolExecutor(4) as pool:  # several at once
        list(pool.map(lambda _: metric.pairwise(prepared, n_threads=2), range(6)))
    assert threads() == before


def test_duplicates_are_at_distance_exactly_zero():
    points = np.random.default_rng(0).normal(size=(6, 512))[[0, 1, 0, 2, 1, 0]]
    distances = euclidean(points)
    assert distances[0, 2] == distances[0, 5] == distances[1, 4] == 0
    assert (distances == distances.T).all()
    assert (distances >= 0).all()


@pytest.mark.parametrize("name", ["euclidean", "cosine", "correlation"])
def test_agrees_with_scipy_and_row_with_matrix(name):
    points = np.random.default_rng(1).normal(size=(40, 7))
    metric = point_metrics[name]
    prepared = metric.prepare(points)
    matrix = metric.pairwise(prepared)
    np.testing.assert_allclose(matrix, squareform(pdist(points, name)), rtol=1e-7)
    np.testing.assert_allclose(metric.from_point(prepared, 3), matrix[3], rtol=1e-7)
    chosen = np.array([5, 2, 9])
    few = metric.pairwise(metric.subset(prepared, chosen))
    np.testing.assert_array_equal(few, matrix[np.ix_(chosen, chosen)])


def test_nearly_parallel_vectors_keep_their_digits():
    angle = 1e-6
    points = np.array([[1, 0], [np.cos(angle), np.sin(angle)]])
    metric = point_metrics["cosine"]
    value = metric.pairwise(metric.prepare(points))[0, 1]
    assert value == pytest.approx(2 * np.sin(angle / 2) ** 2, rel=1e-6)  # 1 - cos, by half angle


def test_precomputed_matrices_pass_as_they_are():
    matrix = squareform(pdist(np.random.default_rng(2).normal(size=(5, 2))))
    metric = point_metrics["precomputed"]
    prepared = metric.prepare(matrix)
    assert (metric.pairwise(prepared) == matrix.astype(np.float32)).all()
    assert (metric.from_point(prepared, 2) == matrix[2].astype(np.float32)).all()


@pytest.mark.parametrize("n", [1001, 1024])  # with a part of a tile left over, and none
@pytest.mark.parametrize("n_threads", [1, 3])
def test_large_matrices_are_copied_and_checked_by_tiles(n, n_threads):
    matrix = squareform(pdist(np.random.default_rng(4).normal(size=(n, 2))))
    prepare = point_metrics["precomputed"].prepare
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
        ((70, 5), np.nan, r"finite distances .* entry \(70, 5\) is nan"),
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
    prepared = point_metrics["precomputed"].prepare(matrix)
    assert prepared.dtype == np.float32
    assert (prepared == 1 - np.eye(3)).all()


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("cosine", [[1, 0], [0, 0]], "X must have a direction in every row; row 1 is all zeros"),
        (
            "correlation",
            [[0.1, 0.1, 0.1], [1, 2, 3]],
            "X must vary within each row; row 0 is constant",
        ),
        ("euclidean", [[0, np.nan]], "X must be finite"),
        ("euclidean", [0, 1], "X must have 2 axes"),
        ("euclidean", [[0, 1e-45]], r"range of float32 \(1e-30 to 3.4e\+38\); rescale it"),
        ("euclidean", [[0, -1e45]], r"range of float32 \(1e-30 to 3.4e\+38\); rescale it"),
        ("precomputed", [[0, 1, 2], [1, 0, 2]], r"square distance matrix; got shape \(2, 3\)"),
        ("precomputed", np.empty((0, 0)), "square distance matrix"),
        ("precomputed", [[0, 1], [2, 0]], r"symmetric to float32; entry \(0, 1\) is 1"),
        ("precomputed", [[0, -1], [-1, 0]], r"none negative; entry \(0, 1\) is -1"),
        ("precomputed", [[0, np.nan], [np.nan, 0]], r"finite distances .* entry \(0, 1\) is nan"),
        ("precomputed", [[0, np.inf], [np.inf, 0]], r"finite distances .* entry \(0, 1\) is inf"),
        ("precomputed", [[0, 1e-45], [1e-45, 0]], r"range of float32 \(1e-30 to 3.4e\+38\)"),
        ("precomputed", [[0, 1], [1, 0.5]], r"zero diagonal; entry \(1, 1\) is 0.5"),
    ],
)
def test_bad_input(name, values, message):
    with pytest.raises(ValueError, match=message):
        point_metrics[name].prepare(values)


def test_sparse_distances_are_checked():
    good = sparse.coo_matrix(([1.0, 1.0, 0.0, 0.0], ([0, 1, 1, 2], [1, 0, 2, 1])), (3, 3))
    assert as_sparse_distances(good).nnz == 4  # zeros that are given are distances
    for values, rows, columns, message in (
        ([1.0], [0], [1], r"entry \(i, j\) is given without \(j, i\)"),
        ([1.0, 2.0], [0, 1], [1, 0], "symmetric to float32"),
        ([-1.0, -1.0], [0, 1], [1, 0], "none negative"),
        ([np.nan, np.nan], [0, 1], [1, 0], "finite distances"),
        ([1.0], [2], [2], "zero diagonal"),
    ):
        with pytest.raises(ValueError, match=message):
            as_sparse_distances(sparse.coo_matrix((values, (rows, columns)), (3, 3)))
    with pytest.raises(ValueError, match="square"):
        as_sparse_distances(sparse.coo_matrix((2, 3)))
