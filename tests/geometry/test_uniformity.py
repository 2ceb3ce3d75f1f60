import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform
from scipy.special import hyp0f1

from tdafeat.geometry import (
    alignment,
    displacement,
    koleo,
    mean_cosine,
    nearest_distances,
    nearest_neighbour_distance,
    uniformity,
    unit_rows,
)

SIMPLEX_4 = np.eye(4) - 1 / 4  # equiangular: cosine -1/3
HAND = [[0, 1], [1, 0], [1, 1], [-1, 0], [0, -1], [-1, -1]]


@pytest.mark.parametrize(
    ("features", "expected"),
    [
        (np.eye(2), -0.5 * np.log(2)),  # distance sqrt(2)
        ([[1, 0], [-1, 0]], -np.log(2)),  # antipodal: distance 2
        (np.eye(8), -0.5 * np.log(2)),
        (SIMPLEX_4, -0.490415),  # distance sqrt(8/3)
        (HAND, 0.2674),
    ],
)
def test_koleo_by_hand(features, expected):
    assert koleo(features) == pytest.approx(expected, abs=5e-5)


def test_koleo_agrees_with_scipy_distances():
    features = np.random.default_rng(0).normal(size=(1500, 12))  # more than one chunk
    distances = squareform(pdist(features / np.linalg.norm(features, axis=1, keepdims=True)))
    np.fill_diagonal(distances, np.inf)
    assert koleo(features) == pytest.approx(-np.log(distances.min(axis=1)).mean(), abs=1e-12)


def test_koleo_of_duplicates_is_finite_and_does_not_depend_on_the_dimension():
    for dimension in (2, 512):
        row = np.random.default_rng(1).normal(size=(1, dimension))
        assert koleo(np.repeat(row, 2, axis=0)) == pytest.approx(-np.log(1e-8))


def test_koleo_excludes_a_row_itself_even_among_antipodes():
    # a diagonal of -1 in the cosines would tie with the antipode and answer 8.42
    assert koleo([[0.0, 3.0], [0.0, -2.0]]) == pytest.approx(-np.log(2))


@pytest.mark.parametrize(
    ("features", "expected"), [(np.eye(5), -4), ([[1, 0], [-1, 0]], -8), ([[1, 1], [2, 2]], 0)]
)
def test_uniformity_by_hand(features, expected):
    assert uniformity(features) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("dimension", "expected"), [(3, -2.07978), (512, -3.98438)])
def test_uniformity_of_uniform_directions(dimension, expected):
    # E exp(4 cos - 4) over the sphere is exp(-4) 0F1(d/2; 4)
    assert -4 + np.log(hyp0f1(dimension / 2, 4)) == pytest.approx(expected, abs=1e-5)
    features = np.random.default_rng(2).normal(size=(3000, dimension))
    assert uniformity(features) == pytest.approx(expected, abs=0.01)


def test_uniformity_agrees_with_scipy_distances():
    features = np.random.default_rng(3).normal(size=(1100, 7)) + 1
    squared = pdist(features / np.linalg.norm(features, axis=1, keepdims=True), "sqeuclidean")
    assert uniformity(features) == pytest.approx(np.log(np.exp(-2 * squared).mean()), abs=1e-12)


def test_mean_cosine_agrees_with_scipy():
    features = np.random.default_rng(4).normal(size=(60, 5)) + 0.5
    assert mean_cosine(features) == pytest.approx(1 - pdist(features, "cosine").mean())


@pytest.mark.parametrize("offset", [0.0, 1e7])
def test_nearest_distances_agree_with_scipy(offset):
    features = np.random.default_rng(5).normal(size=(1100, 6)) + offset
    distances = squareform(pdist(features))
    np.fill_diagonal(distances, np.inf)
    np.testing.assert_allclose(nearest_distances(features), distances.min(axis=1), rtol=1e-6)
    expected = np.median(distances.min(axis=1))
    assert nearest_neighbour_distance(features) == pytest.approx(expected, rel=1e-6)


def test_alignment_and_displacement():
    rng = np.random.default_rng(6)
    noisy, clean = rng.normal(size=(2, 40, 6))
    a, b = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (noisy, clean))
    assert alignment(noisy, clean) == pytest.approx(((a - b) ** 2).sum(axis=1).mean())
    assert alignment(3 * clean, clean) == pytest.approx(0, abs=1e-15)
    assert displacement(noisy, clean) == pytest.approx(
        np.sqrt(((noisy - clean) ** 2).sum(1)).mean()
    )


def test_unit_rows_of_tiny_and_huge_entries():
    rows = [[3e-320, 4e-320], [3e-170, 4e-170], [3e-40, 4e-40], [3e49, 4e49]]
    np.testing.assert_allclose(unit_rows(rows), [[0.6, 0.8]] * 4, rtol=1e-3)  # 3e-320 has 4 digits


@pytest.mark.parametrize("function", [koleo, uniformity, mean_cosine])
def test_a_row_without_direction_and_a_single_row_are_refused(function):
    with pytest.raises(ValueError, match="row 1 is all zeros"):
        function([[1.0, 0], [0, 0], [0, 1]])
    with pytest.raises(ValueError, match="at least 2 rows"):
        function([[1.0, 0]])


def test_unpaired_shapes_are_refused():
    with pytest.raises(ValueError, match="same shape"):
        displacement(np.eye(2), np.eye(3))


@pytest.mark.parametrize("n", [2, 3, 7, 100])
@pytest.mark.parametrize("seed", range(5))
def test_mean_cosine_of_equal_directions_is_one_at_most(n, seed):
    row = np.random.default_rng(seed).normal(size=5)
    assert 1 - 1e-12 < mean_cosine(np.arange(1, n + 1)[:, None] * row) <= 1
