import numpy as np
import pytest

from tdafeat.topology import landscape, mean_band, subsample_diagrams


def test_mean_width_and_shape():
    curves = np.random.default_rng(0).normal(size=(40, 3, 7))
    band = mean_band(curves)
    np.testing.assert_allclose(band.mean, curves.mean(axis=0))
    np.testing.assert_allclose(band.high - band.mean, band.mean - band.low)
    assert np.ptp(band.high - band.low) == pytest.approx(0, abs=1e-12)
    assert (mean_band(curves, alpha=0.5).high < band.high).all()
    np.testing.assert_array_equal(band.low, mean_band(curves).low)


def test_equal_curves_have_no_width():
    band = mean_band([[0.0, 2.0]] * 5)
    np.testing.assert_allclose([band.low, band.high], [[0, 2], [0, 2]], atol=1e-12)


def coverage(runs, n=30):
    """How often the band of landscapes of one cloud's samples covers the expected one."""
    cloud = np.random.default_rng(1).normal(size=(200, 2))
    values = np.linspace(0, 1, 15)

    def curves(n_draws, seed):
        drawn = subsample_diagrams(cloud, 12, n_draws, random_state=seed)
        return np.array([landscape(d[1], values, n_layers=2) for d in drawn])

    truth = curves(2500, seed=0).mean(axis=0)
    covered = 0
    for seed in range(runs):
        band = mean_band(curves(n, seed=seed + 1), alpha=0.1, random_state=seed)
        covered += bool(((band.low <= truth) & (truth <= band.high)).all())
    return covered / runs


@pytest.mark.slow
def test_bands_cover_the_expected_landscape():
    assert 0.83 <= coverage(runs=200) <= 0.97


def test_band_covers_the_expected_curve():
    rng = np.random.default_rng(2)
    covered = 0
    for seed in range(300):
        walks = rng.normal(size=(25, 20)).cumsum(axis=1)
        band = mean_band(walks, alpha=0.1, n_boot=300, random_state=seed)
        covered += bool(((band.low <= 0) & (band.high >= 0)).all())
    assert 0.82 <= covered / 300 <= 0.96


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"alpha": 0}, "alpha must lie between 0 and 1"),
        ({"curves": [[1.0, 2.0]]}, "curves must be at least two"),
        ({"curves": [1.0, 2.0]}, "curves must be at least two"),
        ({"curves": [[1.0], [1.0, 2.0]]}, "curves must all be of one shape"),
        ({"curves": [[1.0], [np.nan]]}, "curves must be finite"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(arguments, message):
    with pytest.raises(ValueError, match=message):
        mean_band(**({"curves": [[0.0], [1.0]]} | arguments))
