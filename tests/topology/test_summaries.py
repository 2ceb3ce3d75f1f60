import math

import numpy as np
import pytest

from tdafeat.topology import (
    bottleneck,
    lifetime_quantiles,
    longest_bar,
    median_death,
    persistence_entropy,
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


def test_no_bars():
    assert total_persistence([]) == longest_bar([]) == persistence_entropy([]) == 0
    assert math.isnan(median_death([]))


def test_entropy_of_equal_bars_is_the_log_of_their_number():
    assert persistence_entropy([[i, i + 2] for i in range(7)]) == pytest.approx(math.log(7))
    assert persistence_entropy([[0, 1]]) == 0
    assert persistence_entropy([[0, 1], [3, 3]]) == 0  # a bar of length zero says nothing


def test_agree_with_distances_to_nothing(random_diagram):
    diagram = random_diagram(np.random.default_rng(0), 20)
    assert wasserstein(diagram, []) == pytest.approx(total_persistence(diagram) / 2)
    assert bottleneck(diagram, []) == pytest.approx(longest_bar(diagram) / 2)


def test_entropy_equals_persim(random_diagram):
    from persim.persistent_entropy import persistent_entropy as theirs

    diagram = random_diagram(np.random.default_rng(2), 20)
    assert persistence_entropy(diagram) == pytest.approx(theirs(diagram)[0], rel=1e-12)


def test_entropy_equals_giotto_in_bits(random_diagram):
    features = pytest.importorskip("gtda.diagrams")
    diagram = random_diagram(np.random.default_rng(3), 20)
    theirs = features.PersistenceEntropy().fit_transform(np.insert(diagram, 2, 1, axis=1)[None])
    assert persistence_entropy(diagram) / math.log(2) == pytest.approx(theirs[0, 0], rel=1e-12)


def test_lifetime_quantiles(random_diagram):
    diagram = random_diagram(np.random.default_rng(4), 21)
    low, middle, high = lifetime_quantiles([*diagram, [0, np.inf]], [0, 0.5, 1])
    lengths = sorted(death - birth for birth, death in diagram)
    assert (low, middle, high) == (lengths[0], lengths[10], lengths[-1])
    assert high == longest_bar(diagram)
    assert lifetime_quantiles(diagram, 0.5).shape == ()
    assert lifetime_quantiles(diagram, [[0.1, 0.2]]).shape == (1, 2)
    assert np.isnan(lifetime_quantiles([], [0.1, 0.9])).all()


@pytest.mark.parametrize("q", [-0.1, 1.1, np.nan, [0.5, 2]])
def test_a_quantile_is_a_share(q):
    with pytest.raises(ValueError, match="q must be shares of the bars"):
        lifetime_quantiles([[0, 1]], q)


def test_powers_beyond_float64_are_inf_and_negative_ones_refused():
    assert total_persistence([[0, 1e100]], order=4) == np.inf
    assert total_persistence([[0, 1], [0, 3]], order=0) == 2  # counts the bars
    with pytest.raises(ValueError, match="order must be at least 0 and finite; got -1"):
        total_persistence([[0, 1]], order=-1)
    with pytest.raises(TypeError, match="order must be a number; got 'one'"):
        total_persistence([[0, 1]], order="one")
