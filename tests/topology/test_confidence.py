import math

import numpy as np
import pytest
from scipy.spatial.distance import cdist, directed_hausdorff

from tdafeat.errors import UnknownName
from tdafeat.topology import bottleneck, confidence_band, limits, persistence

# The Rips filtration of the unit circle, in diameters: one component for ever, and one loop that
# dies with the inscribed triangle (Adamaszek and Adams 2017).
CIRCLE = ([[0, np.inf]], [[0, math.sqrt(3)]])


def sample(n, seed):
    angle = np.random.default_rng([seed, n]).uniform(0, 2 * np.pi, n)
    return np.column_stack([np.cos(angle), np.sin(angle)])


def test_hausdorff_distances_and_radius_by_definition():
    cloud = sample(40, seed=0)
    band = confidence_band(cloud, n_draws=20, random_state=3, alpha=0.1)
    assert band.n_points == int(40 ** (2 / 3)) == 11
    assert band.distances.shape == (20, 2)
    rng = np.random.default_rng(3)
    draws = [cloud[rng.choice(40, 11, replace=False)] for _ in range(20)]
    expected = [directed_hausdorff(cloud, drawn)[0] for drawn in draws]
    np.testing.assert_allclose(band.distances, np.transpose([expected] * 2), rtol=1e-7)
    # exceeded in at most a tenth of 20 draws: the third largest
    np.testing.assert_allclose(band.radius, 4 * np.sort(expected)[-3])


def test_bottleneck_distances_by_definition():
    cloud = sample(40, seed=1)
    whole = persistence(cloud)
    subsample = confidence_band(cloud, method="subsample", n_points=15, n_draws=5)
    rng = np.random.default_rng(0)
    for distances in subsample.distances:
        part = persistence(cloud[rng.choice(40, 15, replace=False)])
        assert distances == pytest.approx([bottleneck(part[k], whole[k]) for k in (0, 1)])
    bootstrap = confidence_band(cloud, method="bootstrap", n_draws=5, maxdim=0)
    rng = np.random.default_rng(0)
    for (distance,) in bootstrap.distances:
        drawn = persistence(cloud[rng.integers(40, size=40)], maxdim=0)
        assert distance == pytest.approx(bottleneck(drawn[0], whole[0]))
    assert bootstrap.n_points == 40


def test_the_loop_is_significant_and_noise_is_not():
    cloud = sample(300, seed=2)
    band = confidence_band(cloud, method="subsample", n_draws=50)
    diagrams = persistence(cloud)
    kept = diagrams[1][band.significant(diagrams[1], degree=1)]
    assert len(kept) == 1
    assert kept[0, 1] > 1.5
    assert diagrams[0][band.significant(diagrams[0], degree=0)].tolist() == [[0, np.inf]]
    blob = np.random.default_rng(3).normal(size=(100, 2))
    none = confidence_band(blob, method="subsample", n_draws=50)
    assert not none.significant(persistence(blob)[1], degree=1).any()


def coverage(method, n, runs):
    """Share of samples of the circle whose confidence set holds the circle's own diagrams."""
    covered = np.zeros(2)
    for seed in range(runs):
        cloud = sample(n, seed)
        diagrams = persistence(cloud)
        errors = [bottleneck(diagrams[k], CIRCLE[k]) for k in (0, 1)]
        band = confidence_band(cloud, method=method, n_draws=60, random_state=seed)
        covered += errors <= band.radius
    return covered / runs


@pytest.mark.parametrize("method", ["hausdorff", "subsample"])
def test_covers_the_diagrams_of_the_circle(method):
    assert (coverage(method, n=200, runs=6) == 1).all()


def test_no_radius_where_samples_lose_the_loop():
    # Found by simulation: a third of the circle's diagrams were covered before this was inf.
    band = confidence_band(sample(40, seed=8), method="subsample", n_draws=60)
    assert band.radius[1] == np.inf > band.radius[0] > 0
    larger = confidence_band(sample(300, seed=8), method="subsample", n_draws=60)
    assert np.isfinite(larger.radius).all()


@pytest.mark.slow
@pytest.mark.parametrize("method", ["hausdorff", "subsample"])
def test_covers_the_diagrams_of_the_circle_in_many_samples(method):
    assert (coverage(method, n=250, runs=25) >= 0.95).all()


@pytest.mark.slow
def test_the_bootstrap_is_no_confidence_set():
    assert coverage("bootstrap", n=60, runs=60)[1] < 0.9


@pytest.mark.parametrize("method", ["hausdorff", "subsample", "bootstrap"])
def test_the_same_for_any_n_jobs_and_from_a_matrix(method):
    cloud = sample(30, seed=4)
    one = confidence_band(cloud, method=method, n_draws=6)
    two = confidence_band(cloud, method=method, n_draws=6, n_jobs=2)
    matrix = confidence_band(cdist(cloud, cloud), method=method, n_draws=6, metric="precomputed")
    np.testing.assert_array_equal(one.distances, two.distances)
    np.testing.assert_allclose(one.distances, matrix.distances, rtol=1e-5)
    assert one.method == method
    assert "`radius`" in one.covers


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"alpha": 1}, "alpha must lie between 0 and 1; got 1"),
        ({"maxdim": -1}, "maxdim must be at least 0"),
        ({"n_draws": 0}, "n_draws must be at least 1"),
        ({"n_points": 20}, "n_points must be between 1 and 19; got 20"),
        ({"method": "bootstrap", "n_points": 5}, "n_points is for subsamples"),
        ({"metric": "cosine"}, "needs the triangle inequality, which metric 'cosine' lacks"),
        ({"random_state": -1}, "random_state must be at least 0; got -1"),
        ({"n_jobs": 0}, "n_jobs must be at least 1"),
        ({"X": np.eye(2)}, "X must have at least 3 points; got 2"),
        ({"X": np.full((9, 2), np.nan)}, "X must be finite"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(arguments, message):
    with pytest.raises(ValueError, match=message):
        confidence_band(**({"X": sample(20, seed=5)} | arguments))


@pytest.mark.parametrize("method", ["hausdorff", "subsample", "bootstrap"])
def test_more_points_than_memory_has_distances_for_are_refused(monkeypatch, method):
    monkeypatch.setattr(limits, "memory_of_machine", lambda: 1e3)
    with pytest.raises(ValueError, match="distances of 20 points need .* take fewer points"):
        confidence_band(sample(20, seed=5), method=method)


def test_where_there_is_no_loop_none_is_lost():
    """Points on a line have none, and neither have samples of them."""
    line = np.random.default_rng(7).normal(size=(30, 1))
    assert confidence_band(line, method="subsample", n_draws=10).radius[1] == 0


def test_bars_of_a_degree_the_band_is_not_of_are_refused():
    band = confidence_band(sample(20, seed=5), n_draws=3)
    with pytest.raises(ValueError, match="degree must be at most 1; got 2"):
        band.significant([[0, 1]], 2)
    with pytest.raises(ValueError, match="degree must be at least 0; got -1"):
        band.significant([[0, 1]], -1)


def test_a_mistyped_method_is_named():
    with pytest.raises(UnknownName, match="did you mean 'hausdorff'"):
        confidence_band(sample(20, seed=6), method="hausdorf")


def test_a_band_of_points_is_that_of_their_distances():
    cloud = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
    distances = np.linalg.norm(cloud[:, None] - cloud, axis=2)
    of_points = confidence_band(cloud, method="subsample", n_draws=20)
    of_matrix = confidence_band(distances, method="subsample", metric="precomputed", n_draws=20)
    assert of_points.radius == pytest.approx(of_matrix.radius, rel=1e-5)
