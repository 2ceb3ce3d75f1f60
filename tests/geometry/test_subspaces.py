import numpy as np
import pytest
import torch
from scipy.linalg import subspace_angles

from tdafeat.geometry import (
    Moments,
    angles_to_clean,
    chordal_distance,
    class_angles,
    grassmann_distance,
    principal_angles,
    projection_distance,
    subspace_angle_to_clean,
)
from tdafeat.record import metrics

RESOLUTION = 3e-7  # angles near 0 and pi/2 lose half of float64's digits


def leading(points, k, center=True):
    """Columns spanning the k leading principal directions, by numpy alone."""
    if center:
        points = points - points.mean(axis=0)
    return np.linalg.svd(points, full_matrices=False)[2][:k].T


@pytest.mark.parametrize("seed", range(20))
def test_principal_angles_agree_with_scipy(seed):
    rng = np.random.default_rng(seed)
    dimension = int(rng.integers(3, 30))
    a = rng.normal(size=(int(rng.integers(1, dimension + 3)), dimension))
    b = rng.normal(size=(int(rng.integers(1, dimension + 3)), dimension))
    expected = subspace_angles(a.T, b.T)
    np.testing.assert_allclose(principal_angles(a, b), expected, atol=RESOLUTION)


def test_angles_of_a_rotated_plane_are_the_rotation():
    angle = 0.3
    a = np.eye(4)[:2]
    b = np.array([[np.cos(angle), 0, np.sin(angle), 0], [0, 1, 0, 0]])
    np.testing.assert_allclose(principal_angles(a, b), [angle, 0], atol=RESOLUTION)


def test_orthogonal_and_equal_subspaces():
    a, b = np.eye(4)[:2], np.eye(4)[2:]
    np.testing.assert_allclose(principal_angles(a, b), np.pi / 2)
    np.testing.assert_allclose(principal_angles(a, 3 * a[::-1]), 0, atol=RESOLUTION)


def test_class_angles_agree_with_a_loop_of_scipy_over_pairs():
    rng = np.random.default_rng(0)
    labels = np.repeat([3, 7, 8, 11], [12, 15, 9, 20])
    features = rng.normal(size=(len(labels), 24)) * np.linspace(3, 1, 24) + labels[:, None]
    result = class_angles(features, labels, n_components=5)
    assert result.classes.tolist() == [3, 7, 8, 11]
    assert (result.n_components, result.n_features) == (5, 24)
    for i, a in enumerate(result.classes):
        for j, b in enumerate(result.classes):
            expected = subspace_angles(
                leading(features[labels == a], 5), leading(features[labels == b], 5)
            )
            np.testing.assert_allclose(result.angles[i, j], expected, atol=RESOLUTION)


@pytest.mark.parametrize("center", [True, False])
def test_full_subspaces_of_unequal_classes_agree_with_scipy(center):
    rng = np.random.default_rng(10)
    labels = np.repeat(np.arange(4), [4, 9, 30, 1])
    features = rng.normal(size=(len(labels), 12)) + labels[:, None]
    result = class_angles(features, labels, n_components="full", center=center)
    ranks = [3, 8, 12, 0] if center else [4, 9, 12, 1]
    assert result.n_components == 12
    for i in range(4):
        for j in range(4):
            n_angles = min(ranks[i], ranks[j])
            found = result.angles[i, j]
            assert np.isnan(found[n_angles:]).all()
            if n_angles:
                a, b = (leading(features[labels == c], ranks[c], center) for c in (i, j))
                expected = subspace_angles(a, b)
                np.testing.assert_allclose(found[:n_angles], expected, atol=RESOLUTION)


def test_uncentred_class_angles_see_the_means():
    features = np.array([[1.0, 0, 0], [2, 0, 0], [0, 1, 0], [0, 2, 0]])
    labels = [0, 0, 1, 1]
    raw = class_angles(features, labels, n_components=1, center=False)
    assert raw.angles[0, 1, 0] == pytest.approx(np.pi / 2)
    shifted = class_angles(features + np.array([0, 0, 9]), labels, n_components=1, center=False)
    assert shifted.angles[0, 1, 0] < 0.5


@pytest.mark.parametrize(
    ("n_per_class", "dimension", "expected"), [(50, 64, 10), (6, 64, 5), (50, 8, 4), (50, 1, 1)]
)
def test_default_number_of_components(n_per_class, dimension, expected):
    rng = np.random.default_rng(1)
    labels = np.repeat([0, 1], n_per_class)
    result = class_angles(rng.normal(size=(2 * n_per_class, dimension)), labels)
    assert result.n_components == expected


def test_note_explains_angles_that_are_zero_whatever_the_data():
    rng = np.random.default_rng(2)
    labels = np.repeat([0, 1], 40)
    features = rng.normal(size=(80, 6))
    free = class_angles(features, labels, n_components=3)
    assert free.n_forced_zeros == 0
    assert "whatever" not in free.note
    some = class_angles(features, labels, n_components=5)
    assert some.n_forced_zeros == 4
    np.testing.assert_allclose(some.angles[0, 1, 1:], 0, atol=RESOLUTION)
    assert some.angles[0, 1, 0] > 0.01
    assert "at least 4 of the 5 angles are 0 whatever the data, because 2k > D" in some.note
    full = class_angles(features, labels, n_components=6)
    np.testing.assert_allclose(full.angles, 0, atol=RESOLUTION)
    assert "all angles are 0 whatever the data" in full.note


def test_class_without_enough_directions_is_nan_and_the_others_are_not():
    rng = np.random.default_rng(3)
    features = rng.normal(size=(13, 8))
    labels = np.array([0] * 6 + [1] * 6 + [2])
    result = class_angles(features, labels)
    assert result.n_components == 4
    assert np.isnan(result.angles[2]).all()
    assert np.isnan(result.angles[:, 2]).all()
    assert np.isfinite(result.angles[:2, :2]).all()


def test_constant_class_far_from_the_origin_spans_nothing():
    rng = np.random.default_rng(4)
    features = np.concatenate([np.full((5, 6), 1e6 / 3), rng.normal(size=(10, 6))])
    result = class_angles(features, np.repeat([0, 1, 2], 5))
    assert np.isnan(result.angles[0]).all()
    assert np.isfinite(result.angles[1:, 1:]).all()


def test_angle_to_clean():
    rng = np.random.default_rng(5)
    clean = rng.normal(size=(60, 30)) * np.geomspace(10, 0.1, 30)
    assert subspace_angle_to_clean(clean, clean) == pytest.approx(0, abs=RESOLUTION)
    noise = rng.normal(size=clean.shape)
    little, much = (subspace_angle_to_clean(clean + s * noise, clean) for s in (0.1, 3.0))
    assert 0 < little < much < np.pi / 2
    expected = subspace_angles(leading(clean + noise, 10), leading(clean, 10)).mean()
    assert subspace_angle_to_clean(clean + noise, clean) == pytest.approx(expected, abs=1e-9)
    assert np.isnan(subspace_angle_to_clean(np.ones((4, 3)), rng.normal(size=(4, 3))))


def test_distances_agree_with_the_projections():
    rng = np.random.default_rng(7)
    labels = np.repeat(np.arange(4), 15)
    features = rng.normal(size=(60, 12))
    result = class_angles(features, labels, n_components=3)
    bases = [leading(features[labels == c], 3) for c in range(4)]
    for distance, norm in ((chordal_distance, "fro"), (projection_distance, 2)):
        expected = np.array(
            [[np.linalg.norm(a @ a.T - b @ b.T, ord=norm) for b in bases] for a in bases]
        )
        expected /= np.sqrt(2) if norm == "fro" else 1
        np.testing.assert_allclose(distance(result.angles), expected, atol=1e-6)
    expected = [[np.linalg.norm(subspace_angles(a, b)) for b in bases] for a in bases]
    np.testing.assert_allclose(grassmann_distance(result.angles), expected, atol=1e-6)


@pytest.mark.parametrize("distance", [grassmann_distance, chordal_distance, projection_distance])
def test_distances_are_metrics_on_subspaces(distance):
    rng = np.random.default_rng(8)
    labels = np.repeat(np.arange(12), 5)
    angles = class_angles(rng.normal(size=(60, 7)), labels, n_components=3).angles
    between = distance(angles)
    assert (np.diag(between) == 0).all()
    np.testing.assert_array_equal(between, between.T)
    through = (between[:, :, None] + between[None]).min(axis=1)
    assert (between <= through + 1e-9).all()


def test_distances_refuse_what_is_no_angle_and_keep_nan():
    for angles in ([4.0], [-0.1], [], 0.5):
        with pytest.raises(ValueError, match="angles must"):
            grassmann_distance(angles)
    with pytest.raises(TypeError, match="angles must hold real numbers"):
        grassmann_distance(["a"])
    assert np.isnan(chordal_distance([[np.nan, np.nan], [0.1, 0.2]])).tolist() == [True, False]


def test_what_is_measured_says_k_and_the_dimension():
    rng = np.random.default_rng(9)
    clean, labels = rng.normal(size=(40, 30)), np.repeat([0, 1], 20)
    noisy = clean + rng.normal(size=clean.shape)
    beside = metrics["class_chordal"].note(noisy, labels)
    assert beside == "10 principal directions per class in 30 dimensions"
    beside = metrics["subspace_grassmann_to_clean"].note(noisy, clean)
    assert beside == "10 principal directions of each cloud in 30 dimensions"
    line = metrics["subspace_angle_to_clean"].note(noisy[:, :1], clean[:, :1])
    assert "all angles are 0 whatever the data, because 2k > D" in line
    value = metrics["subspace_grassmann_to_clean"].function(noisy, clean)
    assert value == pytest.approx(grassmann_distance(angles_to_clean(noisy, clean)))


def test_more_directions_than_there_are_give_no_angles_to_clean():
    clean = np.eye(6)[:3]
    assert len(angles_to_clean(clean, clean, n_components=2)) == 2
    assert len(angles_to_clean(clean, clean, n_components=3)) == 0
    with pytest.raises(ValueError, match=r"n_components must lie in 1\.\.6"):
        angles_to_clean(clean, clean, n_components=7)


def test_tensors_and_arrays_give_the_same_angles():
    rng = np.random.default_rng(6)
    a, b = rng.normal(size=(3, 9)), rng.normal(size=(4, 9))
    np.testing.assert_array_equal(
        principal_angles(torch.tensor(a, requires_grad=True), b), principal_angles(a, b)
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([[1.0, 0]], [[1.0, 0, 0]]), "equally many columns"),
        (([[0.0, 0]], [[1.0, 0]]), "a must span at least 1"),
        (([[1.0, 0]], [[1.0, 0]], 2), "a must span at least 2"),
        (([[1.0, 0]], [[np.nan, 0]]), "b must be finite"),
    ],
)
def test_principal_angles_refuse(arguments, message):
    with pytest.raises(ValueError, match=message):
        principal_angles(*arguments)


@pytest.mark.parametrize(
    ("features", "labels", "n_components", "message"),
    [
        (np.eye(4), [0, 0, 0, 0], None, "at least two classes"),
        (np.eye(4), [0, 1, 2, 3], None, "single sample"),
        (np.eye(4), [0, 0, 1, 1], 5, "n_components must lie in 1..4"),
        (np.eye(4), [0, 0, 1, 1], -1, "n_components must be at least 1; got -1"),
        (np.eye(4), [0, 0, 1, 1], "all", "or be 'full'; got 'all'"),
        (np.eye(4), [0, 0, 1], None, "one entry per row"),
    ],
)
def test_class_angles_refuse(features, labels, n_components, message):
    with pytest.raises(ValueError, match=message):
        class_angles(features, labels, n_components)


@pytest.mark.parametrize("n_components", [None, 3, "full"])
@pytest.mark.parametrize("center", [True, False])
def test_angles_of_merged_moments_are_those_of_the_rows(n_components, center):
    rng = np.random.default_rng(21)
    labels = rng.permutation(np.repeat([1, 4, 6], [9, 30, 40]))
    features = rng.normal(size=(len(labels), 24)) * np.linspace(3, 1, 24) + labels[:, None]
    parts = [Moments.of(features[k::2], labels[k::2], 16, scatters=True) for k in (0, 1)]
    merged = parts[0] + parts[1]
    np.testing.assert_allclose(merged.scatters.sum(axis=0), merged.within)
    expected = class_angles(features, labels, n_components, center)
    found = class_angles(merged, n_components=n_components, center=center)
    assert (found.n_components, found.n_features) == (expected.n_components, 24)
    np.testing.assert_array_equal(found.classes, expected.classes)
    np.testing.assert_allclose(found.angles, expected.angles, atol=RESOLUTION)


def test_angles_to_clean_of_moments_are_those_of_the_rows():
    rng = np.random.default_rng(22)
    clean = rng.normal(size=(80, 24)) * np.linspace(3, 1, 24) + 5
    noisy = clean + rng.normal(size=clean.shape)
    found = angles_to_clean(Moments.of(noisy, chunk=30), Moments.of(clean))
    np.testing.assert_allclose(found, angles_to_clean(noisy, clean), atol=RESOLUTION)


def test_moments_that_do_not_fit_are_refused():
    cloud = np.random.default_rng(23).normal(size=(20, 6))
    labels = np.arange(20) % 2
    plain, kept = (Moments.of(cloud, labels, scatters=own) for own in (False, True))
    with pytest.raises(ValueError, match="must keep the scatter of each class"):
        class_angles(plain)
    with pytest.raises(ValueError, match="or neither"):
        plain + kept
    with pytest.raises(ValueError, match="moments of as many columns"):
        angles_to_clean(plain, Moments.of(cloud[:, 1:]))


def test_the_gpu_gives_the_same_angles():
    if not torch.cuda.is_available():
        pytest.skip("torch sees no CUDA device")
    rng = np.random.default_rng(0)
    features, labels = rng.normal(size=(90, 12)), np.repeat(np.arange(6), [25, 25, 25, 6, 6, 3])
    for n_components in (None, 7, "full"):
        for center in (True, False):
            here, there = (
                class_angles(features, labels, n_components, center, device)
                for device in ("cpu", "cuda")
            )
            np.testing.assert_allclose(there.angles, here.angles, atol=RESOLUTION)
