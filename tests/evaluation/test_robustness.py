import numpy as np
import pytest
from scipy.integrate import trapezoid

from tdafeat.evaluation import accuracy_area, half_severity, relative_accuracy


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
        (lambda: accuracy_area([], []), "equally long"),
        (lambda: accuracy_area([0, 1], [0.5, np.nan]), "finite"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(ValueError, match=message):
        call()
