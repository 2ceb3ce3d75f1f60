from itertools import combinations

import numpy as np
import pytest

from tdafeat.errors import UnknownName
from tdafeat.topology import distance_matrix, group_test, landscape, summary_test


def group(rng, n, mean=1.0, bars=3):
    """Diagrams of a few bars about as long as `mean`."""
    births = rng.random((n, bars))
    return list(np.stack([births, births + rng.gamma(5.0, mean / 5, (n, bars))], axis=-1))


def pairs(rng, n):
    """Each pair about as long as its own mean: far from identically distributed."""
    means = rng.gamma(1.0, 1.0, n) + 0.1
    return tuple([group(rng, 1, mean)[0] for mean in means] for _ in range(2))


def loss_by_definition(table, first):
    second = [i for i in range(len(table)) if i not in first]
    return sum(
        sum(table[i, j] for i in members for j in members) / (2 * len(members) * (len(members) - 1))
        for members in (first, second)
    )


@pytest.mark.parametrize("power", [1.0, 2.0])
def test_statistic_and_p_are_those_of_all_deals(power):
    rng = np.random.default_rng(0)
    a, b = group(rng, 4), group(rng, 4, mean=1.7)
    outcome = group_test(a, b, power=power, n_permutations=4999)
    table = distance_matrix([*a, *b]) ** power
    observed = loss_by_definition(table, (0, 1, 2, 3))
    assert outcome.statistic == pytest.approx(observed)
    losses = [loss_by_definition(table, first) for first in combinations(range(8), 4)]
    exact = np.mean(np.array(losses) <= observed * (1 + 1e-12))
    assert outcome.p == pytest.approx(exact, abs=0.03)
    assert set(outcome.drawn.round(9)) == set(np.round(losses, 9))


def test_pairs_swap_and_nothing_else():
    rng = np.random.default_rng(1)
    a, b = pairs(rng, 5)
    outcome = group_test(a, b, paired=True, power=1, n_permutations=999)
    table = distance_matrix([*a, *b])
    possible = {
        round(loss_by_definition(table, [i + 5 * (code >> i & 1) for i in range(5)]), 9)
        for code in range(32)
    }
    assert set(outcome.drawn.round(9)) == possible


def test_planted_difference_is_found():
    rng = np.random.default_rng(2)
    outcome = group_test(group(rng, 8), group(rng, 9, mean=3.0), n_permutations=499)
    assert outcome.p == 1 / 500
    assert outcome.statistic < outcome.drawn.min()
    assert outcome.null == "all diagrams are exchangeable between the groups"


def test_pairing_finds_what_differences_between_pairs_hide():
    lengths = 10 + np.arange(12) + np.random.default_rng(3).normal(scale=0.1, size=(2, 12))
    a, b = ([[[0, length]] for length in side] for side in (lengths[0], lengths[1] + 0.5))
    assert group_test(a, b, paired=True).p < 0.01
    assert group_test(a, b).p > 0.5
    assert group_test(a, b, paired=True, power=1).p > 0.05  # why the power is 2


def test_equal_groups_give_one():
    diagrams = [[[0, 1]], [[0, 2]], [[0, 3]]]
    assert group_test(diagrams, diagrams, paired=True).p == 1
    assert group_test([[[0, 1]]] * 3, [[[0, 1]]] * 4).p == 1


def test_seeded_and_the_same_for_any_n_jobs():
    rng = np.random.default_rng(4)
    a, b = group(rng, 5), group(rng, 6)
    one, two = group_test(a, b), group_test(a, b, n_jobs=2)
    np.testing.assert_array_equal(one.drawn, two.drawn)
    assert (one.drawn != group_test(a, b, random_state=1).drawn).any()


@pytest.mark.parametrize("paired", [False, True])
def test_summaries_by_definition(paired):
    rng = np.random.default_rng(6)
    a, b = rng.normal(size=(2, 4, 2, 3))
    outcome = summary_test(a, b, paired=paired, n_permutations=499)
    assert outcome.statistic == pytest.approx(np.linalg.norm(a.mean(axis=0) - b.mean(axis=0)))
    both = np.concatenate([a, b])
    deals = (
        [[i + 4 * (code >> i & 1) for i in range(4)] for code in range(16)]
        if paired
        else combinations(range(8), 4)
    )
    possible = set()
    for first in deals:
        second = [i for i in range(8) if i not in first]
        apart = both[list(first)].mean(axis=0) - both[second].mean(axis=0)
        possible.add(round(float(np.linalg.norm(apart)), 9))
    assert set(outcome.drawn.round(9)) == possible


def test_landscapes_find_a_small_change_common_to_pairs():
    rng = np.random.default_rng(7)
    a, _ = pairs(rng, 20)
    b = [bars * [1.0, 1.1] for bars in a]
    values = np.linspace(0, 3, 30)
    first, second = ([landscape(bars, values, 2) for bars in group] for group in (a, b))
    assert summary_test(first, second, paired=True).p < 0.01
    assert summary_test(first, second).p > 0.05


def null_p_of_summaries(paired):
    def p_of(seed):
        rng = np.random.default_rng([8, seed])
        groups = pairs(rng, 10) if paired else (group(rng, 6), group(rng, 8))
        a, b = ([landscape(d, np.linspace(0, 3, 9)) for d in each] for each in groups)
        return summary_test(a, b, paired=paired, n_permutations=199, random_state=seed).p

    return p_of


def null_p(paired):
    def p_of(seed):
        rng = np.random.default_rng([5, seed])
        a, b = pairs(rng, 10) if paired else (group(rng, 6), group(rng, 8))
        return group_test(a, b, paired=paired, n_permutations=199, random_state=seed).p

    return p_of


@pytest.mark.parametrize("paired", [False, True])
def test_null_p_values_are_uniform(check_null, paired):
    check_null(null_p(paired), runs=100, n_permutations=199)


@pytest.mark.parametrize("paired", [False, True])
def test_null_p_values_of_summaries_are_uniform(check_null, paired):
    check_null(null_p_of_summaries(paired), runs=200, n_permutations=199)


@pytest.mark.slow
@pytest.mark.parametrize("paired", [False, True])
def test_null_p_values_are_uniform_over_many_runs(check_null, paired):
    check_null(null_p(paired), runs=800, n_permutations=199)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"a": [[[0, 1]]]}, "at least two diagrams; got 1 and 2"),
        ({"a": [[]] * 3, "paired": True}, "equally large; got 3 and 2"),
        ({"a": [[[0, np.inf]], []]}, "diagrams 0 and 1 .* infinitely far apart"),
        ({"power": 0}, "power must be positive"),
        ({"random_state": -1}, "random_state must be at least 0; got -1"),
        ({"n_permutations": 0}, "n_permutations must be at least 1"),
        ({"order": 0.5}, "order must be"),
        ({"a": [[[1, 0]], []]}, "birth <= death"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(arguments, message):
    good = {"a": [[[0, 1]], []], "b": [[[0, 1]], []]}
    with pytest.raises(ValueError, match=message):
        group_test(**(good | arguments))
    with pytest.raises(TypeError, match="paired must be True or False; got 'no'"):
        group_test(**good, paired="no")
    with pytest.raises(TypeError, match="distance 'wasserstein' has no parameter 'sigma'"):
        group_test(**good, sigma=1.0)
    with pytest.raises(UnknownName, match="did you mean 'bottleneck'"):
        group_test(**good, distance="botleneck")


def test_the_test_asks_for_no_unit_whatever_the_power():
    """Their tenth powers would be no numbers. A power of two rounds nothing."""
    rng = np.random.default_rng(3)
    groups = [np.sort(rng.random((4, 5, 2)), axis=-1) for _ in range(2)]
    alike = [
        group_test(*(scale * group for group in groups), power=10, n_permutations=30)
        for scale in (1.0, 2.0**130, 2.0**-130)
    ]
    assert alike[0].p == alike[1].p == alike[2].p < 1
    assert alike[0].statistic > 0


@pytest.mark.parametrize(("n", "m", "paired"), [(3, 7, False), (6, 6, True)])
def test_curves_that_are_all_the_same_differ_in_nothing(n, m, paired):
    curve = [0.1, 0.7, 2.1]  # whose multiples round
    assert summary_test([curve] * n, [curve] * m, paired=paired).p == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"b": [[1.0]] * 2}, "a and b must hold curves of one shape; got .2,. and .1,."),
        ({"a": [[1.0, 2.0]]}, "at least two .* got 1 and 2"),
        ({"a": [[1.0, np.inf], [1.0, 2.0]]}, "a must be finite"),
        ({"a": [[1.0], [1.0, 2.0]]}, "a must be an array of curves"),
        ({"a": [[1.0, 2.0]] * 3, "paired": True}, "equally large; got 3 and 2"),
    ],
)
def test_bad_summaries_are_refused_in_a_sentence(arguments, message):
    good = {"a": [[1.0, 2.0]] * 2, "b": [[1.0, 2.0]] * 2}
    with pytest.raises(ValueError, match=message):
        summary_test(**(good | arguments))
