import numpy as np
import pytest
from scipy.spatial.distance import pdist

from tdafeat.errors import UnknownName
from tdafeat.topology import Diagrams, cloud_scale, persistence, rescaled, scale_free


def test_rescaled_diagrams_do_not_know_the_units():
    points = np.random.default_rng(1).normal(size=(30, 3))
    for a, b in zip(persistence(points), persistence(4 * points), strict=True):
        np.testing.assert_array_equal(rescaled(a, 1.0), rescaled(b, 4.0))
    assert rescaled([[2, np.inf]], 2).tolist() == [[1, np.inf]]


@pytest.mark.parametrize("scale", [0, -1, 1e-320, np.inf, np.nan])
def test_a_scale_is_a_positive_length(scale):
    with pytest.raises(ValueError, match="scale must be a positive length"):
        rescaled([[0, 1]], scale)


@pytest.mark.parametrize("metric", ["euclidean", "cosine", "correlation"])
def test_scales_by_scipy(metric):
    points = np.random.default_rng(0).normal(size=(40, 5))
    distances = pdist(points, metric)
    for name, function in (
        ("median_distance", np.median),
        ("mean_distance", np.mean),
        ("diameter", np.max),
    ):
        assert cloud_scale(points, name, metric) == pytest.approx(function(distances), rel=1e-7)


def test_large_clouds_are_sampled_by_seed(monkeypatch):
    monkeypatch.setattr("tdafeat.topology.scale.MAX_POINTS", 50)
    points = np.random.default_rng(1).normal(size=(400, 3))
    found = cloud_scale(points, random_state=1)
    assert found == cloud_scale(points, random_state=1) != cloud_scale(points, random_state=2)
    assert found == pytest.approx(np.median(pdist(points)), rel=0.2)


@pytest.mark.parametrize("scale", ["median_distance", "mean_distance", "diameter"])
def test_scale_free_diagrams_of_a_cloud_in_other_units_are_the_same(scale):
    points = np.random.default_rng(2).normal(size=(30, 3))
    small = scale_free(persistence(points, n_landmarks=20, thresh=2.0), points, scale)
    large = scale_free(persistence(8 * points, n_landmarks=20, thresh=16.0), 8 * points, scale)
    for a, b in zip(small, large, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)
    for key in ("covering_radius", "thresh"):
        assert small.record[key] == pytest.approx(large.record[key])
    assert small.record["scale"] == scale
    assert 8 * small.record["scale_length"] == pytest.approx(large.record["scale_length"])


def test_the_record_says_the_metric():
    points = np.random.default_rng(3).normal(size=(20, 4))
    by_cosine = scale_free(persistence(points, metric="cosine"), points)
    assert by_cosine.record["scale_length"] == cloud_scale(points, metric="cosine")
    distances = np.abs(np.subtract.outer(points[:, 0], points[:, 0]))
    precomputed = scale_free(persistence(distances, metric="precomputed"), distances)
    assert precomputed.record["scale_length"] == pytest.approx(cloud_scale(points[:, :1]))


def test_bad_input_is_refused_in_a_sentence():
    points = np.random.default_rng(4).normal(size=(20, 4))
    diagrams = persistence(points)
    with pytest.raises(ValueError, match="record of their metric"):
        scale_free(Diagrams([[]]), points)
    with pytest.raises(ValueError, match="in units of their median_distance already"):
        scale_free(scale_free(diagrams, points), points)
    with pytest.raises(ValueError, match="of a cloud of 20 points; X has 19"):
        scale_free(diagrams, points[1:])
    with pytest.raises(ValueError, match="diagrams are not of X: their first bar of H0 dies at"):
        scale_free(diagrams, 1.01 * points)
    assert len(scale_free(persistence(points, thresh=0.0), 1.01 * points)) == 2  # nothing to see
    with pytest.raises(UnknownName, match="unknown scale 'median'; did you mean"):
        scale_free(diagrams, points, "median")
    with pytest.raises(ValueError, match="at least two points"):
        cloud_scale(points[:1])
    with pytest.raises(ValueError, match="median distance of zero"):
        cloud_scale(np.ones((5, 2)))


def test_a_list_has_no_record_of_its_metric():
    with pytest.raises(TypeError, match="diagrams must be Diagrams; got list"):
        scale_free([[[0, 1]]], [[0.0], [1.0]])
