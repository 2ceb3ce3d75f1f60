import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import pdist, squareform

from tdafeat.topology.points import point_metrics, squared_distances


def naive(points):
    return np.sqrt(((points[:, None] - points[None]) ** 2).sum(-1))


@settings(deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(1, 30),
    spread=st.sampled_from([1.0, 1e-3, 1e-7]),
    offset=st.sampled_from([0.0, 1.0, 1e4]),
)
def test_euclidean_to_nine_digits_however_near_the_points(seed, n, spread, offset):
    rng = np.random.default_rng(seed)
    points = offset + spread * rng.normal(size=(n, 5))
    points[n // 2 :] += 100 * spread  # two clusters: the median sits in neither
    expected = naive(points)
    np.testing.assert_allclose(np.sqrt(squared_distances(points)), expected, rtol=1e-9)


def test_duplicates_are_at_distance_exactly_zero():
    points = np.random.default_rng(0).normal(size=(6, 512))[[0, 1, 0, 2, 1, 0]]
    squared = squared_distances(points)
    assert squared[0, 2] == squared[0, 5] == squared[1, 4] == 0
    assert (squared == squared.T).all()
    assert (squared >= 0).all()


@pytest.mark.parametrize("name", ["euclidean", "cosine", "correlation"])
def test_agrees_with_scipy_and_row_with_matrix(name):
    points = np.random.default_rng(1).normal(size=(40, 7))
    metric = point_metrics[name]
    prepared = metric.prepare(points)
    matrix = metric.pairwise(prepared)
    np.testing.assert_allclose(matrix, squareform(pdist(points, name)), atol=1e-14, rtol=1e-9)
    np.testing.assert_allclose(metric.from_point(prepared, 3), matrix[3], atol=1e-14, rtol=1e-9)
    chosen = np.array([5, 2, 9])
    np.testing.assert_allclose(
        metric.pairwise(metric.subset(prepared, chosen)), matrix[np.ix_(chosen, chosen)], atol=1e-14
    )


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
    assert (metric.pairwise(prepared) == matrix).all()
    assert (metric.from_point(prepared, 2) == matrix[2]).all()


@pytest.mark.parametrize("kind", ["bool", "uint8", "int64", "float32"])
def test_matrices_of_any_real_kind(kind):
    matrix = (1 - np.eye(3)).astype(kind)
    prepared = point_metrics["precomputed"].prepare(matrix)
    assert prepared.dtype.kind == "f"
    assert (prepared == 1 - np.eye(3)).all()


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("cosine", [[1, 0], [0, 0]], "X has a zero vector in row 1"),
        ("correlation", [[0.1, 0.1, 0.1], [1, 2, 3]], "X has a constant vector in row 0"),
        ("euclidean", [[0, np.nan]], "X must be finite"),
        ("euclidean", [0, 1], "X must have 2 axes"),
        ("precomputed", [[0, 1, 2], [1, 0, 2]], r"square distance matrix; got shape \(2, 3\)"),
        ("precomputed", np.empty((0, 0)), "square distance matrix"),
        ("precomputed", [[0, 1], [2, 0]], r"symmetric to float32; entry \(0, 1\) is 1"),
        ("precomputed", [[0, -1], [-1, 0]], r"none negative; entry \(0, 1\) is -1"),
        ("precomputed", [[0, np.nan], [np.nan, 0]], r"finite distances .* entry \(0, 1\) is nan"),
        ("precomputed", [[0, np.inf], [np.inf, 0]], r"finite distances .* entry \(0, 1\) is inf"),
        ("precomputed", [[0, 1], [1, 0.5]], r"zero diagonal; entry \(1, 1\) is 0.5"),
    ],
)
def test_bad_input(name, values, message):
    with pytest.raises(ValueError, match=message):
        point_metrics[name].prepare(values)
