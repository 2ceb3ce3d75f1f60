from functools import partial

import numpy as np
import pytest

from tdafeat.topology import (
    distance_matrix,
    group_test,
    paired_cloud_test,
    persistence,
    subsample_diagrams,
    two_sample_test,
    wasserstein,
)


def ring(rng, n, noise):
    angle = rng.uniform(0, 2 * np.pi, n)
    points = np.column_stack([np.cos(angle), np.sin(angle)])
    return points + rng.normal(scale=noise, size=points.shape)


def test_statistic_is_the_distance_of_the_diagrams():
    rng = np.random.default_rng(0)
    a = rng.normal(size=(20, 3))
    b = a + rng.normal(scale=0.2, size=a.shape)
    for degree in (0, 1):
        outcome = paired_cloud_test(a, b, degree=degree, order=2, n_permutations=3)
        expected = wasserstein(persistence(a)[degree], persistence(b)[degree], order=2)
        assert outcome.statistic == pytest.approx(expected)
    cosine = paired_cloud_test(a, b, metric="cosine", distance="bottleneck", n_permutations=1)
    diagrams = [[persistence(cloud, metric="cosine")[1]] for cloud in (a, b)]
    assert cosine.statistic == distance_matrix(*diagrams, distance="bottleneck")[0, 0]


def test_noise_that_changes_the_topology_is_found_and_an_isometry_is_not():
    rng = np.random.default_rng(1)
    clean = ring(rng, 50, 0.0)
    assert paired_cloud_test(clean, clean + rng.normal(scale=0.5, size=clean.shape)).p < 0.02
    turn = np.array([[0.6, -0.8], [0.8, 0.6]])
    assert paired_cloud_test(clean, clean @ turn, n_permutations=49).p == 1
    assert paired_cloud_test(clean, clean, n_permutations=49).p == 1


def test_rows_of_a_group_swap_together():
    rng = np.random.default_rng(2)
    a, b = rng.normal(size=(2, 12, 2))
    names = np.repeat(["x", "y"], 6)  # two images: swapping one is swapping the other
    outcome = paired_cloud_test(a, b, degree=0, groups=names, n_permutations=30)
    mixed = wasserstein(
        *(persistence(np.vstack(m), 0)[0] for m in ((a[:6], b[6:]), (b[:6], a[6:])))
    )
    possible = np.array([outcome.statistic, mixed])
    assert np.isclose(outcome.drawn[:, None], possible, rtol=1e-6).any(axis=1).all()
    assert np.isclose(outcome.drawn, mixed, rtol=1e-6).any()


def test_the_same_for_any_n_jobs():
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=(2, 10, 2))
    paired = [paired_cloud_test(a, b, n_permutations=9, n_jobs=jobs).drawn for jobs in (1, 2)]
    np.testing.assert_array_equal(*paired)
    free = [two_sample_test(a, b, 4, n_permutations=9, n_jobs=jobs).drawn for jobs in (1, 2)]
    np.testing.assert_array_equal(*free)


def test_two_samples_of_different_shape_are_told_apart():
    rng = np.random.default_rng(4)
    outcome = two_sample_test(ring(rng, 400, 0.05), rng.normal(size=(300, 2)), n_points=30)
    assert outcome.p < 0.01
    assert outcome.null == "diagrams of 30 independent points have one law for both clouds"
    distances = np.abs(np.subtract.outer(*[rng.normal(size=60)] * 2))
    assert two_sample_test(distances, distances, metric="precomputed", degree=0).p > 0.05


def test_blocks_are_large_enough_for_what_is_asked():
    rng = np.random.default_rng(9)
    a, b = ring(rng, 60, 0.0), rng.normal(size=(70, 2))
    for degree, size in ((0, 6), (1, 8), (2, 12)):
        null = two_sample_test(a, b, degree=degree, n_permutations=1).null
        assert null.startswith(f"diagrams of {size} independent points")


def paired_null(seed, n=10, degree=0):
    """Two noisy views of each image: either could be the first."""
    rng = np.random.default_rng([5, seed])
    image = ring(rng, n, 0.0)
    a, b = image + rng.normal(scale=0.3, size=(2, n, 2))
    return paired_cloud_test(a, b, degree=degree, n_permutations=39, random_state=seed).p


def tokens_null(seed, by_image=True):
    """Images of 4 tokens each, moved together: tokens are not exchangeable one by one."""
    rng = np.random.default_rng([6, seed])
    tokens = np.repeat(rng.normal(size=(9, 2)), 4, axis=0) + rng.normal(scale=0.05, size=(36, 2))
    a, b = (tokens + np.repeat(rng.normal(size=(9, 2)), 4, axis=0) for _ in range(2))
    groups = np.repeat(np.arange(9), 4) if by_image else None
    return paired_cloud_test(a, b, 0, groups, n_permutations=39, random_state=seed).p


def two_sample_null(seed, degree=0):
    """Two samples of one ring, the second larger, turned and lifted into another space."""
    rng = np.random.default_rng([7, seed])
    lift = np.linalg.qr(rng.normal(size=(4, 4)))[0][:2]
    a, b = ring(rng, 60, 0.2), ring(rng, 72, 0.2) @ lift + 5.0
    return two_sample_test(a, b, 10, degree=degree, n_permutations=199, random_state=seed).p


def test_null_p_values_are_uniform(check_null):
    check_null(paired_null, runs=40, n_permutations=39)
    check_null(two_sample_null, runs=80, n_permutations=199)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("p_of", "runs", "n_permutations"),
    [
        (paired_null, 150, 39),
        (partial(paired_null, n=24, degree=1), 150, 39),
        (tokens_null, 150, 39),
        (two_sample_null, 400, 199),
        (partial(two_sample_null, degree=1), 400, 199),
    ],
)
def test_null_p_values_are_uniform_over_many_runs(check_null, p_of, runs, n_permutations):
    check_null(p_of, runs, n_permutations)


def test_tokens_one_by_one_and_overlapping_samples_reject_too_often():
    by_token = np.array([tokens_null(seed, by_image=False) for seed in range(15)])
    assert np.mean(by_token <= 0.05) > 0.3

    def overlapping(seed):
        rng = np.random.default_rng([8, seed])
        groups = (
            [d[0] for d in subsample_diagrams(ring(rng, 40, 0.2), 15, 12, 0, random_state=k)]
            for k in (0, 1)
        )
        return group_test(*groups, n_permutations=99).p

    assert np.mean([overlapping(seed) <= 0.05 for seed in range(25)]) > 0.3


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda a: paired_cloud_test(a, a[:-1]), "a and b must have the same shape"),
        (lambda a: paired_cloud_test(a, a, groups=[1, 2]), "groups must have one entry per row, 9"),
        (lambda a: paired_cloud_test(a, a, metric="precomputed"), "metric must be one of points"),
        (lambda a: paired_cloud_test(a, a, n_permutations=0), "n_permutations must be at least 1"),
        (lambda a: paired_cloud_test(a, a * np.nan), "b must be finite"),
        (lambda a: paired_cloud_test(a, a, degree=-1), "degree must be at least 0; got -1"),
        (lambda a: two_sample_test(a, a, degree=-1), "degree must be at least 0; got -1"),
        (lambda a: two_sample_test(a, a, 4, random_state=-1), "random_state must be at least 0"),
        (lambda a: two_sample_test(a, a, n_points=5), "n_points .* at most 4; got 5"),
        (lambda a: two_sample_test(a, a, n_points=3), "at least 4 for degree 1 .* got 3"),
        (lambda a: two_sample_test(a, a[:1]), "n_points .* leave two blocks"),
        (lambda a: two_sample_test(a, a[0]), "b must have 2 axes"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call(np.arange(18.0).reshape(9, 2))
