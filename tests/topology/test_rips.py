from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from joblib import Parallel, delayed
from scipy.spatial.distance import cdist, pdist, squareform

from tdafeat import datasets, encoders
from tdafeat.extraction import extract
from tdafeat.topology import bottleneck, persistence
from tdafeat.topology.rips import engine
from tdafeat.topology.rips.engine import h0_h1
from tdafeat.topology.rips.order import LAST, by_length


def symmetric(values):
    upper = np.triu(values, 1).astype(float)
    return upper + upper.T


def distances_of(points):
    return squareform(pdist(points))


def on_circle(angles):
    return np.column_stack([np.cos(angles), np.sin(angles)])


KINDS = {
    "normal": lambda rng, n: distances_of(rng.normal(size=(n, 3))),
    "uniform in the plane": lambda rng, n: distances_of(rng.random((n, 2))),
    "noise in many dimensions": lambda rng, n: distances_of(rng.normal(size=(n, 64))),
    "grid": lambda rng, n: distances_of(rng.integers(0, 4, size=(n, 2))),
    "lattice": lambda rng, n: distances_of(rng.integers(0, 3, size=(n, 4))),
    "Hamming": lambda rng, n: distances_of(rng.integers(0, 2, size=(n, 12))) ** 2,
    "non-metric": lambda rng, n: symmetric(rng.random((n, n))),
    "few lengths": lambda rng, n: symmetric(rng.integers(1, 6, size=(n, n))),
    "few lengths and zero": lambda rng, n: symmetric(rng.integers(0, 3, size=(n, n))),
    "circle": lambda rng, n: distances_of(on_circle(2 * np.pi * rng.random(n))),
    "polygon": lambda rng, n: distances_of(on_circle(2 * np.pi * np.arange(n) / n)),
    "line": lambda rng, n: distances_of(rng.random((n, 1))),
    "duplicates": lambda rng, n: distances_of(
        rng.normal(size=(n, 2))[rng.integers(n // 3 + 1, size=n)]
    ),
    "clusters": lambda rng, n: distances_of(
        rng.normal(size=(n, 5)) + 9 * rng.integers(0, 3, (n, 1))
    ),
    "all one point": lambda rng, n: np.zeros((n, n)),
    "all at one distance": lambda rng, n: 1.0 - np.eye(n),
    "cosine": lambda rng, n: squareform(pdist(rng.normal(size=(n, 5)), "cosine")),
    "tiny": lambda rng, n: np.float32(1e-41 * symmetric(rng.integers(0, 9, size=(n, n)))),
}


def agrees_with_ripser(kind, seed):
    rng = np.random.default_rng(seed)
    n = int(rng.choice([1, 2, 3, 4, 5, *range(6, 65, 3)]))
    matrix = KINDS[kind](rng, n)
    thresh = np.inf if rng.random() < 0.7 else np.quantile(matrix, rng.random(), method="nearest")
    arguments = {"metric": "precomputed", "thresh": thresh}
    expected = persistence(matrix, engine="ripser", **arguments)
    ours = persistence(matrix, engine="tdafeat", **arguments)
    for degree in (0, 1):
        np.testing.assert_array_equal(ours[degree], expected[degree], err_msg=f"{kind} {seed}")


@pytest.mark.parametrize("kind", KINDS)
def test_equal_to_ripser(kind):
    for seed in range(12):
        agrees_with_ripser(kind, seed)


@pytest.mark.parametrize("kind", KINDS)
def test_equal_to_what_ripser_itself_returns(kind):
    from ripser import ripser

    matrix = KINDS[kind](np.random.default_rng(5), 80).astype(np.float32)
    ours = persistence(matrix, metric="precomputed", engine="tdafeat", n_jobs=2)
    for degree, theirs in enumerate(ripser(matrix, maxdim=1, distance_matrix=True)["dgms"]):
        bars = theirs[theirs[:, 0] < theirs[:, 1]]
        in_order = bars[np.lexsort((bars[:, 1], bars[:, 0]))]
        np.testing.assert_array_equal(ours[degree], in_order)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_equal_to_ripser_on_many(kind):
    for seed in range(12, 132):
        agrees_with_ripser(kind, seed)


@pytest.mark.parametrize("kind", ["uniform in the plane", "clusters", "grid"])
def test_equal_to_ripser_on_larger_clouds_whatever_the_threads(kind, monkeypatch):
    monkeypatch.setattr(engine, "_FEW", 100)  # else one thread does so few points
    # Large enough for shares of rows, several levels, settled deaths and a grown table of roles.
    matrix = KINDS[kind](np.random.default_rng(0), 400)
    expected = persistence(matrix, metric="precomputed", engine="ripser")
    for n_jobs in (1, 2, 3):
        ours = persistence(matrix, metric="precomputed", engine="tdafeat", n_jobs=n_jobs)
        for degree in (0, 1):
            np.testing.assert_array_equal(ours[degree], expected[degree])


@pytest.mark.slow
@pytest.mark.parametrize("encoder", ["pixels", "densenet:fashion-mnist"])
@pytest.mark.parametrize("n_points", [500, 1500])
def test_equal_to_ripser_on_fashion_mnist(real_data, encoder, n_points):
    images = datasets.load("fashion_mnist", split="test", root=real_data).subset(range(n_points))
    features = extract(images, encoders.load(encoder))[0].features
    expected = persistence(features, engine="ripser")
    ours = persistence(features, engine="tdafeat", n_jobs=2)
    for degree in (0, 1):
        np.testing.assert_array_equal(ours[degree], expected[degree])


def test_order_of_the_points_does_not_matter():
    rng = np.random.default_rng(1)
    matrix = distances_of(rng.integers(0, 5, size=(80, 3)))  # ties are broken otherwise
    shuffled = rng.permutation(80)
    one = persistence(matrix, metric="precomputed", engine="tdafeat")
    other = persistence(matrix[np.ix_(shuffled, shuffled)], metric="precomputed", engine="tdafeat")
    for degree in (0, 1):
        np.testing.assert_array_equal(one[degree], other[degree])


@pytest.mark.parametrize("offset", [0.0, 10.0, 1e4])
def test_float32_points_agree_to_their_precision(offset):
    points = offset + np.random.default_rng(2).normal(size=(60, 3))
    exact = persistence(points, engine="tdafeat")
    rounded = persistence(points.astype(np.float32), engine="tdafeat")
    # Both ends move by half a last digit of each coordinate; then the length is rounded.
    digit = np.finfo(np.float32).eps
    bound = digit * (np.sqrt(3) * abs(points).max() + np.ptp(points, axis=0).max() * np.sqrt(3))
    for degree in (0, 1):
        assert bottleneck(exact[degree], rounded[degree]) <= bound


def test_the_loops_of_a_torus():
    turns = np.linspace(0, 2 * np.pi, 20, endpoint=False)
    u, v = (angle.ravel() for angle in np.meshgrid(turns, turns))
    torus = np.column_stack([on_circle(u), on_circle(v)])  # flat, in R^4
    h1 = persistence(torus, engine="tdafeat")[1]
    long = h1[h1[:, 1] - h1[:, 0] > 1]
    # Each loop is born at the step and filled by the triangles over a third of a turn or less.
    np.testing.assert_allclose(long[:, 0], 2 * np.sin(np.pi / 20), rtol=1e-6)
    assert len(long) == 2


def test_two_clusters_die_at_their_gap():
    rng = np.random.default_rng(3)
    left, right = rng.random((40, 2)), rng.random((50, 2)) + np.array([7, 0])
    h0 = persistence(np.concatenate([left, right]), engine="tdafeat")[0]
    assert h0[-2, 1] == np.float32(cdist(left, right).min())


def test_safe_in_threads_and_in_processes():
    clouds = [np.random.default_rng(seed).normal(size=(300, 3)) for seed in range(4)]
    expected = [persistence(points, engine="tdafeat")[1] for points in clouds]
    with ThreadPoolExecutor(4) as pool:
        in_threads = list(
            pool.map(lambda points: persistence(points, engine="tdafeat", n_jobs=2)[1], clouds)
        )
    in_processes = Parallel(n_jobs=2)(
        delayed(persistence)(points, engine="tdafeat", n_jobs=2) for points in clouds
    )
    for alone, threaded, elsewhere in zip(expected, in_threads, in_processes, strict=True):
        np.testing.assert_array_equal(alone, threaded)
        np.testing.assert_array_equal(alone, elsewhere[1])


def test_the_matrix_of_the_caller_is_left_alone():
    matrix = distances_of(np.random.default_rng(4).random((20, 2))).astype(np.float32)
    before = matrix.copy()
    persistence(matrix, metric="precomputed", engine="tdafeat")
    np.testing.assert_array_equal(matrix, before)


def test_minus_zero_is_zero():
    matrix = np.array([[0, -0.0, 1], [-0.0, 0, 1], [1, 1, 0]], np.float32)
    h0, h1 = h0_h1(matrix, np.inf, 1)
    np.testing.assert_array_equal(h0, [[0, 1], [0, np.inf]])
    assert h1.shape == (0, 2)


def test_more_than_it_can_is_refused():
    with pytest.raises(ValueError, match="'tdafeat' computes degrees up to 1; got maxdim=2"):
        persistence(np.eye(3), maxdim=2, engine="tdafeat")
    with pytest.raises(ValueError, match="takes at most 65535 points; got 65536: set n_landmarks"):
        persistence(np.ones((65_536, 1)), engine="tdafeat")
    with pytest.raises(
        ValueError, match=r"distances of 3000000 points need .* GB; set n_landmarks"
    ):
        persistence(np.ones((3_000_000, 1)), maxdim=0, engine="ripser")


@pytest.mark.parametrize("keys", [[], [7], [5] * 9, [0, LAST - 1, 0, 3, 1 << 20], "narrow", "wide"])
def test_edges_are_sorted_by_length_then_as_they_come(keys):
    if isinstance(keys, str):
        rng = np.random.default_rng(5)
        keys = rng.integers(1 << 29, (1 << 29) + (2000 if keys == "narrow" else 1 << 30), size=3000)
    places = np.arange(len(keys))  # in the place of vertices: no two edges have the same
    edges = (np.asarray(keys, np.int64) << 32) | places
    np.testing.assert_array_equal(by_length(edges.copy()), np.sort(edges))
