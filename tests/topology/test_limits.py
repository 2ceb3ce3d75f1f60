import itertools

import numpy as np
import pytest
from scipy.sparse import coo_matrix
from scipy.spatial.distance import pdist, squareform

from tdafeat.topology import limits, persistence
from tdafeat.topology.engines import engines
from tdafeat.topology.limits import _of_graph, _of_matrix, check_memory, check_size

PREPARED = """
import sys
import numpy as np
from scipy.spatial.distance import cdist
from tdafeat.topology.engines import Problem, engines

points = np.random.default_rng(0).random((250, 3))
distances = cdist(points, points).astype(np.float32)
engine = engines[sys.argv[1]]
engine.compute(Problem(distances[:20, :20].copy(), 2, np.inf))
"""


def test_more_memory_than_there_is_is_refused_with_how_much_it_takes(monkeypatch):
    points = np.random.default_rng(0).normal(size=(100, 3))
    monkeypatch.setattr(limits, "memory_of_machine", lambda: 1e6)
    every_edge = coo_matrix(squareform(pdist(points)))
    for values, metric in ((points, "euclidean"), (every_edge, "precomputed")):
        with pytest.raises(ValueError, match=r"maxdim=3 on 100 points needs about \S+ GB"):
            persistence(values, maxdim=3, metric=metric)
        assert len(persistence(values, maxdim=3, metric=metric, thresh=0.3)) == 4
    assert len(persistence(points, maxdim=3, thresh=0.5)) == 4  # few simplices enter
    persistence(points, maxdim=1)
    with pytest.raises(ValueError, match="distances of 1000 points need 0 GB .* set n_landmarks"):
        persistence(np.ones((1000, 1)), engine="tdafeat")


def test_the_limits_of_a_container_are_those_of_memory(monkeypatch):
    monkeypatch.setattr(limits, "memory_left", lambda: 2e9)
    check_memory(10_000, 8.0)
    with pytest.raises(ValueError, match="distances of 20000 points need 3 GB and there are 2 GB"):
        check_memory(20_000, 8.0)


@pytest.mark.parametrize(("n", "maxdim"), [(1000, 10), (100_000, 3), (10**6, 10**3)])
def test_a_degree_far_too_high_is_refused_with_how_much_it_takes(n, maxdim):
    with pytest.raises(ValueError, match=r"needs up to \S+ GB for its simplices .* lower maxdim"):
        check_size(engines["ripser"], n, maxdim)


@pytest.mark.parametrize("degree", [2, 3])
def test_simplices_are_counted_from_a_sample(degree):
    points = np.random.default_rng(0).random((40, 2))
    distances = squareform(pdist(points))
    for thresh in (0.4, 0.7):
        joined = distances <= thresh
        corners = [
            simplex
            for simplex in itertools.combinations(range(40), degree + 1)
            if joined[np.ix_(simplex, simplex)].all()
        ]
        graph = coo_matrix(np.where(joined, distances, 0))
        assert _of_graph(graph, degree, np.inf) == pytest.approx(len(corners), rel=0.1)
        assert _of_graph(coo_matrix(distances), degree, thresh) == pytest.approx(
            len(corners), rel=0.1
        )
        if thresh < distances.max(axis=1).min():
            assert _of_matrix(distances, degree, thresh) == pytest.approx(len(corners), rel=0.1)
    assert _of_graph(coo_matrix((40, 40)), degree, np.inf) == 0


@pytest.mark.slow
@pytest.mark.parametrize(("engine", "least"), [("ripser", 0.6), ("giotto-ph", 0.02)])
def test_the_estimate_is_no_less_than_the_peak_and_not_far_from_it(peak_of, engine, least):
    if not engines[engine].installed:
        pytest.skip(f"{engine} is not installed")
    peak = peak_of(PREPARED, "engine.compute(Problem(distances, 2, np.inf))", engine)
    points = np.random.default_rng(0).random((250, 3))
    simplices = _of_matrix(squareform(pdist(points)), 2, np.inf)
    estimate = engines[engine].bytes_per_simplex * simplices
    assert least * estimate < peak < 1.1 * estimate
