import numpy as np
import pytest

from tdafeat import bottleneck, wasserstein
from tdafeat.topology.many import (
    both_gathered,
    bottleneck_of_many,
    gathered,
    wasserstein_of_many,
)


@pytest.fixture(scope="module")
def diagrams():
    """Few births and deaths, so that many bars are born, or are, the same; some are essential."""
    rng = np.random.default_rng(0)
    several = [np.sort(rng.integers(0, 5, (n, 2)).astype(float), axis=1) for n in range(12)]
    for k, diagram in enumerate(several):
        diagram[: k % 3, 1] = np.inf
    return [*several, np.array([[0.0, 1.0]]), np.array([[0.0, 2.0], [0.0, 1.0]])]


def test_each_diagram_is_in_order_without_bars_of_no_length(diagrams):
    many = gathered(diagrams)
    for k, diagram in enumerate(diagrams):
        bars = many.finite[many.finite_starts[k] : many.finite_starts[k + 1]]
        births = many.births[many.births_starts[k] : many.births_starts[k + 1]]
        assert births.tolist() == sorted(diagram[np.isinf(diagram[:, 1]), 0])
        finite = diagram[np.isfinite(diagram[:, 1]) & (diagram[:, 0] < diagram[:, 1])]
        assert bars.tolist() == sorted(finite.tolist())


@pytest.mark.parametrize(
    ("order", "internal_p"), [(1.0, np.inf), (1.0, 2.0), (2.0, 2.0), (2.5, 1.5)]
)
def test_every_pair_is_the_best_of_all_matchings(diagrams, matchings, order, internal_p):
    small = [diagram for diagram in diagrams if len(diagram) < 6]
    rows, columns = (index.ravel() for index in np.indices((len(small), len(small))))
    both = both_gathered(small, small)
    found = wasserstein_of_many(*both, rows, columns, order, internal_p)
    furthest = bottleneck_of_many(*both, rows, columns)
    for k, (i, j) in enumerate(zip(rows, columns, strict=True)):
        (a, births_a), (b, births_b) = (_parts(small[x]) for x in (i, j))
        if len(births_a) != len(births_b):
            assert found[k] == furthest[k] == np.inf
            continue
        gaps = abs(births_a - births_b)
        best = min((costs**order).sum() for costs in map(np.array, matchings(a, b, internal_p)))
        expected = (best + (gaps**order).sum()) ** (1 / order)
        assert found[k] == pytest.approx(expected, rel=1e-12)
        best = min(max(costs, default=0.0) for costs in matchings(a, b, np.inf))
        assert furthest[k] == max(best, gaps.max(initial=0.0))


def test_every_pair_is_as_alone(diagrams):
    rng = np.random.default_rng(2)
    moved = [diagram + rng.uniform(0, 1e-13, (len(diagram), 1)) for diagram in diagrams]
    rows = np.arange(len(diagrams))
    for order in (1.0, 60.0):  # at 60 the power of what was moved underflows
        found = wasserstein_of_many(*both_gathered(diagrams, moved), rows, rows, order, np.inf)
        alone = [wasserstein(a, b, order) for a, b in zip(diagrams, moved, strict=True)]
        assert found.tolist() == alone
        assert 0 < max(alone) < 1e-11


def test_the_same_bars_in_another_order_are_matched_to_themselves(diagrams):
    rng = np.random.default_rng(1)
    for diagram in diagrams:
        shuffled = diagram[rng.permutation(len(diagram))]
        of_some_length = np.flatnonzero(diagram[:, 0] < diagram[:, 1])
        for distance in (wasserstein, bottleneck):
            length, pairs = distance(diagram, shuffled, matching=True)
            assert length == 0
            matched = pairs[(pairs >= 0).all(axis=1)]
            assert set(of_some_length) <= set(matched[:, 0])
            np.testing.assert_array_equal(diagram[matched[:, 0]], shuffled[matched[:, 1]])


def _parts(diagram):
    """Finite bars, and the sorted births of the others."""
    essential = np.isinf(diagram[:, 1])
    return diagram[~essential], np.sort(diagram[essential, 0])
