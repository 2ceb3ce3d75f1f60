from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import pdist, squareform

from tdafeat.topology.points import point_metrics


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
    ],
)
def test_bad_input(name, values, message):
    with pytest.raises(ValueError, match=message):
        point_metrics[name].prepare(values)
