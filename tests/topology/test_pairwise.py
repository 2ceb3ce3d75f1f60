from functools import partial

import numpy as np
import pytest

from tdafeat.errors import UnknownName
from tdafeat.topology import (
    Diagrams,
    bottleneck,
    diagram_distances,
    distance_matrix,
    paired_distances,
    persistence,
    to_giotto,
    wasserstein,
)
from tdafeat.topology.diagrams import finite_part


@pytest.fixture(scope="module")
def diagrams(random_diagram):
    rng = np.random.default_rng(0)
    return [random_diagram(rng, n, births) for n in (0, 3, 8) for births in ("spread", "zero")]


@pytest.mark.parametrize(
    ("arguments", "function"),
    [
        ({}, wasserstein),
        ({"order": 2.0, "internal_p": 2.0}, lambda a, b: wasserstein(a, b, 2.0, 2.0)),
        ({"distance": "bottleneck"}, bottleneck),
    ],
)
def test_every_entry_is_the_distance(diagrams, arguments, function):
    square = distance_matrix(diagrams, **arguments)
    rectangle = distance_matrix(diagrams, diagrams[:2], **arguments)
    assert square.shape == (6, 6)
    assert rectangle.shape == (6, 2)
    np.testing.assert_array_equal(square, square.T)
    for i, a in enumerate(diagrams):
        for j, b in enumerate(diagrams):
            assert square[i, j] == pytest.approx(function(a, b), rel=1e-12)
        assert rectangle[i, 1] == function(a, diagrams[1])


def test_tables_equal_those_of_giotto():
    gtda = pytest.importorskip("gtda.diagrams")
    rng = np.random.default_rng(4)
    clouds = [persistence(rng.normal(size=(40, 2))) for _ in range(4)]
    array = to_giotto(clouds)
    for distance, parameters, tolerance in (
        ("bottleneck", {"delta": 0.0}, 1e-12),
        ("wasserstein", {"p": 1, "delta": 1e-4}, 2e-4),
        ("wasserstein", {"p": 2, "delta": 1e-4}, 2e-4),
    ):
        theirs = gtda.PairwiseDistance(distance, parameters, order=None).fit_transform(array)
        order = {"order": parameters["p"]} if "p" in parameters else {}
        for degree in (0, 1):
            bars = [finite_part(diagrams[degree]) for diagrams in clouds]
            ours = distance_matrix(bars, distance=distance, **order)
            np.testing.assert_allclose(ours, theirs[..., degree], rtol=tolerance, atol=1e-12)


def test_pairs_are_the_diagonal(diagrams):
    for distance in diagram_distances:
        expected = np.diag(distance_matrix(diagrams, diagrams[::-1], distance))
        np.testing.assert_array_equal(
            paired_distances(diagrams, diagrams[::-1], distance), expected
        )
    order_2 = paired_distances(diagrams, diagrams[::-1], order=2.0)
    assert order_2[0] == wasserstein(diagrams[0], diagrams[-1], order=2.0)


@pytest.mark.parametrize("n_jobs", [2, 3])
def test_threads_give_the_same_table(diagrams, n_jobs):
    for distance in diagram_distances:
        expected = distance_matrix(diagrams, distance=distance)
        np.testing.assert_array_equal(
            distance_matrix(diagrams, distance=distance, n_jobs=n_jobs), expected
        )


def test_threads_share_what_is_more_than_a_chunk(random_diagram):
    rng = np.random.default_rng(1)
    many = [random_diagram(rng, 70 * k, "spread") for k in range(12)]
    for distance in ("wasserstein", "bottleneck"):
        alone = distance_matrix(many, distance=distance)
        np.testing.assert_array_equal(distance_matrix(many, distance=distance, n_jobs=2), alone)
        assert alone[3, 8] == {"wasserstein": wasserstein, "bottleneck": bottleneck}[distance](
            many[3], many[8]
        )


def test_a_registered_distance_keeps_its_own_parameters(diagrams, monkeypatch):
    def bars(a, b, first, function=0.0):
        return first * abs(len(a) - len(b)) + function

    monkeypatch.setattr(diagram_distances, "_entries", dict(diagram_distances.items()))
    diagram_distances.add("bars", partial(bars, first=2.0))
    table = distance_matrix(diagrams, distance="bars", function=0.5)
    assert table[0, 2] == 2 * 3 + 0.5


def test_different_numbers_of_essential_bars_are_infinitely_far_apart():
    table = distance_matrix([[[0, np.inf]], [], [[1, np.inf]]])
    assert table.tolist() == [[0, np.inf, 1], [np.inf, 0, np.inf], [1, np.inf, 0]]


def test_no_diagrams_and_one():
    assert distance_matrix([]).shape == (0, 0)
    assert distance_matrix([[]], []).shape == (1, 0)
    assert distance_matrix([[[0, 1]]]).tolist() == [[0]]
    assert paired_distances([], []).shape == (0,)
    assert distance_matrix([], n_jobs=2).shape == (0, 0)


def test_bad_input(diagrams):
    with pytest.raises(UnknownName, match="distance 'bottelneck'; did you mean 'bottleneck'"):
        distance_matrix(diagrams, distance="bottelneck")
    with pytest.raises(ValueError, match=r"diagrams\[1\] must have birth <= death"):
        distance_matrix([[], [[1, 0]]])
    with pytest.raises(ValueError, match=r"others\[0\] must have two columns"):
        distance_matrix([[]], [[[0, 1, 1]]])
    with pytest.raises(ValueError, match="order must be at least 1"):
        distance_matrix(diagrams, order=0)
    with pytest.raises(TypeError, match="order must be a number; got 'two'"):
        distance_matrix(diagrams, order="two")
    with pytest.raises(TypeError, match="sigma must be a number; got '1'"):
        distance_matrix(diagrams, distance="heat", sigma="1")
    with pytest.raises(TypeError, match=r"distance must be a name, one of \['bottleneck'"):
        distance_matrix(diagrams, distance=None)
    with pytest.raises(ValueError, match="n_jobs must be at least 1, or -1 for all cores; got 0"):
        distance_matrix(diagrams, n_jobs=0)
    with pytest.raises(TypeError, match="others must be diagrams, one after the other; got None"):
        paired_distances(diagrams, None)
    of_one_cloud = Diagrams([[[0, 1]], []])
    with pytest.raises(TypeError, match="diagrams must be of one degree, a diagram for each cloud"):
        distance_matrix(of_one_cloud)
    with pytest.raises(TypeError, match="others must be of one degree"):
        distance_matrix([], of_one_cloud)
    with pytest.raises(TypeError, match=r"'bottleneck' has no parameter 'sigma'; it takes none"):
        distance_matrix(diagrams, distance="bottleneck", sigma=1)
    with pytest.raises(TypeError, match=r"no parameter 'p'; it takes order, internal_p"):
        paired_distances(diagrams, diagrams, p=1)
    with pytest.raises(ValueError, match="equally many to be paired; got 6 and 1"):
        paired_distances(diagrams, diagrams[:1])
