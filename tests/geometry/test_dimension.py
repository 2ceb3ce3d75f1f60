import numpy as np
import pytest
from scipy.special import gammainc

from tdafeat.geometry import levina_bickel, two_nn


def ball():
    """30 points evenly in the unit ball of five dimensions, in ten."""
    points = np.random.RandomState(0).randn(30, 5)
    squares = np.square(points).sum(axis=1, keepdims=True)
    return np.hstack([points * gammainc(2.5, squares / 2) ** 0.2 / np.sqrt(squares), 0 * points])


def torus(n, seed):
    """The flat torus in four dimensions: two of its own, and no border."""
    angles = 2 * np.pi * np.random.default_rng(seed).uniform(size=(n, 2))
    return np.hstack([np.cos(angles), np.sin(angles)])


@pytest.mark.parametrize(("k", "expected"), [(20, 3.341161830518472), (5, 4.350132038093711)])
def test_levina_bickel_of_the_ball(k, expected):
    # values recomputed from the papers' formulas
    assert levina_bickel(ball(), k).value == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize(("discard", "expected"), [(0.1, 4.52231), (0.05, 4.63403)])
def test_two_nn_of_the_ball(discard, expected):
    assert two_nn(ball(), discard).value == pytest.approx(expected, abs=5e-6)


@pytest.mark.parametrize("estimator", [two_nn, levina_bickel])
@pytest.mark.parametrize("dimension", [1, 2, 4])
def test_flat_clouds_have_the_dimension_of_their_plane(estimator, dimension):
    rng = np.random.default_rng(dimension)
    flat = rng.uniform(size=(2000, dimension)) @ rng.normal(size=(dimension, 30))
    assert estimator(flat).value == pytest.approx(dimension, rel=0.1)


@pytest.mark.parametrize("estimator", [two_nn, levina_bickel])
def test_duplicates_do_not_count(estimator):
    points = np.random.default_rng(0).normal(size=(200, 3))
    doubled = np.vstack([points, points[:20]])
    assert estimator(doubled).value == pytest.approx(estimator(points).value, rel=0.1)
    assert np.isnan(estimator(np.ones((30, 3))).value)


def test_nothing_discarded_leaves_out_the_last_alone():
    points = torus(300, 0)
    assert two_nn(points, 0.0).value == pytest.approx(two_nn(points, 1 / 300).value)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: two_nn(ball(), 1.0), "discard must be a share"),
        (lambda: two_nn(ball()[:2]), "at least 3 rows"),
        (lambda: levina_bickel(ball(), 1), "k must be at least 2"),
        (lambda: levina_bickel(ball(), 30), "at least 31 rows"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.slow
@pytest.mark.parametrize("estimator", [two_nn, levina_bickel])
@pytest.mark.parametrize("n", [200, 1000])
def test_intervals_cover_about_as_often_as_they_say(estimator, n):
    """Of the value on average: both estimators are a little off the dimension itself."""
    found = [estimator(torus(n, seed)) for seed in range(300)]
    centre = np.mean([estimate.value for estimate in found])
    covered = np.mean([estimate.low <= centre <= estimate.high for estimate in found])
    assert 0.87 <= covered <= 0.99


def test_two_nn_of_fewer_than_twenty_ratios_is_undefined():
    points = np.random.default_rng(0).normal(size=(20, 3))
    assert np.isfinite(two_nn(points).value)
    assert np.isnan(two_nn(points[1:]).value)
    assert np.isnan(two_nn(np.vstack([points, points[:1]])).value)  # two rows without a ratio
