import numpy as np
import pytest
from scipy.integrate import trapezoid
from scipy.stats import norm

from tdafeat.evaluation import accuracy_area, half_severity, relative_accuracy, robustness


def test_area_is_the_mean_height_whatever_the_order_and_spacing():
    severities, accuracies = np.array([0, 1, 3, 5]), np.array([0.9, 0.8, 0.5, 0.1])
    expected = trapezoid(accuracies, severities) / 5
    assert accuracy_area(severities, accuracies) == pytest.approx(expected)
    assert accuracy_area(severities[::-1], accuracies[::-1]) == pytest.approx(expected)
    assert accuracy_area([0], [0.7]) == 0.7
    assert accuracy_area(severities, np.full(4, 0.6)) == pytest.approx(0.6)


def test_relative_accuracy():
    assert relative_accuracy([2, 0, 1], [0.2, 0.8, 0.6]) == pytest.approx(0.5)
    assert np.isnan(relative_accuracy([0, 1], [0.0, 0.1]))


@pytest.mark.parametrize(
    ("accuracies", "expected"),
    [
        ([0.9, 0.7, 0.3], 1.5),
        ([0.9, 0.5, 0.1], 1.0),
        ([0.9, 0.8, 0.7], np.inf),
        ([0.1, 0.1, 0.1], np.nan),
    ],
)
def test_severity_that_halves_the_excess_over_chance(accuracies, expected):
    assert half_severity([0, 1, 2], accuracies, chance=0.1) == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: relative_accuracy([1, 2], [0.5, 0.4]), "must hold 0"),
        (lambda: half_severity([1, 2], [0.5, 0.4], 0.1), "must hold 0"),
        (lambda: accuracy_area([0, 0], [0.5, 0.4]), "distinct"),
        (lambda: accuracy_area([0, 1], [0.5]), "equally long"),
        (lambda: accuracy_area([], []), "at least one"),
        (lambda: accuracy_area([0, 1], [0.5, np.nan]), r"must lie in \[0, 1\]"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(ValueError, match=message):
        call()


OUTCOMES = np.random.default_rng(0).random((60, 1)) < [0.9, 0.7, 0.5, 0.2]
SEVERITIES = [0, 1, 2, 3]


def test_values_are_those_of_the_mean_curve_whatever_the_order_of_levels_and_images():
    curve = OUTCOMES.mean(axis=0)
    expected = [
        accuracy_area(SEVERITIES, curve),
        half_severity(SEVERITIES, curve, 0.1),
        relative_accuracy(SEVERITIES, curve),
    ]
    found = robustness(OUTCOMES, SEVERITIES, 0.1)
    assert [e.value for e in found.values()] == pytest.approx(expected)
    turned = robustness(OUTCOMES[::-1, ::-1], SEVERITIES[::-1], 0.1, images=np.arange(60)[::-1])
    assert turned == found
    for estimate in found.values():
        assert estimate.low < estimate.value < estimate.high


def test_the_interval_of_a_mean_is_that_of_the_normal_distribution_where_images_are_many():
    """One image's area is its own mean outcome, so the interval is that of a mean of n numbers."""
    rng = np.random.default_rng(1)
    outcomes = rng.random((2000, 3)) < [0.8, 0.6, 0.3]
    own = outcomes @ [0.25, 0.5, 0.25]
    half = 1.96 * own.std() / np.sqrt(len(own))
    found = robustness(outcomes, [0, 1, 2], 0.1, n_boot=4000)["accuracy_area"]
    assert (found.low, found.high) == pytest.approx(
        (own.mean() - half, own.mean() + half), abs=1e-3
    )


def test_rows_of_one_image_are_drawn_together():
    """Sixteen equal rows of an image tell as much as one of them does."""
    alone = robustness(OUTCOMES, SEVERITIES, 0.1)
    together = robustness(
        OUTCOMES.repeat(16, axis=0), SEVERITIES, 0.1, images=np.arange(60).repeat(16)
    )
    apart = robustness(OUTCOMES.repeat(16, axis=0), SEVERITIES, 0.1)
    for name, estimate in alone.items():
        found = together[name]
        assert (found.value, found.low, found.high) == pytest.approx(
            (estimate.value, estimate.low, estimate.high)
        )
        assert apart[name].high - apart[name].low < 0.5 * (found.high - found.low)


def test_what_resampling_cannot_tell_has_no_interval():
    alike = robustness(np.ones((20, 3)), [0, 1, 2], 0.1)
    assert alike["accuracy_area"].value == alike["relative_accuracy"].value == 1
    assert all(np.isnan([e.low, e.high]).all() for e in alike.values())
    assert alike["half_severity"].value == np.inf
    nothing_known = robustness(np.eye(10)[:, :3], [0, 1, 2], 0.5)["half_severity"]
    assert np.isnan([nothing_known.value, nothing_known.low]).all()
    # clean accuracy just above chance: many a resample lies under it and has no value
    close = robustness(np.repeat([[1, 0], [0, 0]], [6, 4], axis=0), [0, 1], 0.5)["half_severity"]
    assert np.isfinite(close.value)
    assert np.isnan(close.high)
    one = robustness([[1, 0]], [0, 1], 0.1)["accuracy_area"]
    assert one.value == 0.5
    assert np.isnan(one.low)


def test_a_level_that_halves_may_lie_beyond_the_strongest():
    outcomes = np.random.default_rng(2).random((80, 3)) < [0.9, 0.75, 0.52]
    found = robustness(outcomes, [0, 1, 2], 0.1)["half_severity"]
    assert found.low < 2
    assert found.high == np.inf


@pytest.mark.slow
@pytest.mark.parametrize("n_images", [20, 50, 200])
def test_intervals_cover_the_truth(n_images):
    """Images of random difficulty: right with probability 0.1 + 0.9 Phi(threshold + difficulty).

    The mean over a standard normal difficulty is 0.1 + 0.9 Phi(threshold / sqrt(2)).
    """
    thresholds, x = np.array([1.5, 0.6, -0.4, -1.2]), np.arange(4)
    curve = 0.1 + 0.9 * norm.cdf(thresholds / np.sqrt(2))
    truth = {
        "accuracy_area": accuracy_area(x, curve),
        "half_severity": half_severity(x, curve, 0.1),
        "relative_accuracy": relative_accuracy(x, curve),
    }
    rng = np.random.default_rng(n_images)
    covered = dict.fromkeys(truth, 0)
    for repeat in range(1000):
        difficulty = rng.normal(size=(n_images, 1))
        outcomes = rng.random((n_images, 4)) < 0.1 + 0.9 * norm.cdf(thresholds + difficulty)
        found = robustness(outcomes, x, 0.1, n_boot=500, random_state=repeat)
        for name, estimate in found.items():
            covered[name] += estimate.low <= truth[name] <= estimate.high
    assert all(0.92 <= count / 1000 <= 0.98 for count in covered.values()), covered
