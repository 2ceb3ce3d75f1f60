import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment, linprog

from tdafeat.topology import bottleneck, persistence, wasserstein

seeds = st.integers(0, 2**32 - 1)
orders = st.sampled_from([1.0, 1.5, 2.0, 3.0])
norms = st.sampled_from([1.0, 1.5, 2.0, math.inf])
births = st.sampled_from(["spread", "zero"])


def full_assignment(a, b, order, internal_p):
    """The textbook (n + m) x (n + m) problem, every diagonal point spelled out."""
    n, m = len(a), len(b)
    cost = np.zeros((n + m, n + m))
    difference = a[:, None] - b[None]
    cost[:n, :m] = np.linalg.norm(difference, ord=internal_p, axis=-1)
    for block, bars in ((cost[:n, m:], a), (cost[n:, :m].T, b)):
        half = np.diff(bars, axis=1) / 2
        block[:] = np.linalg.norm(np.hstack([half, half]), ord=internal_p, axis=1)[:, None]
    cost **= order
    return cost[linear_sum_assignment(cost)].sum() ** (1 / order)


@settings(max_examples=60, deadline=None)
@given(seeds, births, st.integers(0, 5), st.integers(0, 4), orders, norms)
def test_least_over_all_matchings(matchings, random_diagram, seed, births, n, m, order, internal_p):
    rng = np.random.default_rng(seed)
    a, b = random_diagram(rng, n, births), random_diagram(rng, m, births)
    best = min(
        sum(cost**order for cost in costs) ** (1 / order) for costs in matchings(a, b, internal_p)
    )
    assert wasserstein(a, b, order, internal_p) == pytest.approx(best, rel=1e-9, abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(seeds, births, st.integers(0, 40), st.integers(0, 40), orders, norms)
def test_equals_the_full_assignment(random_diagram, seed, births, n, m, order, internal_p):
    rng = np.random.default_rng(seed)
    a, b = random_diagram(rng, n, births), random_diagram(rng, m, births)
    expected = full_assignment(a, b, order, internal_p)
    assert wasserstein(a, b, order, internal_p) == pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("order", [1.0, 2.0])
@pytest.mark.parametrize("internal_p", [2.0, math.inf])
def test_hundreds_of_bars_equal_the_full_assignment(random_diagram, order, internal_p):
    rng = np.random.default_rng(0)
    a, b = random_diagram(rng, 310), random_diagram(rng, 290)
    expected = full_assignment(a, b, order, internal_p)
    assert wasserstein(a, b, order, internal_p) == pytest.approx(expected, rel=1e-9)


@settings(max_examples=15, deadline=None)
@given(seeds, births, st.integers(1, 60), st.integers(1, 60), orders, norms)
def test_equals_linear_programming(random_diagram, seed, births, n, m, order, internal_p):
    rng = np.random.default_rng(seed)
    a, b = random_diagram(rng, n, births), random_diagram(rng, m, births)
    pairs = np.linalg.norm(a[:, None] - b[None], ord=internal_p, axis=-1).ravel()
    drops = np.diff(np.concatenate([a, b]), axis=1).ravel() * 2 ** (1 / internal_p - 1)
    # Of every bar, the shares given to pairs and to the diagonal add up to one.
    shares = np.zeros((n + m, n * m + n + m))
    row, column = np.divmod(np.arange(n * m), m)
    shares[row, np.arange(n * m)] = shares[n + column, np.arange(n * m)] = 1
    shares[:, n * m :] = np.eye(n + m)
    costs = 1e4 * np.concatenate([pairs, drops]) ** order  # the solver's tolerance is absolute
    solution = linprog(costs, A_eq=shares, b_eq=np.ones(n + m))
    expected = (solution.fun / 1e4) ** (1 / order)
    assert wasserstein(a, b, order, internal_p) == pytest.approx(expected, rel=1e-6, abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(seeds, births, st.integers(0, 30), st.integers(0, 30), st.integers(0, 2), orders, norms)
def test_matchings_cost_the_distance(
    random_diagram, costs_of, seed, births, n, m, n_essential, order, internal_p
):
    rng = np.random.default_rng(seed)
    essential = [[[rng.random(), np.inf] for _ in range(n_essential)] for _ in range(2)]
    a, b = (
        rng.permutation(np.concatenate([random_diagram(rng, k, births), np.reshape(bars, (-1, 2))]))
        for k, bars in zip((n, m), essential, strict=True)
    )
    distance, pairs = wasserstein(a, b, order, internal_p, matching=True)
    assert distance == wasserstein(a, b, order, internal_p)
    cost = (costs_of(a, b, pairs, internal_p) ** order).sum() ** (1 / order)
    assert cost == pytest.approx(distance, rel=1e-12, abs=1e-15)


def test_no_matching_of_different_numbers_of_essential_bars():
    distance, pairs = wasserstein([[0, np.inf], [0, 1]], [[0, 1]], matching=True)
    assert distance == np.inf
    assert pairs.shape == (0, 2)


@pytest.mark.parametrize("order", [1.0, 2.0])
def test_bars_alike_in_all_but_little(order):
    # Equal lengths, distances far below them: nothing but the assignment decides.
    rng = np.random.default_rng(7)
    births = rng.random((2, 60)) * 1e-3
    a, b = (np.column_stack([x, x + 5 + rng.random(60) * 1e-3]) for x in births)
    expected = full_assignment(a, b, order, math.inf)
    assert wasserstein(a, b, order) == pytest.approx(expected, rel=1e-9)


@settings(max_examples=40, deadline=None)
@given(seeds, births, orders, norms, st.just(0.0) | st.floats(1e-9, 1))
def test_moving_bars_moves_the_distance_no_further(
    random_diagram, seed, births, order, internal_p, size
):
    rng = np.random.default_rng(seed)
    a = random_diagram(rng, 20, births)
    moved = np.sort(a + rng.uniform(-size, size, a.shape), axis=1)
    bound = (np.linalg.norm(a - moved, ord=internal_p, axis=1) ** order).sum() ** (1 / order)
    assert wasserstein(a, moved, order, internal_p) <= bound * (1 + 1e-12)


def test_any_memory_layout(random_diagram):
    rng = np.random.default_rng(8)
    a, b = random_diagram(rng, 12), random_diagram(rng, 9)
    frozen = b.copy()
    frozen.flags.writeable = False
    for x, y in ((np.asfortranarray(a), frozen), (a.tolist(), b), (np.repeat(a, 2, 0)[::2], b)):
        assert wasserstein(x, y) == wasserstein(a, b)


@pytest.mark.slow
@pytest.mark.parametrize("internal_p", [2.0, math.inf])
@pytest.mark.parametrize("order", [1.0, 2.0])
def test_thousands_of_bars_agree_with_hera_and_pot(random_diagram, order, internal_p):
    hera = pytest.importorskip("gudhi.hera")
    pytest.importorskip("ot")
    gudhi = pytest.importorskip("gudhi.wasserstein")
    rng = np.random.default_rng(9)
    for births in ("spread", "zero"):
        a, b = random_diagram(rng, 1000, births), random_diagram(rng, 900, births)
        ours = wasserstein(a, b, order, internal_p)
        pot = gudhi.wasserstein_distance(a, b, order=order, internal_p=internal_p)
        assert ours == pytest.approx(pot, rel=1e-9)
    a, b = random_diagram(rng, 1000), random_diagram(rng, 900)
    relative = hera.wasserstein_distance(a, b, order=order, internal_p=internal_p, delta=1e-3)
    assert wasserstein(a, b, order, internal_p) == pytest.approx(relative, rel=2e-3)


@settings(max_examples=30, deadline=None)
@given(seeds, births, orders.filter(lambda order: order < 3), norms)
def test_agrees_with_hera(random_diagram, seed, births, order, internal_p):
    hera = pytest.importorskip("gudhi.hera")
    rng = np.random.default_rng(seed)
    a, b = random_diagram(rng, 60, births), random_diagram(rng, 50, births)
    expected = hera.wasserstein_distance(a, b, order=order, internal_p=internal_p, delta=1e-4)
    assert wasserstein(a, b, order, internal_p) == pytest.approx(expected, rel=2e-4)


def test_agrees_with_pot_through_gudhi(random_diagram):
    pytest.importorskip("ot")
    gudhi = pytest.importorskip("gudhi.wasserstein")
    rng = np.random.default_rng(1)
    a, b = random_diagram(rng, 40), random_diagram(rng, 30)
    for order in (1.0, 2.0):
        expected = gudhi.wasserstein_distance(a, b, order=order, internal_p=2.0)
        assert wasserstein(a, b, order, 2.0) == pytest.approx(expected, rel=1e-9)


def test_agrees_with_persim(random_diagram):
    persim = pytest.importorskip("persim")
    rng = np.random.default_rng(2)
    a, b = random_diagram(rng, 20), random_diagram(rng, 25)
    assert wasserstein(a, b, 1.0, 2.0) == pytest.approx(persim.wasserstein(a, b), rel=1e-9)


@settings(max_examples=60, deadline=None)
@given(seeds, births, orders, norms)
def test_metric_axioms(random_diagram, seed, births, order, internal_p):
    rng = np.random.default_rng(seed)
    a, b, c = (random_diagram(rng, int(rng.integers(0, 15)), births) for _ in range(3))

    def distance(x, y):
        return wasserstein(x, y, order, internal_p)

    assert distance(a, a) == 0
    assert distance(a, rng.permutation(a)) == 0
    assert distance(a, b) == pytest.approx(distance(b, a), rel=1e-12, abs=1e-15)
    assert distance(a, c) <= distance(a, b) + distance(b, c) + 1e-12
    assert distance(rng.permutation(a), b) == pytest.approx(distance(a, b), rel=1e-12)
    to_diagonal = np.diff(a, axis=1) * 2 ** (1 / internal_p - 1)
    assert distance(a, []) == pytest.approx((to_diagonal**order).sum() ** (1 / order), rel=1e-12)


@pytest.mark.parametrize("births", ["spread", "zero"])
def test_scales_with_the_diagrams_and_never_overflows(random_diagram, births):
    rng = np.random.default_rng(3)
    a, b = random_diagram(rng, 12, births), random_diagram(rng, 9, births)
    for scale in (1e-150, 1e149):
        for order in (1.0, 2.0, 50.0):
            expected = scale * wasserstein(a, b, order)
            assert wasserstein(scale * a, scale * b, order) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("births", ["spread", "zero"])
@pytest.mark.parametrize("order", [1.0, 2.0, 50.0, 500.0])
def test_small_changes_count_at_any_order(random_diagram, costs_of, births, order):
    # Bars move by so little that each stays with itself: W_p is the p-norm of the moves.
    rng = np.random.default_rng(11)
    a = random_diagram(rng, 30, births)
    a = a[a[:, 1] - a[:, 0] > 1e-3]
    moved = a + np.where(a == 0, 0, rng.uniform(-1e-12, 1e-12, a.shape))
    distance, pairs = wasserstein(a, moved, order, matching=True)
    assert distance == pytest.approx(wasserstein(moved, a, order), rel=1e-9)
    for moves in (abs(moved - a).max(axis=1), costs_of(a, moved, pairs, math.inf)):
        expected = moves.max() * ((moves / moves.max()) ** order).sum() ** (1 / order)
        assert distance == pytest.approx(expected, rel=1e-9)
    assert wasserstein(a, a[::-1], order) == 0
    same, pairs = wasserstein(a, a, order, matching=True)
    assert same == 0
    np.testing.assert_array_equal(a[pairs[:, 0]], a[pairs[:, 1]])


@pytest.mark.parametrize(("near", "longest"), [(5e-324, 3.0), (1e-200, 1e150)])
def test_births_that_differ_by_next_to_nothing(near, longest):
    # Beside the longest bar both births are 0, which makes no line of the plane.
    a, b = [[0, 1.9], [near, 1.0]], [[0, 1.0], [near, 1.9]]
    for extra in ([], [[0, longest]]):
        distance, pairs = wasserstein(a + extra, b + extra, matching=True)
        assert distance == 2 * near
        assert pairs.tolist() == [[0, 1], [1, 0], [2, 2]][: len(a + extra)]


def test_subnormal_lengths():
    tiny = 5e-324
    assert wasserstein([[0, 4 * tiny]], []) == 2 * tiny
    assert wasserstein([[0, 8 * tiny]], [[0, 6 * tiny]], order=50) == 2 * tiny
    assert wasserstein([[2 * tiny, 8 * tiny], [0, tiny]], [[0, 6 * tiny]], 2) >= 2 * tiny
    # A bar of no length, however far away, is at home on the diagonal.
    assert wasserstein([[0, 4 * tiny], [1e150, 1e150]], []) == 2 * tiny


def test_tends_to_bottleneck(random_diagram):
    rng = np.random.default_rng(4)
    a, b = random_diagram(rng, 6), random_diagram(rng, 5)
    assert wasserstein(a, b, order=300.0) == pytest.approx(bottleneck(a, b), rel=0.02)


def test_h0_and_h1_paths_agree_at_the_seam(random_diagram):
    rng = np.random.default_rng(5)
    a, b = random_diagram(rng, 25, "zero"), random_diagram(rng, 30, "zero")
    # A short bar off zero hardly changes the distance, and takes the planar path.
    planar = np.concatenate([a, [[0.5, 0.5 + 1e-14]]])
    for order in (1.0, 2.0):
        assert wasserstein(planar, b, order) == pytest.approx(wasserstein(a, b, order), rel=1e-12)


def test_essential_bars():
    inf = np.inf
    assert wasserstein([[0, inf]], [[0, inf], [1, inf]]) == inf
    assert wasserstein([[3, inf], [0, inf]], [[1, inf], [5, inf]]) == 3  # 0-1, 3-5
    assert wasserstein([[3, inf], [0, inf]], [[1, inf], [5, inf]], order=2) == math.sqrt(5)
    assert wasserstein([[0, inf], [0, 2]], [[0, inf], [0, 3]]) == 1
    assert wasserstein([], []) == 0
    assert wasserstein([[1, 1]], [[2, 2]]) == 0


def test_h0_of_two_clouds():
    rng = np.random.default_rng(6)
    a, b = (persistence(rng.normal(size=(n, 4)), 0)[0] for n in (30, 25))
    expected = full_assignment(a[:-1], b[:-1], 1.0, math.inf)
    assert wasserstein(a, b) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"order": 0.5}, "order must be at least 1 .* got 0.5"),
        ({"order": np.inf}, r"beyond, take bottleneck\); got inf"),
        ({"order": np.nan}, "order must be at least 1"),
        ({"internal_p": 0.5}, "internal_p must be at least 1"),
        ({"internal_p": np.nan}, "internal_p must be at least 1"),
        ({"b": [[1, 0]]}, r"b must have birth <= death"),
        ({"a": [[0, 1, 0]]}, "a must have two columns"),
    ],
)
def test_bad_input(arguments, message):
    with pytest.raises(ValueError, match=message):
        wasserstein(**{"a": [[0, 1]], "b": [[0, 1]], **arguments})
