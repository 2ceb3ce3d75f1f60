import numpy as np
import pytest

from tdafeat.topology import disjoint_diagrams, persistence, subsample_diagrams

POINTS = 2.0 ** np.arange(11)[:, None]  # the distance of two of them tells which they are
PAIR = {abs(a - b): (a, b) for a in POINTS[:, 0] for b in POINTS[:, 0] if a < b}


def test_blocks_share_no_point():
    blocks = disjoint_diagrams(POINTS, n_points=2, maxdim=0)
    assert len(blocks) == 5
    used = [point for diagrams in blocks for point in PAIR[diagrams[0][0, 1]]]
    assert len(set(used)) == 10


def test_draws_are_without_replacement_and_share_points():
    draws = subsample_diagrams(POINTS, n_points=2, n_draws=40, maxdim=0)
    used = {PAIR[diagrams[0][0, 1]] for diagrams in draws}  # a point twice would give no bar
    assert len(used) > 20
    assert draws[0].record["n_samples"] == 2
    assert draws[0].record["drawn_from"] == 11


def test_all_points_give_the_diagrams_of_the_cloud():
    cloud = np.random.default_rng(0).normal(size=(15, 3))
    for found in (
        subsample_diagrams(cloud, 15, n_draws=1)[0],
        disjoint_diagrams(cloud, 15)[0],
    ):
        for a, b in zip(found, persistence(cloud), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-6)


@pytest.mark.parametrize("function", [subsample_diagrams, disjoint_diagrams])
@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_seeded_same_for_any_n_jobs_and_from_a_matrix(function, metric):
    cloud = np.random.default_rng(1).normal(size=(30, 3))
    norms = np.linalg.norm(cloud, axis=1)
    matrix = {
        "euclidean": np.linalg.norm(cloud[:, None] - cloud, axis=-1),
        "cosine": np.maximum(1 - cloud @ cloud.T / np.outer(norms, norms), 0),
    }[metric]
    np.fill_diagonal(matrix, 0)
    matrix = (matrix + matrix.T) / 2
    one, two = (function(cloud, 8, metric=metric, n_jobs=jobs) for jobs in (1, 2))
    precomputed = function(matrix, 8, metric="precomputed")
    other = function(cloud, 8, metric=metric, random_state=1)
    for a, b, c in zip(one, two, precomputed, strict=True):
        np.testing.assert_array_equal(a[1], b[1])
        np.testing.assert_allclose(a[0], c[0], rtol=1e-5)
    assert not np.array_equal(one[0][0], other[0][0])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: subsample_diagrams(POINTS, 12), "n_points must be between 1 and 11; got 12"),
        (lambda: disjoint_diagrams(POINTS, 0), "n_points must be at least 1; got 0"),
        (lambda: disjoint_diagrams(POINTS, 2, random_state=-1), "random_state must be at least 0"),
        (lambda: disjoint_diagrams(POINTS, 2, maxdim=-1), "maxdim must be at least 0; got -1"),
        (lambda: disjoint_diagrams(POINTS, 2, n_jobs=0), "n_jobs must be at least 1, or -1"),
        (lambda: subsample_diagrams(POINTS, 2, n_draws=0), "n_draws must be at least 1"),
        (lambda: disjoint_diagrams(POINTS, 2, metric="precomputed"), "square distance matrix"),
        (lambda: disjoint_diagrams(POINTS * np.nan, 2), "X must be finite"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()
