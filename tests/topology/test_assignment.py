import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tdafeat.topology.assignment import cheapest_matching, ground_costs

seeds = st.integers(0, 2**32 - 1)


@pytest.mark.parametrize("order", [1.0, 1.5, 2.0])
@pytest.mark.parametrize("internal_p", [1.0, 1.5, 2.0, np.inf])
def test_ground_costs_are_norms(order, internal_p):
    b = np.random.default_rng(0).normal(size=(9, 2))
    b[3] = [0.5, -1]  # no distance at all
    costs = np.empty(9)
    ground_costs(0.5, -1.0, b[:, 0].copy(), b[:, 1].copy(), 0, 9, order, internal_p, costs)
    expected = np.linalg.norm(b - [0.5, -1], ord=internal_p, axis=1) ** order
    np.testing.assert_allclose(costs, expected, rtol=1e-14)
    some = np.full(9, -7.0)
    ground_costs(0.5, -1.0, b[:, 0].copy(), b[:, 1].copy(), 2, 7, order, internal_p, some)
    assert some.tolist() == [*costs[2:7], *[-7] * 4]


@settings(max_examples=60, deadline=None)
@given(seeds, st.integers(1, 40), st.integers(1, 40))
def test_any_drops_give_a_matching_of_least_cost(seed, n, m):
    # Drops that no diagram has, so that the kernel is held to more than the diagonal's geometry.
    from scipy.optimize import linear_sum_assignment

    rng = np.random.default_rng(seed)
    a, b = (x[np.argsort(x[:, 0])] for x in (rng.random((n, 2)), rng.random((m, 2))))
    drop_a, drop_b = rng.exponential(0.3, n), rng.exponential(0.3, m)
    mates = cheapest_matching(a, b, drop_a, drop_b, 1.0, np.inf)
    matched = mates >= 0
    assert len(set(mates[matched])) == matched.sum()
    costs = abs(a[:, None] - b[None]).max(axis=-1)
    cost = costs[np.flatnonzero(matched), mates[matched]].sum()
    cost += drop_a[~matched].sum() + np.delete(drop_b, mates[matched]).sum()
    savings = np.minimum(costs - drop_a[:, None] - drop_b, 0)
    least = savings[linear_sum_assignment(savings)].sum() + drop_a.sum() + drop_b.sum()
    assert cost == pytest.approx(least, rel=1e-12)
