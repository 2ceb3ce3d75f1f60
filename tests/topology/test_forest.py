import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform

from tdafeat.topology import persistence
from tdafeat.topology import persistence as front_door
from tdafeat.topology.points import point_metrics
from tdafeat.topology.rips.engine import h0_h1
from tdafeat.topology.rips.forest import h0

CLOUDS = {
    "normal": lambda rng, n: rng.normal(size=(n, 3)),
    "grid": lambda rng, n: rng.integers(0, 6, size=(n, 2)),
    "copies": lambda rng, n: rng.normal(size=(n // 20 + 1, 2))[rng.integers(n // 20 + 1, size=n)],
    "two clusters": lambda rng, n: rng.normal(size=(n, 8)) + 40 * rng.integers(0, 2, (n, 1)),
    "noise": lambda rng, n: rng.normal(size=(n, 100)),
    "line": lambda rng, n: np.cumsum(rng.random((n, 1)), axis=0),
    "one point": lambda rng, n: np.ones((n, 2)),
}


PREPARED = """
import numpy as np
from tdafeat import persistence

points = np.random.default_rng(0).normal(size=(12_000, 16))
persistence(points[:100], maxdim=0)
"""


def ends(diagram):
    return np.sort(diagram[:, 1])


@pytest.mark.parametrize("kind", CLOUDS)
@pytest.mark.parametrize("n", [1, 2, 3, 13, 14, 60, 300])
def test_equal_to_the_matrix_path_to_the_bit(kind, n):
    metric = point_metrics["euclidean"]
    prepared = metric.prepare(CLOUDS[kind](np.random.default_rng(n), n))
    distances = metric.pairwise(prepared)
    for thresh in (np.inf, float(np.median(distances)), 0.0):
        alone = h0(lambda rows: metric.block(prepared, rows), n, thresh, n_threads=n % 3 + 1)
        with_matrix = h0_h1(distances.copy(), thresh, 1, maxdim=0)[0]
        assert (alone[:, 0] == 0).all()
        np.testing.assert_array_equal(ends(alone), ends(with_matrix))


def test_any_symmetric_matrix_will_do():
    rng = np.random.default_rng(0)
    for high in (3, 9, 10_000):  # many ties, and none
        matrix = np.triu(rng.integers(0, high, size=(80, 80)), 1).astype(np.float32)
        matrix += matrix.T
        alone = h0(lambda rows, matrix=matrix: matrix[rows].copy(), 80, np.inf)
        np.testing.assert_array_equal(ends(alone), ends(h0_h1(matrix.copy(), np.inf, 1)[0]))


@pytest.mark.parametrize("metric", ["euclidean", "cosine", "precomputed"])
def test_degree_zero_alone_of_more_points_than_the_matrix_is_made_for(metric, monkeypatch):
    module = __import__("sys").modules[front_door.__module__]
    points = np.random.default_rng(1).normal(size=(200, 4))
    values = squareform(pdist(points)) if metric == "precomputed" else points
    expected = persistence(values, maxdim=0, metric=metric, engine="tdafeat")
    monkeypatch.setattr(module, "_MATRIX", 100)
    forest = persistence(values, maxdim=0, metric=metric, engine="tdafeat")
    assert len(forest) == 1
    np.testing.assert_array_equal(forest[0], expected[0])


@pytest.mark.slow
def test_memory_is_far_from_that_of_a_matrix(peak_of):
    peak = peak_of(PREPARED, "h0, = persistence(points, maxdim=0); assert len(h0) == len(points)")
    assert peak < 100e6 < 4 * 12_000**2 / 5
