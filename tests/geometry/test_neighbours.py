import numpy as np
import pytest
from scipy.spatial.distance import cdist, pdist
from scipy.stats import skew
from sklearn.neighbors import NearestNeighbors

from tdafeat.geometry import hubness, nearest_neighbours
from tdafeat.geometry.pairs import all_pairs


@pytest.mark.parametrize("offset", [0.0, 1e7])
def test_agrees_with_scikit_learn_beyond_one_chunk(offset):
    points = np.random.default_rng(0).normal(size=(1100, 6)) + offset
    distances, rows = nearest_neighbours(points, 7)
    expected, others = NearestNeighbors(algorithm="kd_tree").fit(points).kneighbors(n_neighbors=7)
    np.testing.assert_allclose(distances, expected, rtol=1e-6)
    assert (rows == others).mean() > 0.999


def test_duplicates_are_at_distance_zero_and_a_row_is_never_its_own_neighbour():
    points = np.repeat(np.random.default_rng(1).normal(size=(10, 3)), 2, axis=0)
    distances, rows = nearest_neighbours(points, 1)
    assert not distances.any()
    assert (rows[:, 0] == np.arange(20) + np.tile([1, -1], 10)).all()


@pytest.mark.parametrize("apart", [1e-9, 1e-3, 0.1])
def test_distances_within_far_groups_keep_their_digits(apart):
    rng = np.random.default_rng(4)
    groups = 10 * rng.normal(size=(20, 5))
    points = np.concatenate([groups, groups + apart * rng.normal(size=groups.shape)])
    distances, rows = nearest_neighbours(points, 1)
    assert (rows[:, 0] == (np.arange(40) + 20) % 40).all()
    expected = np.linalg.norm(points[:20] - points[20:], axis=1)
    np.testing.assert_allclose(distances[:, 0], np.tile(expected, 2), rtol=1e-11)


@pytest.mark.parametrize("k", [1, 2, 19, 1199])
def test_one_pass_finds_the_nearest_and_the_kernel_of_all_pairs(k):
    points = np.random.default_rng(5).normal(size=(1200, 3))  # more than one chunk
    distances, rows, kernel = all_pairs(points, k, kernel=True)
    expected = cdist(points, points)
    np.fill_diagonal(expected, np.inf)
    order = expected.argsort(axis=1)[:, :k]
    np.testing.assert_allclose(distances, np.take_along_axis(expected, order, axis=1), rtol=1e-11)
    assert (rows == order).mean() > 0.999  # sorted beyond the digits of a distance
    assert kernel == pytest.approx(np.exp(-2 * pdist(points) ** 2).mean(), rel=1e-12)


@pytest.mark.parametrize(("n", "k"), [(3, 3), (3, 0)])
def test_too_few_rows_or_neighbours_are_refused(n, k):
    with pytest.raises(ValueError, match="must have at least 4 rows|k must be at least 1"):
        nearest_neighbours(np.arange(n)[:, None], k)


def test_hubness_is_the_skewness_of_k_occurrences():
    points = np.random.default_rng(2).normal(size=(300, 40))
    _, rows = NearestNeighbors().fit(points).kneighbors(n_neighbors=10)
    counts = np.bincount(rows.ravel(), minlength=300)
    assert hubness(points) == pytest.approx(skew(counts))


def test_hubs_appear_with_the_dimension():
    rng = np.random.default_rng(3)
    flat, high = (hubness(rng.normal(size=(500, dimension))) for dimension in (2, 100))
    assert high > flat + 1


def test_a_ring_has_no_hubs():
    angles = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    ring = np.column_stack([np.cos(angles), np.sin(angles)])
    assert np.isnan(hubness(ring, k=2))
