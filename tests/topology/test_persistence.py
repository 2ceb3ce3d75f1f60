import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.spatial.distance import pdist, squareform

from tdafeat.errors import UnknownName
from tdafeat.topology import bottleneck, persistence
from tdafeat.topology.landmarks import farthest_points


def test_a_circle_has_one_long_loop(circle):
    h0, h1 = persistence(circle)
    assert h0.shape == (30, 2)
    step = 2 * np.sin(np.pi / 30)  # chord between neighbours
    np.testing.assert_allclose(h0[:-1], np.tile([0, step], (29, 1)), rtol=1e-6)
    # The loop is filled by the inscribed triangle of every third point: side sqrt(3).
    np.testing.assert_allclose(h1, [[step, np.sqrt(3)]], rtol=1e-6)


def test_two_clusters_merge_at_their_gap():
    rng = np.random.default_rng(0)
    points = np.concatenate([rng.random((20, 2)), rng.random((20, 2)) + np.array([10, 0])])
    h0 = persistence(points, maxdim=0)[0]
    finite = h0[np.isfinite(h0[:, 1]), 1]
    gap = np.linalg.norm(points[:20, None] - points[None, 20:], axis=-1).min()
    assert finite[-1] == pytest.approx(gap, rel=1e-6)
    assert finite[-2] < 1
    assert np.isinf(h0[-1, 1])


@pytest.mark.slow
def test_a_torus_has_two_loops_and_one_void():
    turns = np.linspace(0, 2 * np.pi, 20, endpoint=False)
    u, v = (angle.ravel() for angle in np.meshgrid(turns, turns))
    torus = np.column_stack([np.cos(u), np.sin(u), np.cos(v), np.sin(v)])  # flat, in R^4
    _, h1, h2 = persistence(torus, maxdim=2)
    assert np.count_nonzero(h1[:, 1] - h1[:, 0] > 1) == 2
    assert np.count_nonzero(h2[:, 1] - h2[:, 0] > 0.5) == 1


def test_a_sphere_has_a_void_and_no_long_loop():
    index = np.arange(60) + 0.5  # Fibonacci lattice
    height, turn = 1 - index / 30, np.pi * (1 + 5**0.5) * index
    radius = np.sqrt(1 - height**2)
    sphere = np.column_stack([radius * np.cos(turn), radius * np.sin(turn), height])
    _, h1, h2 = persistence(sphere, maxdim=2)
    assert (h1[:, 1] - h1[:, 0]).max() < 0.3
    assert np.count_nonzero(h2[:, 1] - h2[:, 0] > 0.5) == 1


@settings(deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 40))
def test_h0_deaths_are_the_minimum_spanning_tree(seed, n):
    matrix = squareform(pdist(np.random.default_rng(seed).normal(size=(n, 4))))
    h0 = persistence(matrix, maxdim=0, metric="precomputed")[0]
    tree = np.sort(minimum_spanning_tree(matrix).data)
    assert (h0[:, 0] == 0).all()
    np.testing.assert_array_equal(h0[:, 1], np.append(tree.astype(np.float32), np.inf))


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), noise=st.floats(0, 0.5))
def test_stability_under_moving_points(seed, noise):
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(25, 2))
    direction = rng.normal(size=points.shape)
    moved = points + noise * direction / np.linalg.norm(direction, axis=1, keepdims=True)
    for before, after in zip(persistence(points), persistence(moved), strict=True):
        assert bottleneck(before, after) <= 2 * noise + 1e-6


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n_landmarks=st.integers(1, 60))
def test_landmarks_keep_their_promise(seed, n_landmarks):
    points = np.random.default_rng(seed).normal(size=(50, 2))
    few = persistence(points, n_landmarks=n_landmarks)
    assert few.record["n_landmarks"] == min(n_landmarks, 50)
    assert few.record["n_samples"] == 50
    for exact, approximate in zip(persistence(points), few, strict=True):
        assert bottleneck(exact, approximate) <= 2 * few.record["covering_radius"] + 1e-6


@pytest.mark.parametrize("metric", ["euclidean", "cosine", "correlation"])
def test_a_cloud_and_its_distance_matrix_agree(metric):
    points = np.random.default_rng(3).normal(size=(30, 5))
    matrix = squareform(pdist(points, metric))
    for n_landmarks in (None, 10):
        from_cloud = persistence(points, metric=metric, n_landmarks=n_landmarks)
        from_matrix = persistence(matrix, metric="precomputed", n_landmarks=n_landmarks)
        for a, b in zip(from_cloud, from_matrix, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-6)


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    engine=st.sampled_from(["tdafeat", "ripser"]),
    metric=st.sampled_from(["euclidean", "cosine"]),
)
def test_invariances(seed, engine, metric):
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(30, 3))
    rotation = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    shift = 7.0 if metric == "euclidean" else 0.0
    moved = rng.permutation(points @ rotation + shift)
    diagrams, of_moved, of_larger = (
        persistence(cloud, metric=metric, engine=engine) for cloud in (points, moved, 3 * points)
    )
    for degree in (0, 1):
        # Two bars may change places in the order of births, or one of no length appear: so by
        # bottleneck distance.
        assert bottleneck(diagrams[degree], of_moved[degree]) <= 1e-6
        unit = 3.0 if metric == "euclidean" else 1.0
        assert bottleneck(unit * diagrams[degree], of_larger[degree]) <= 3e-6


def test_torch_float32_and_lists_are_taken():
    points = np.random.default_rng(5).normal(size=(20, 3)).astype(np.float32)
    expected = persistence(points.astype(np.float64))
    for values in (points, torch.from_numpy(points).requires_grad_(), points.tolist()):
        for a, b in zip(persistence(values), expected, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_smallest_clouds(n):
    diagrams = persistence(np.eye(3)[:n], maxdim=2)
    assert diagrams[0][:, 1].tolist() == [float(np.float32(2**0.5))] * (n - 1) + [np.inf]
    assert diagrams[1].shape == diagrams[2].shape == (0, 2)


def test_duplicates_bring_no_bars():
    points = np.random.default_rng(6).normal(size=(10, 2))
    for a, b in zip(persistence(points), persistence(np.tile(points, (3, 1))), strict=True):
        np.testing.assert_array_equal(a, b)


def test_bars_alive_at_the_threshold_never_die():
    square = [[0, 0], [0, 1], [1, 1], [1, 0]]
    diagrams = persistence(square, thresh=1.2)
    assert diagrams[1].tolist() == [[1, np.inf]]
    assert persistence(square, thresh=0.5)[0].tolist() == [[0, np.inf]] * 4
    assert diagrams.record["thresh"] == 1.2


def test_an_edge_as_long_as_the_threshold_is_in():
    length = 0.1 * 3  # rounds up to float32
    assert len(persistence([[0], [length]], thresh=length)[0]) == 2
    assert persistence([[0], [length]], thresh=length)[0][0, 1] == np.float32(length)


def test_degree_zero_alone_equals_degree_zero_with_others(circle):
    np.testing.assert_array_equal(persistence(circle, 0)[0], persistence(circle, 2)[0])


@pytest.mark.parametrize("prime", [2, 3])
@pytest.mark.parametrize("n_landmarks", [None, 20])
def test_a_cocycle_of_a_circle_cuts_its_loop(prime, n_landmarks):
    angles = 2 * np.pi * np.random.default_rng(8).random(25)
    points = np.column_stack([np.cos(angles), np.sin(angles)])
    diagrams = persistence(points, cocycles=True, coefficients=prime, n_landmarks=n_landmarks)
    cocycles = diagrams.record["cocycles"]
    assert [len(found) for found in cocycles] == [0, len(diagrams[1])] == [0, 1]
    values = {tuple(edge): value for *edge, value in cocycles[1][0].tolist()}
    # Once around, in steps between neighbours, it does not add up to zero.
    indices = farthest_points(lambda i: np.linalg.norm(points - points[i], axis=1), 25)[0]
    around = sorted(indices[: n_landmarks or 25], key=lambda i: angles[i])
    total = 0
    for a, b in zip(around, [*around[1:], around[0]], strict=True):
        total += values.get((a, b), 0) - values.get((b, a), 0)
    assert total % prime != 0


def test_sparse_distances_are_those_below_the_threshold():
    matrix = squareform(pdist(np.random.default_rng(9).normal(size=(40, 3))))
    dense = persistence(matrix, metric="precomputed", thresh=1.5)
    for engine in ("auto", "ripser"):
        kept = coo_matrix(np.where(matrix <= 1.5, matrix, 0))
        sparse = persistence(kept, metric="precomputed", engine=engine)
        for a, b in zip(dense, sparse, strict=True):
            np.testing.assert_array_equal(a, b)
    assert sparse.record["n_samples"] == 40


def test_a_sparse_matrix_is_of_the_edges_it_stores():
    points = np.array([[0.0], [0.0], [1.0]])  # two are the same
    distances = squareform(pdist(points))
    stored = coo_matrix((distances.ravel(), np.indices((3, 3)).reshape(2, -1)))
    whole = persistence(stored, metric="precomputed")
    assert whole.record["sparse"]
    np.testing.assert_array_equal(whole[0], persistence(points)[0])
    lost = persistence(csr_matrix(distances), metric="precomputed")  # it drops what is zero
    assert len(lost[0]) == len(whole[0]) + 1


def test_the_record_says_how():
    record = persistence(np.eye(4), metric="cosine", engine="ripser").record
    version = record.pop("version")
    assert version[0].isdigit()
    assert record == {
        "engine": "ripser",
        "reason": "asked for",
        "coefficients": 2,
        "metric": "cosine",
        "thresh": np.inf,
        "n_samples": 4,
        "n_landmarks": 4,
        "covering_radius": 0.0,
    }


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"coefficients": 4}, ValueError, "coefficients must be a prime from 2 to 127; got 4"),
        ({"coefficients": 131}, ValueError, "coefficients must be a prime from 2 to 127; got 131"),
        ({"X": csr_matrix(np.eye(3))}, ValueError, "a sparse X takes metric='precomputed'"),
        ({"maxdim": -1}, ValueError, "maxdim must be at least 0; got -1"),
        ({"maxdim": 1.5}, TypeError, "maxdim must be a whole number; got 1.5"),
        ({"thresh": -1}, ValueError, "thresh must be a length >= 0; got -1"),
        ({"thresh": "1"}, TypeError, "thresh must be a number; got '1'"),
        ({"metric": None}, TypeError, r"metric must be a name, one of \['correlation'"),
        ({"thresh": np.nan}, ValueError, "thresh must be a length >= 0; got nan"),
        ({"n_landmarks": 0}, ValueError, "n_landmarks must be at least 1; got 0"),
        ({"n_landmarks": 2.5}, TypeError, "n_landmarks must be a whole number"),
        ({"cocycles": "no"}, TypeError, "cocycles must be True or False; got 'no'"),
        ({"n_jobs": 0}, ValueError, "n_jobs must be at least 1, or -1 for all cores; got 0"),
        ({"metric": "euclidan"}, UnknownName, "metric 'euclidan'; did you mean 'euclidean'"),
        ({"engine": "giotto_ph"}, UnknownName, "engine 'giotto_ph'; did you mean 'giotto-ph'"),
        ({"X": [[np.nan]]}, ValueError, "X must be finite"),
        ({"X": [[1e300], [-1e300]]}, ValueError, "X must have a largest entry"),
        ({"X": [[3e38], [-3e38]]}, ValueError, "X lies beyond the range of float32"),
    ],
)
def test_bad_input(arguments, error, message):
    with pytest.raises(error, match=message):
        persistence(**{"X": np.eye(3), **arguments})
