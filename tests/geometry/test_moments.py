import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from tdafeat.geometry import (
    Moments,
    class_angle_mean,
    class_angles,
    class_distance_variance,
    collapse_verdict,
    etf_distance,
    mean_cosine,
    nc1,
    nc2_equiangular,
    nc2_equinorm,
    principal_angles,
    principal_components,
    rankme,
    spectrum,
    total_variance,
)

CLASS_STATISTICS = [
    nc2_equinorm,
    nc2_equiangular,
    etf_distance,
    class_distance_variance,
    *(lambda x, y=None, f=form: nc1(x, y, f) for form in ("pinv", "pinv_sum", "trace")),
]


def cloud(n, d, n_classes=5, seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, n_classes, n)
    centres = rng.normal(size=(n_classes, d)) * 3
    return centres[labels] + rng.normal(size=(n, d)) * rng.uniform(0.5, 2, d), labels


@pytest.mark.parametrize(("n", "d"), [(300, 12), (9, 30)])
def test_spectra_equal_those_of_the_whole_cloud(n, d):
    points, labels = cloud(n, d)
    moments = Moments.of(points, labels, chunk=7)
    expected = spectrum(points)
    assert len(spectrum(moments)) == len(expected)
    assert_allclose(spectrum(moments), expected, rtol=1e-9, atol=1e-12 * expected[0])
    assert_allclose(total_variance(moments), total_variance(points), rtol=1e-12)
    # singular values that are 0 come out as the root of rounding, 1e-8 of the largest
    assert_allclose(rankme(moments), rankme(points), rtol=1e-5)


@pytest.mark.parametrize("statistic", CLASS_STATISTICS)
def test_class_statistics_equal_those_of_the_whole_cloud(statistic):
    points, labels = cloud(200, 8)
    assert_allclose(
        statistic(Moments.of(points, labels, chunk=11)), statistic(points, labels), 1e-9
    )


@pytest.mark.parametrize(("n", "d"), [(300, 12), (9, 30)])
def test_directions_equal_those_of_the_whole_cloud(n, d):
    points, labels = cloud(n, d)
    moments = Moments.of(points, labels, chunk=7)
    assert_allclose(mean_cosine(moments), mean_cosine(points), rtol=1e-12)
    found, expected = (principal_components(x, 5) for x in (moments, points))
    assert_allclose(found.components, expected.components, atol=1e-9)
    assert_allclose(found.project(points), expected.project(points), atol=1e-9)
    assert_allclose(found.residual_variance, expected.residual_variance, rtol=1e-9)
    axes = np.eye(d)[:3]
    for center in (False, True):
        assert_allclose(
            principal_angles(moments, axes + 1, 2, center),
            principal_angles(points, axes + 1, 2, center),
            atol=1e-6,
        )
        assert not principal_angles(moments, Moments.of(points), 4, center).round(6).any()


def test_as_many_components_as_the_cloud_has():
    points, labels = cloud(9, 30)
    for rows in (points, np.full((9, 30), 1e7 / 3), points[:, :1] @ np.ones((1, 30))):
        found = principal_components(Moments.of(rows, labels, chunk=2))
        assert found.components.shape == principal_components(rows).components.shape


def test_angles_between_classes_equal_those_of_the_whole_cloud():
    points, labels = cloud(200, 12)
    moments = Moments.of(points, labels, chunk=11, scatters=True)
    assert_allclose(class_angle_mean(moments), class_angle_mean(points, labels), atol=1e-9)


def test_the_verdict_is_that_of_the_whole_cloud():
    points, labels = cloud(200, 8)
    for rows, classes in (
        (points, labels),
        (points, None),
        (np.where(np.arange(200)[:, None] == 3, 0.0, points), labels),  # no direction, no cosine
    ):
        found = collapse_verdict(Moments.of(rows, classes, chunk=11))
        expected = collapse_verdict(rows, classes)
        assert found.kind == expected.kind
        assert found.evidence == pytest.approx(dict(expected.evidence))


def test_a_large_common_offset_costs_no_digits():
    points, labels = cloud(100, 4)
    far = Moments.of(points + 1e6, labels, chunk=9)
    assert_allclose(spectrum(far), spectrum(points), rtol=1e-8)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 39), max_size=6), st.randoms(use_true_random=False))
def test_parts_merge_in_any_split_and_order(cuts, random):
    points, labels = cloud(40, 3)
    parts = [
        Moments.of(x, y)
        for x, y in zip(*(np.split(a, sorted(set(cuts))) for a in (points, labels)), strict=True)
    ]
    random.shuffle(parts)
    total = sum(parts[1:], parts[0])
    whole = Moments.of(points, labels)
    assert_allclose(total.counts, whole.counts)
    for name in ("means", "squares", "within", "directions", "scatter", "raw", "mean"):
        assert_allclose(getattr(total, name), getattr(whole, name), rtol=1e-10, atol=1e-10)


def test_scatter_is_numpys_covariance():
    points, labels = cloud(50, 6)
    moments = Moments.of(torch.from_numpy(points).float(), labels, chunk=8)
    assert_allclose(moments.scatter / 49, np.cov(points.T), rtol=1e-4, atol=1e-5)


def test_a_memory_map_is_left_as_it_is(tmp_path):
    points, labels = cloud(64, 5)
    np.save(tmp_path / "x.npy", points.astype(np.float32))
    for mode in ("r", "r+", "c"):
        mapped = np.load(tmp_path / "x.npy", mmap_mode=mode)
        if mode == "c":
            mapped[0] = 1.0  # a private change, which giving its page back would lose
        before = np.array(mapped)
        own = Moments.of(mapped[3:], labels[3:], chunk=10)
        assert_allclose(own.means, Moments.of(before[3:], labels[3:]).means, rtol=1e-12)
        assert np.array_equal(mapped, before)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.zeros(3),), r"2 axes and at least one row; got shape \(3,\)"),
        ((np.zeros((0, 3)),), r"at least one row; got shape \(0, 3\)"),
        ((np.eye(3), [0, 1]), "3 rows, 2 labels"),
        ((np.eye(3), None, -1), "chunk must be at least 1; got -1"),
        ((np.array([[0.0], [1], [np.nan]]), None, 2), r"features\[2:3\] must be finite"),
    ],
)
def test_bad_input(arguments, message):
    with pytest.raises(ValueError, match=message):
        Moments.of(*arguments)


def test_moments_of_unlike_clouds_do_not_add():
    with pytest.raises(ValueError, match="equally many columns"):
        Moments.of(np.eye(2)) + Moments.of(np.eye(3))


def test_too_little_for_a_statistic():
    with pytest.raises(ValueError, match="at least 2 rows"):
        spectrum(Moments.of([[1.0, 2.0]]))
    with pytest.raises(ValueError, match="at least two classes"):
        nc1(Moments.of(np.eye(3)))
    with pytest.raises(ValueError, match="at least 2 rows"):
        principal_components(Moments.of([[1.0, 2.0]]))
    for rows in ([[1.0, 2.0]], [[1.0, 2.0], [0.0, 0.0]]):
        with pytest.raises(ValueError, match="at least 2 rows, none of them all zeros"):
            mean_cosine(Moments.of(rows, chunk=1))
    with pytest.raises(ValueError, match="auto or covariance of moments; got 'gram'"):
        principal_components(Moments.of(np.eye(3)), route="gram")
    with pytest.raises(ValueError, match="equally many columns"):
        principal_angles(Moments.of(np.eye(3)), np.eye(2))


@pytest.mark.parametrize("function", [nc1, etf_distance, class_angles, collapse_verdict])
def test_labels_beside_moments_are_refused(function):
    points, labels = cloud(40, 3)
    with pytest.raises(ValueError, match="labels must be left out beside moments"):
        function(Moments.of(points, labels, scatters=True), labels)
