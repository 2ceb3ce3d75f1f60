import math
import sys

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


@pytest.mark.parametrize("engine", ["ripser", "giotto-ph"])
def test_no_size_that_passes_the_check_aborts(engine):
    if not engines[engine].installed:
        pytest.skip(f"{engine} is not installed")
    points = np.random.default_rng(1).random((200, 2))
    highest = max(k for k in range(12) if math.comb(200, k + 2) < 1 << 55)
    diagrams = persistence(points, maxdim=highest, thresh=0.01, engine=engine)
    assert len(diagrams) == highest + 1
    with pytest.raises(ValueError, match=r"on 200 points needs up to \S+ GB .* lower maxdim"):
        persistence(points, maxdim=highest + 1, thresh=0.01, engine=engine)
    with pytest.raises(ValueError, match=r"maxdim=900 on 2000 points"):
        persistence(np.ones((2000, 1)), maxdim=900, engine=engine)  # too many for a float, too
    assert [len(d) for d in persistence(points[:3], maxdim=200, engine=engine)[1:]] == [0] * 200


def test_auto_takes_the_fastest_and_says_why(monkeypatch):
    kernels = "tdafeat.topology.rips.engine"
    monkeypatch.delitem(sys.modules, kernels, raising=False)
    chosen, reason = choose("auto", 100, 1)
    assert (chosen.name, reason) == ("ripser", "few points")
    chosen, reason = choose("auto", 2000, 1)
    assert (chosen.name, reason) == ("tdafeat", "degrees 0 and 1")
    monkeypatch.setitem(sys.modules, kernels, module)
    assert choose("auto", 100, 0)[0].name == "tdafeat"


def test_auto_above_degree_one_takes_giotto_ph_where_installed_else_ripser(monkeypatch):
    pytest.importorskip("gph")
    chosen, reason = choose("auto", 2000, 2)
    assert (chosen.name, reason) == ("giotto-ph", "degrees above 1")
    absent = Engine("giotto-ph", "no_such_module", "giotto-ph", engines["ripser"].compute, 8)
    monkeypatch.setitem(module.engines._entries, "giotto-ph", absent)
    assert choose("auto", 2000, 2)[0].name == "ripser"
    with pytest.raises(ImportError, match="engine 'giotto-ph' needs: pip install giotto-ph"):
        choose("giotto-ph", 10, 1)


def projective_plane():
    """Distances 1 and 2 whose Rips complex at 1 is the subdivided six-vertex projective plane."""
    triangles = ["012", "023", "034", "045", "051", "124", "235", "341", "452", "513"]
    faces = {frozenset(f) for t in triangles for f in (*t, t[:2], t[1:], t[::2], t)}
    faces = sorted(faces, key=sorted)
    nested = [[a < b or b < a for b in faces] for a in faces]
    return np.where(nested, 1.0, 2.0) - 2 * np.eye(len(faces))


@pytest.mark.parametrize("engine", ["ripser", "giotto-ph", "auto"])
def test_the_projective_plane_has_a_loop_over_two_and_none_over_three(engine):
    if engine == "giotto-ph":
        pytest.importorskip("gph")
    arguments = {"maxdim": 2, "metric": "precomputed", "thresh": 1, "engine": engine}
    for prime, count in ((2, 1), (3, 0), (5, 0)):
        _, h1, h2 = persistence(projective_plane(), coefficients=prime, **arguments)
        assert np.isinf(h1).any(axis=1).sum() == np.isinf(h2).any(axis=1).sum() == count


def test_auto_leaves_to_peers_what_the_own_engine_cannot():
    peer = "giotto-ph" if engines["giotto-ph"].installed else "ripser"
    for arguments, name, reason in (
        ({"coefficients": 3}, peer, "coefficients other than Z/2"),
        ({"cocycles": True}, "ripser", "cocycles"),
        ({"sparse": True}, peer, "sparse distances"),
    ):
        chosen, why = choose("auto", 2000, 1, **arguments)
        assert (chosen.name, why) == (name, reason)
    with pytest.raises(ValueError, match="'tdafeat' takes coefficients=2 alone"):
        choose("tdafeat", 10, 1, coefficients=3)
    with pytest.raises(ValueError, match="'tdafeat' takes dense distances alone"):
        choose("tdafeat", 10, 1, sparse=True)
    with pytest.raises(ValueError, match="'tdafeat' gives no cocycles"):
        choose("tdafeat", 10, 1, cocycles=True)


def test_unknown_engine_suggests_the_nearest():
    with pytest.raises(
        UnknownName, match="unknown engine 'riper'; did you mean 'ripser'?.*ripser, tdafeat, auto"
    ):
        choose("riper", 10, 1)
