import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tdafeat.topology.alignment import (
    aligned_mates,
    alignment_cost,
    bottleneck_on_a_line,
    cover,
)

lists = st.lists(st.integers(0, 12), max_size=9).map(lambda x: np.sort(np.array(x, dtype=float)))


def table(a, b, order, to_diagonal):
    """The recurrence, written out over a whole table."""
    f = np.zeros((len(a) + 1, len(b) + 1))
    f[1:, 0] = np.cumsum((a * to_diagonal) ** order)
    f[0, 1:] = np.cumsum((b * to_diagonal) ** order)
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            f[i + 1, j + 1] = min(
                f[i, j] + abs(x - y) ** order,
                f[i, j + 1] + (x * to_diagonal) ** order,
                f[i + 1, j] + (y * to_diagonal) ** order,
            )
    return f[-1, -1]


@settings(deadline=None)
@given(lists, lists, st.sampled_from([1.0, 2.0, 2.5]), st.sampled_from([0.5, 0.5**0.5, 1.0]))
def test_antidiagonals_fill_the_same_table(a, b, order, to_diagonal):
    drop_a, drop_b = (a * to_diagonal) ** order, (b * to_diagonal) ** order
    cost = alignment_cost(a, b, drop_a, drop_b, order)
    assert cost == pytest.approx(table(a, b, order, to_diagonal), rel=1e-12)
    assert cost == pytest.approx(alignment_cost(b, a, drop_b, drop_a, order), rel=1e-12)


@settings(deadline=None)
@given(lists, lists, st.sampled_from([1.0, 2.0, 2.5]))
def test_the_way_back_costs_what_the_table_says(a, b, order):
    drop_a, drop_b = (a / 2) ** order, (b / 2) ** order
    mates = aligned_mates(a, b, drop_a, drop_b, order)
    taken = mates[mates >= 0]
    assert (np.diff(taken) > 0).all()  # nothing crosses
    cost = (abs(a[mates >= 0] - b[taken]) ** order).sum()
    cost += drop_a[mates < 0].sum() + np.delete(drop_b, taken).sum()
    assert cost == pytest.approx(alignment_cost(a, b, drop_a, drop_b, order), rel=1e-12)


def both_cover(a, b, radius):
    mates_a, mates_b = np.empty(len(a), np.int64), np.empty(len(b), np.int64)
    return max(cover(a, b, radius, mates_a), cover(b, a, radius, mates_b)) <= radius


@settings(deadline=None)
@given(lists, lists)
def test_the_radius_is_the_smallest_that_covers(a, b):
    mates_a, mates_b = np.empty(len(a), np.int64), np.empty(len(b), np.int64)
    radius = bottleneck_on_a_line(a, b, mates_a, mates_b)
    assert both_cover(a, b, radius)
    if radius > 0:
        assert not both_cover(a, b, np.nextafter(radius, 0))
    candidates = np.concatenate([a / 2, b / 2, np.abs(a[:, None] - b[None]).ravel(), [0.0]])
    assert radius in candidates
    for x, y, mates in ((a, b, mates_a), (b, a, mates_b)):
        matched = mates >= 0
        assert matched[x / 2 > radius].all()
        assert (abs(x[matched] - y[mates[matched]]) <= radius).all()
        assert len(set(mates[matched])) == matched.sum()
