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


@pytest.mark.slow
def test_bands_cover_the_expected_landscape():
    cloud = np.random.default_rng(1).normal(size=(200, 2))
    values = np.linspace(0, 1, 15)
    drawn = subsample_diagrams(cloud, n_points=30, n_draws=4000)
    curves = np.array([landscape(d[1], values, n_layers=2) for d in drawn])
    truth = curves.mean(axis=0)
    rng = np.random.default_rng(2)
    covered = 0
    for seed in range(400):
        some = curves[rng.choice(len(curves), 30, replace=False)]
        band = mean_band(some, alpha=0.1, n_boot=400, random_state=seed)
        covered += bool(((band.low <= truth) & (truth <= band.high)).all())
    assert 0.85 <= covered / 400 <= 0.96


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
        ({"n_boot": 0}, "n_boot must be at least 1; got 0"),
        ({"random_state": -1}, "random_state must be at least 0; got -1"),
        ({"curves": [[1.0, 2.0]]}, "curves must be at least two"),
        ({"curves": [1.0, 2.0]}, "curves must be an array of curves; got shape"),
        ({"curves": [[1.0], [1.0, 2.0]]}, "curves must be an array of curves of one shape"),
        ({"curves": [[1.0], [np.nan]]}, "curves must be finite"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(arguments, message):
    with pytest.raises(ValueError, match=message):
        mean_band(**({"curves": [[0.0], [1.0]]} | arguments))
