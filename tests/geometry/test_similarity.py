import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import procrustes
from scipy.spatial.distance import pdist
from scipy.stats import spearmanr
from sklearn.neighbors import NearestNeighbors

from tdafeat.geometry import (
    linear_cka,
    mutual_neighbours,
    procrustes_disparity,
    representational_similarity,
)
from tdafeat.geometry.similarity import MOST_ROWS

ALL = (linear_cka, procrustes_disparity, representational_similarity, mutual_neighbours)


def pair(n=60, d=7, e=7, noise=0.5, seed=0):
    rng = np.random.default_rng(seed)
    a = rng.normal(size=(n, d))
    mixed = a @ rng.normal(size=(d, e))
    return a, mixed + noise * rng.normal(size=(n, e)) + rng.normal(size=e)


def u_centred(gram):
    """As Szekely and Rizzo (2014) define it, entry by entry."""
    n = len(gram)
    off = gram - np.diag(np.diag(gram))
    rows = off.sum(axis=1)
    centred = off - rows[:, None] / (n - 2) - rows[None] / (n - 2)
    centred += off.sum() / ((n - 1) * (n - 2))
    return centred - np.diag(np.diag(centred))


@settings(max_examples=40, deadline=None)
@given(st.integers(5, 40), st.integers(1, 30), st.integers(1, 30), st.integers(0, 10**6))
def test_cka_is_the_cosine_of_the_u_centred_gram_matrices(n, d, e, seed):
    a, b = pair(n, d, e, seed=seed)
    x, y = u_centred(a @ a.T), u_centred(b @ b.T)
    expected = (x * y).sum() / np.sqrt((x * x).sum() * (y * y).sum())
    assert linear_cka(a, b) == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize(("n", "d"), [(200, 512), (1880, 512)])
def test_cka_of_unrelated_features_is_none_where_the_biased_form_is_not(n, d):
    a, b = np.random.default_rng(0).normal(size=(2, n, d))
    assert abs(linear_cka(a, b)) < 0.02
    x, y = (points - points.mean(axis=0) for points in (a, b))
    biased = np.square(x.T @ y).sum() / np.linalg.norm(x.T @ x) / np.linalg.norm(y.T @ y)
    assert biased == pytest.approx(d / (n + d), abs=0.01)  # 0.7195 and 0.2132


def test_procrustes_agrees_with_scipy():
    a, b = pair()
    assert procrustes_disparity(a, b) == pytest.approx(procrustes(a, b)[2])
    narrow = b[:, :4]
    padded = np.hstack([narrow, np.zeros((60, 3))])
    assert procrustes_disparity(a, narrow) == pytest.approx(procrustes(a, padded)[2])


def test_representational_similarity_agrees_with_scipy():
    a, b = pair(e=4)
    expected = spearmanr(pdist(a), pdist(b)).statistic
    assert representational_similarity(a, b) == pytest.approx(expected)


def test_representational_similarity_ranks_equal_distances_alike():
    rng = np.random.default_rng(11)
    # a grid: few distances, many pairs of each, and some points twice
    a, b = rng.integers(0, 3, size=(60, 2)), rng.integers(0, 3, size=(60, 3))
    expected = spearmanr(pdist(a), pdist(b)).statistic
    assert representational_similarity(a, b) == pytest.approx(expected, rel=1e-9)


def test_representational_similarity_of_many_rows_is_near_that_of_all():
    a, b = pair(n=MOST_ROWS + 500, d=3, e=3, noise=1.0)
    expected = spearmanr(pdist(a), pdist(b)).statistic
    assert representational_similarity(a, b) == pytest.approx(expected, abs=0.03)


def test_mutual_neighbours_agree_with_scikit_learn():
    a, b = pair(n=80)
    near = [NearestNeighbors(metric="cosine").fit(x).kneighbors(n_neighbors=10)[1] for x in (a, b)]
    shared = [len(set(x) & set(y)) / 10 for x, y in zip(*near, strict=True)]
    assert mutual_neighbours(a, b) == pytest.approx(np.mean(shared))


def test_unrelated_spaces_share_neighbours_by_chance():
    a, b = np.random.default_rng(1).normal(size=(2, 400, 6))
    assert mutual_neighbours(a, b) == pytest.approx(10 / 399, abs=0.01)


@pytest.mark.parametrize("function", ALL)
def test_a_space_is_most_alike_itself_and_the_order_of_two_does_not_matter(function):
    a, b = pair()
    most = 0.0 if function is procrustes_disparity else 1.0
    assert function(a, a) == pytest.approx(most, abs=1e-12)
    assert function(a, b) == pytest.approx(function(b, a), abs=1e-9)


@pytest.mark.parametrize("function", ALL)
def test_other_numbers_of_rows_are_refused(function):
    a, b = pair()
    with pytest.raises(ValueError, match="rows of the same images; got 60 and 59 rows"):
        function(a, b[:-1])


@pytest.mark.parametrize("function", ALL[:3])
@pytest.mark.parametrize("value", [0.0, 1 / 3, 1e49])
def test_a_single_point_is_like_nothing(function, value):
    a, _ = pair()
    assert np.isnan(function(a, np.full((60, 2), value)))


@pytest.mark.parametrize("scale", [1e-45, 1e45])
def test_tiny_and_huge_features(scale):
    a, b = pair()
    for function in ALL:
        assert function(scale * a, b) == pytest.approx(function(a, b), abs=1e-9)
