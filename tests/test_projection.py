from importlib.util import find_spec

import numpy as np
import pytest
from sklearn.decomposition import PCA

from tdafeat import projection
from tdafeat.errors import DataUnavailable
from tdafeat.projection import METHODS, project

HAVE_PACMAP = find_spec("pacmap") is not None
absent = pytest.mark.skipif(not HAVE_PACMAP, reason="pacmap is not installed")
EACH = [pytest.param(name, marks=absent) if name == "pacmap" else name for name in METHODS]

LABELS = np.repeat(np.arange(3), 15)
FEATURES = np.random.default_rng(0).normal(size=(45, 60)) + 8 * np.eye(60)[LABELS]


def test_pca_agrees_with_scikit_learn_up_to_sign():
    expected = PCA(2).fit_transform(FEATURES)
    np.testing.assert_allclose(np.abs(project(FEATURES)), np.abs(expected), atol=1e-10)


@pytest.mark.parametrize("method", EACH)
def test_maps_keep_classes_apart_and_repeat(method):
    found = project(FEATURES, method)
    assert found.shape == (45, 2)
    assert found.dtype == np.float64
    centres = np.array([found[c == LABELS].mean(axis=0) for c in range(3)])
    nearest = ((found[:, None] - centres) ** 2).sum(axis=-1).argmin(axis=1)
    assert np.mean(nearest == LABELS) > 0.9
    np.testing.assert_array_equal(project(FEATURES, method), found)


@pytest.mark.parametrize("method", EACH)
@pytest.mark.parametrize(
    "features",
    [FEATURES[:1], FEATURES[:4], FEATURES[:6], FEATURES[:20, :1], np.ones((12, 3))],
    ids=["one row", "four rows", "six rows", "one column", "constant"],
)
@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_small_and_flat_clouds_have_finite_maps(method, features):
    found = project(features, method)
    assert found.shape == (len(features), 2)
    assert np.isfinite(found).all()


def test_the_caller_s_array_is_left_alone():
    features = FEATURES[:8].copy()
    project(features, "tsne")
    np.testing.assert_array_equal(features, FEATURES[:8])


def test_unknown_method_is_refused():
    with pytest.raises(ValueError, match="method must be among pca, tsne, umap, pacmap; got 'mds'"):
        project(FEATURES, "mds")


def test_pacmap_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setattr(projection, "find_spec", lambda name: None)
    with pytest.raises(DataUnavailable, match=r"'pacmap' needs pip install 'tdafeat\[pacmap\]'"):
        project(FEATURES, "pacmap")


@absent
def test_pacmap_leaves_nothing_behind(caplog):
    import faiss

    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(2)
    project(FEATURES[:8], "pacmap")
    try:
        assert faiss.omp_get_max_threads() == 2
    finally:
        faiss.omp_set_num_threads(before)
    assert not caplog.records
