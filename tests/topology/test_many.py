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


@pytest.mark.parametrize(("order", "internal_p"), [(1.0, np.inf), (1.0, 2.0), (2.5, 1.5)])
def test_every_pair_is_as_alone(diagrams, order, internal_p):
    rows, columns = (index.ravel() for index in np.indices((len(diagrams), len(diagrams))))
    many = both_gathered(diagrams, diagrams)
    found = wasserstein_of_many(*many, rows, columns, order, internal_p)
    alone = [
        wasserstein(diagrams[i], diagrams[j], order, internal_p)
        for i, j in zip(rows, columns, strict=True)
    ]
    assert found.tolist() == alone
    found = bottleneck_of_many(*many, rows, columns)
    assert found.tolist() == [
        bottleneck(diagrams[i], diagrams[j]) for i, j in zip(rows, columns, strict=True)
    ]


def test_the_same_bars_in_another_order_are_matched_to_themselves(diagrams):
    rng = np.random.default_rng(1)
    for diagram in diagrams:
        shuffled = diagram[rng.permutation(len(diagram))]
        for distance in (wasserstein, bottleneck):
            length, pairs = distance(diagram, shuffled, matching=True)
            assert length == 0
            matched = pairs[(pairs >= 0).all(axis=1)]
            np.testing.assert_array_equal(diagram[matched[:, 0]], shuffled[matched[:, 1]])
