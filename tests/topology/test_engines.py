import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform

from tdafeat.errors import UnknownName
from tdafeat.topology import engines as module
from tdafeat.topology import persistence
from tdafeat.topology.engines import Engine, choose, engines


def clouds():
    rng = np.random.default_rng(0)
    for n in (1, 2, 3, 4, 7, 30, 60):
        yield f"normal {n}", squareform(pdist(rng.normal(size=(n, 3))))
        yield f"grid {n}", squareform(pdist(rng.integers(0, 4, size=(n, 2)).astype(float)))
        yield f"non-metric {n}", (lambda m: (m + m.T) * ~np.eye(n, dtype=bool))(rng.random((n, n)))
    yield "all one point", np.zeros((5, 5))
    yield "all at one distance", 1.0 - np.eye(6)


@pytest.mark.parametrize("matrix", [pytest.param(m, id=name) for name, m in clouds()])
@pytest.mark.parametrize("quantile", [0.0, 0.3, 0.7, None])
def test_ripser_and_giotto_ph_give_equal_diagrams(matrix, quantile):
    pytest.importorskip("gph")
    thresh = np.inf if quantile is None else np.quantile(matrix, quantile, method="nearest")
    arguments = {"maxdim": 2, "metric": "precomputed", "thresh": thresh}
    one = persistence(matrix, engine="ripser", **arguments)
    other = persistence(matrix, engine="giotto-ph", **arguments)
    threaded = persistence(matrix, engine="giotto-ph", n_jobs=2, **arguments)
    assert len(one) == len(other) == 3
    for degree in range(3):
        assert one[degree].shape[1] == 2
        np.testing.assert_array_equal(one[degree], other[degree])
        np.testing.assert_array_equal(one[degree], threaded[degree])


def test_auto_takes_giotto_ph_where_installed_else_ripser(monkeypatch):
    pytest.importorskip("gph")
    assert choose("auto").name == "giotto-ph"
    absent = Engine("giotto-ph", "no_such_module", "giotto-ph", engines["ripser"].compute)
    monkeypatch.setitem(module.engines._entries, "giotto-ph", absent)
    assert choose("auto").name == "ripser"
    with pytest.raises(ImportError, match="engine 'giotto-ph' needs: pip install giotto-ph"):
        choose("giotto-ph")


def test_unknown_engine_suggests_the_nearest():
    with pytest.raises(UnknownName, match="unknown engine 'riper'; did you mean 'ripser'?"):
        choose("riper")
