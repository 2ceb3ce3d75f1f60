import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ripser import ripser
from scipy.spatial.distance import pdist, squareform

from tdafeat.topology import divergence, topology_divergence
from tdafeat.topology.divergence import N_DRAWS, N_ROWS, _cross_barcode_length

SINGLE = 1e-5  # Rips filtrations are in float32


def distances(points):
    between = pdist(points)
    return squareform(between / np.quantile(between, 0.9))


def rank(matrix):
    """Over Z/2, by elimination."""
    rows, found = matrix.copy(), 0
    for column in range(rows.shape[1]):
        pivots = found + np.flatnonzero(rows[found:, column])
        if len(pivots) == 0:
            continue
        rows[[found, pivots[0]]] = rows[[pivots[0], found]]
        below = found + 1 + np.flatnonzero(rows[found + 1 :, column])
        rows[below] ^= rows[found]
        found += 1
    return found


def relative_betti_1(one, shorter, length):
    """Rank of H1 of the complex of the shorter distances relative to that of `one`."""
    simplices = {}
    for degree in range(3):
        whole = [
            s
            for s in itertools.combinations(range(len(one)), degree + 1)
            if all(shorter[pair] <= length for pair in itertools.combinations(s, 2))
        ]
        inside = lambda s: all(one[pair] <= length for pair in itertools.combinations(s, 2))  # noqa: E731
        simplices[degree] = [s for s in whole if not inside(s)]
    boundaries = []
    for degree in (1, 2):
        index = {s: i for i, s in enumerate(simplices[degree - 1])}
        boundary = np.zeros((len(index), len(simplices[degree])), dtype=bool)
        for j, s in enumerate(simplices[degree]):
            for face in itertools.combinations(s, degree):
                if face in index:
                    boundary[index[face], j] = True
        boundaries.append(rank(boundary))
    return len(simplices[1]) - sum(boundaries)


@settings(max_examples=40, deadline=None)
@given(st.integers(3, 6), st.integers(1, 3), st.integers(0, 10**6))
def test_the_divergence_is_the_integral_of_the_relative_betti_number(n, d, seed):
    # bars of the cofibre's homology: as many at each length as its relative Betti number says
    a, b = np.random.default_rng(seed).normal(size=(2, n, d))
    expected = 0.0
    for one, other in ((a, b), (b, a)):
        one, other = distances(one), distances(other)
        shorter = np.minimum(one, other)
        lengths = np.unique([one, shorter])
        expected += sum(
            relative_betti_1(one, shorter, length) * (following - length)
            for length, following in itertools.pairwise(lengths)
        )
    assert topology_divergence(a, b).value == pytest.approx(expected / 2, abs=SINGLE)


@pytest.mark.parametrize(("n", "d"), [(30, 2), (60, 5), (40, 100)])
def test_ripser_on_the_doubled_graph_with_an_apex_agrees(n, d):
    # the authors' graph: the one complex coned off from a vertex of its own, 2n + 1 in all
    rng = np.random.default_rng(n)
    one, other = distances(rng.normal(size=(n, d))), distances(rng.normal(size=(n, d)))
    graph = np.full((2 * n + 1, 2 * n + 1), np.inf)
    graph[:n, :n], graph[n:-1, n:-1] = one, np.minimum(one, other)
    graph[:n, n:-1] = np.where(np.triu(np.ones((n, n))) > 0, one, np.inf)
    graph[n:-1, :n] = graph[:n, n:-1].T
    graph[-1, :n] = graph[:n, -1] = graph[-1, -1] = 0
    bars = ripser(graph, distance_matrix=True, maxdim=1, thresh=one.max())["dgms"][1]
    bars = bars[np.isfinite(bars[:, 1])]
    expected = (bars[:, 1] - bars[:, 0]).sum()
    assert _cross_barcode_length(one, other) == pytest.approx(expected, abs=SINGLE)


def test_a_square_against_a_line():
    # In units of their 0.9 quantiles the square has sides of sqrt(1/2) and diagonals of 1, and the
    # line (1, 1, 1, 2, 2, 3 with quantile 2.5) a spacing of 0.4. The line joins its points at 0.4,
    # the square three edges later: three bars. The side of the square between the line's ends
    # closes a loop in the line, which the line's next edges, of 0.8, fill in: one bar.
    square = np.array([[1.0, 0], [0, 1], [-1, 0], [0, -1]])
    line = np.arange(4.0)[:, None]
    side = np.sqrt(0.5)
    one, other = distances(square), distances(line)
    assert _cross_barcode_length(one, other) == pytest.approx(3 * (side - 0.4))
    assert _cross_barcode_length(other, one) == pytest.approx(0.8 - side)
    expected = (3 * (side - 0.4) + 0.8 - side) / 2
    assert topology_divergence(square, line).value == pytest.approx(expected)


def test_clouds_alike_up_to_rotation_shift_and_scale_do_not_diverge():
    rng = np.random.default_rng(0)
    cloud = rng.normal(size=(80, 5))
    turned = 3 * cloud @ np.linalg.qr(rng.normal(size=(5, 5)))[0] + 2
    assert topology_divergence(cloud, turned).value == pytest.approx(0, abs=1e-4)


def test_more_noise_diverges_more_and_the_order_of_two_does_not_matter():
    rng = np.random.default_rng(1)
    cloud, noise = rng.normal(size=(2, 100, 3))
    found = [topology_divergence(cloud + s * noise, cloud).value for s in (0.05, 0.3, 2.0)]
    assert found == sorted(found)
    assert found[0] > 0
    swapped = topology_divergence(cloud, cloud + 2 * noise).value
    assert swapped == pytest.approx(found[2])


def test_of_many_rows_draws_are_averaged_and_their_error_stated():
    rng = np.random.default_rng(2)
    cloud, noise = rng.normal(size=(2, 3 * N_ROWS, 3))
    estimate = topology_divergence(cloud + noise, cloud)
    assert estimate.low < estimate.value < estimate.high
    others = [topology_divergence(cloud + noise, cloud, seed).value for seed in range(1, 11)]
    assert estimate.low < np.mean(others) < estimate.high
    assert topology_divergence(cloud + noise, cloud) == estimate


class Counted:
    """A million rows that exist only once they are asked for, and how many those were."""

    shape, dtype, n_read = (1_000_000, 512), np.dtype(np.float32), 0

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, rows):
        self.n_read += len(rows)
        return np.sin(np.outer(rows, np.arange(1, 4))).astype(self.dtype)


def test_of_many_rows_only_those_drawn_are_read():
    first, second = Counted(), Counted()
    estimate = topology_divergence(first, second)
    assert first.n_read == second.n_read == N_DRAWS * N_ROWS
    assert estimate.value == pytest.approx(0, abs=1e-4)


def test_the_interval_of_a_length_does_not_go_below_zero(monkeypatch):
    values = iter([0.0, 0.0, 0.0, 0.0, 1.0])  # mean 0.2, and 2.78 standard errors of 0.2
    monkeypatch.setattr(divergence, "_divergence", lambda a, b: next(values))
    cloud = np.zeros((N_ROWS + 1, 2))
    estimate = topology_divergence(cloud, cloud)
    assert estimate.low == 0
    assert estimate.high == pytest.approx(0.2 + 2.7764451 * 0.2)


def test_a_single_point_is_undefined():
    cloud = np.random.default_rng(3).normal(size=(20, 3))
    for value in (0.0, 1 / 3, 1e40):
        assert np.isnan(topology_divergence(cloud, np.full((20, 4), value)).value)


def test_other_numbers_of_rows_are_refused():
    with pytest.raises(ValueError, match="rows of the same images; got 4 and 3 rows"):
        topology_divergence(np.eye(4), np.eye(3))
    with pytest.raises(ValueError, match="a must have at least 3 rows"):
        topology_divergence(np.eye(2), np.eye(2))
