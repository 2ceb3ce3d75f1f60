import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tdafeat.topology import bottleneck

seeds = st.integers(0, 2**32 - 1)
births = st.sampled_from(["spread", "zero"])


@settings(max_examples=150, deadline=None)
@given(seeds, births, st.integers(0, 5), st.integers(0, 4))
def test_least_over_all_matchings(matchings, random_diagram, seed, births, n, m):
    rng = np.random.default_rng(seed)
    a, b = random_diagram(rng, n, births), random_diagram(rng, m, births)
    best = min(max(costs, default=0.0) for costs in matchings(a, b, math.inf))
    assert bottleneck(a, b) == pytest.approx(best, rel=1e-12, abs=1e-15)


@settings(max_examples=60, deadline=None)
@given(seeds, births, st.integers(0, 60), st.integers(0, 60))
def test_equals_exact_hera(random_diagram, seed, births, n, m):
    hera = pytest.importorskip("gudhi.hera")
    rng = np.random.default_rng(seed)
    a, b = random_diagram(rng, n, births), random_diagram(rng, m, births)
    expected = hera.bottleneck_distance(a, b, delta=0)
    assert bottleneck(a, b) == pytest.approx(expected, rel=1e-12, abs=1e-15)


def test_agrees_with_persim(random_diagram):
    persim = pytest.importorskip("persim")
    rng = np.random.default_rng(0)
    for births in ("spread", "zero"):
        a, b = random_diagram(rng, 20, births), random_diagram(rng, 25, births)
        assert bottleneck(a, b) == pytest.approx(persim.bottleneck(a, b), rel=1e-12)


@settings(max_examples=60, deadline=None)
@given(seeds, births)
def test_metric_axioms(random_diagram, seed, births):
    rng = np.random.default_rng(seed)
    a, b, c = (random_diagram(rng, int(rng.integers(0, 15)), births) for _ in range(3))
    assert bottleneck(a, a) == bottleneck(a, rng.permutation(a)) == 0
    assert bottleneck(a, b) == bottleneck(b, a) == bottleneck(rng.permutation(a), b)
    assert bottleneck(a, c) <= bottleneck(a, b) + bottleneck(b, c) + 1e-12
    assert bottleneck(a, []) == np.diff(a, axis=1).max(initial=0.0) / 2


@settings(max_examples=30, deadline=None)
@given(seeds, births, st.floats(0, 1))
def test_moving_bars_moves_the_distance_no_further(random_diagram, seed, births, size):
    rng = np.random.default_rng(seed)
    a = random_diagram(rng, 20, births)
    moved = np.sort(a + rng.uniform(-size, size, a.shape), axis=1)
    assert bottleneck(a, moved) <= size + 1e-12


def test_h0_and_h1_paths_agree_at_the_seam(random_diagram):
    rng = np.random.default_rng(1)
    for _ in range(20):
        a, b = random_diagram(rng, 25, "zero"), random_diagram(rng, 30, "zero")
        planar = np.concatenate([a, [[0.5, 0.5]]])  # a point on the diagonal changes no distance
        assert bottleneck(planar, b) == pytest.approx(bottleneck(a, b), rel=1e-12)


def test_a_case_decided_by_a_chain():
    # Each bar of one diagram is nearest to one and the same bar of the other.
    a = [[0, 10], [1, 11]]
    b = [[0.5, 10.5], [3, 13]]
    assert bottleneck(a, b) == 2  # 0-0.5 and 1-3


def test_essential_bars():
    inf = np.inf
    assert bottleneck([[0, inf]], []) == inf
    assert bottleneck([[3, inf], [0, inf]], [[1, inf], [5, inf]]) == 2
    assert bottleneck([[0, inf], [0, 2]], [[0.5, inf], [0, 4]]) == 2
    assert bottleneck([[0, inf], [0, 2]], [[0.5, inf], [0, 2]]) == 0.5
    assert bottleneck([], []) == 0


def test_bad_input():
    with pytest.raises(ValueError, match=r"a must have birth <= death; bar 0 is \(2.0, 1.0\)"):
        bottleneck([[2, 1]], [])
    with pytest.raises(ValueError, match="b must have 2 axes"):
        bottleneck([], [1, 2, 3])
