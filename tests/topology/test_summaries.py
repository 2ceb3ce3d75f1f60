import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tdafeat.topology import (
    betti_curve,
    bottleneck,
    longest_bar,
    median_death,
    persistence,
    persistence_entropy,
    rescaled,
    total_persistence,
    wasserstein,
)

BARS = [[0, 1], [1, 4], [2, np.inf]]


def test_hand_computed():
    assert total_persistence(BARS) == 4
    assert total_persistence(BARS, order=2) == 10
    assert longest_bar(BARS) == 3
    assert median_death(BARS) == 2.5
    entropy = -(0.25 * math.log(0.25) + 0.75 * math.log(0.75))
    assert persistence_entropy(BARS) == pytest.approx(entropy, rel=1e-12)
    assert betti_curve(BARS, [-1, 0, 0.5, 1, 2, 3.9, 4, 9]).tolist() == [0, 1, 1, 1, 2, 2, 1, 1]


def test_no_bars():
    assert total_persistence([]) == longest_bar([]) == persistence_entropy([]) == 0
    assert math.isnan(median_death([]))
    assert betti_curve([], [0, 1]).tolist() == [0, 0]


def test_entropy_of_equal_bars_is_the_log_of_their_number():
    assert persistence_entropy([[i, i + 2] for i in range(7)]) == pytest.approx(math.log(7))
    assert persistence_entropy([[0, 1]]) == 0
    assert persistence_entropy([[0, 1], [3, 3]]) == 0  # a bar of length zero says nothing


def test_agree_with_distances_to_nothing(random_diagram):
    diagram = random_diagram(np.random.default_rng(0), 20)
    assert wasserstein(diagram, []) == pytest.approx(total_persistence(diagram) / 2)
    assert bottleneck(diagram, []) == pytest.approx(longest_bar(diagram) / 2)


@settings(deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(0, 12))
def test_betti_curve_counts_and_integrates_to_total_persistence(random_diagram, seed, n):
    diagram = random_diagram(np.random.default_rng(seed), n)
    steps = np.unique(diagram)
    curve = betti_curve(diagram, steps)
    for value, count in zip(steps, curve, strict=True):
        assert count == sum(birth <= value < death for birth, death in diagram)
    assert (curve[:-1] * np.diff(steps)).sum() == pytest.approx(total_persistence(diagram))


def test_rescaled_diagrams_do_not_know_the_units():
    points = np.random.default_rng(1).normal(size=(30, 3))
    for a, b in zip(persistence(points), persistence(4 * points), strict=True):
        np.testing.assert_array_equal(rescaled(a, 1.0), rescaled(b, 4.0))
    assert rescaled([[2, np.inf]], 2).tolist() == [[1, np.inf]]


@pytest.mark.parametrize("scale", [0, -1, np.inf, np.nan])
def test_a_scale_is_a_positive_length(scale):
    with pytest.raises(ValueError, match="scale must be a positive length"):
        rescaled([[0, 1]], scale)
