"""Centroids of planted clusters, whose means are known."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from tdafeat import FeatureSet
from tdafeat.analyses import centroids
from tdafeat.record import analyses

SHAPE = (1, 2, 3)
CORNERS = np.eye(6)[:4] * 0.8 + 0.1  # four images far apart
SIZES = (10, 20, 30, 40)


def planted(name, seed):
    which = np.repeat(np.arange(4), SIZES)
    noise = np.random.default_rng(seed).normal(scale=0.02, size=(100, 6))
    ids = [f"{name}{k}" for k in range(100)]
    return FeatureSet(np.clip(CORNERS[which] + noise, 0, 1), ids, which // 2, ("few", "many"))


TRAIN, TEST = planted("train", 0), planted("test", 1)


@pytest.fixture(scope="module")
def tables():
    return centroids(TEST, TRAIN, SHAPE)


def curve(tables, quantity, series, scope="all"):
    rows = tables["curves"]
    rows = rows[(rows["quantity"] == quantity) & (rows["scope"] == scope)]
    return rows[rows["series"] == series].set_index("x")["value"]


def test_the_means_of_planted_clusters_are_drawn_largest_first(tables):
    rows = tables["pictures"].query("scope == 'all' and set == 'K = 4'").sort_values("rank")
    assert rows["caption"].tolist() == ["40 %", "30 %", "20 %", "10 %"]
    found = [np.asarray(Image.open(BytesIO(png))).ravel() / 255 for png in rows["png"]]
    np.testing.assert_allclose(found, CORNERS[::-1], atol=0.02)


def test_one_centroid_is_the_mean_and_explains_nothing(tables):
    inertia = curve(tables, "inertia per image", "training images")
    assert inertia[1] == pytest.approx(TRAIN.features.var(axis=0).sum(), rel=1e-4)
    assert inertia.is_monotonic_decreasing
    explained = curve(tables, "share of the variance explained", "K centroids, training images")
    assert explained[1] == pytest.approx(0, abs=1e-5)
    assert explained[4] == pytest.approx(1 - inertia[4] / inertia[1], rel=1e-5)
    assert explained[4] > 0.98


def test_a_class_of_two_clusters_is_told_by_two_centroids(tables):
    inertia = curve(tables, "inertia per image", "training images", scope="few")
    assert inertia[2] < 0.02 * inertia[1]


@pytest.mark.parametrize("images", ["training images", "test images"])
def test_components_explain_at_least_as_much_as_centroids(tables, images):
    quantity = "share of the variance explained"
    by_centroids = curve(tables, quantity, f"K centroids, {images}")
    by_components = curve(tables, quantity, f"K components, {images}")
    assert by_components.index.tolist() == [1, 2, 4]  # of 6 directions
    assert (by_components >= by_centroids[by_components.index]).all()


def test_there_are_no_more_centroids_than_different_images():
    ids = [str(k) for k in range(12)]
    few = FeatureSet(np.repeat(CORNERS[:3], 4, axis=0), ids, [0] * 6 + [1] * 6, "ab")
    pictures = centroids(TEST, few, SHAPE)["pictures"]
    for scope in ("all", "a", "b"):
        assert set(pictures.loc[pictures["scope"] == scope, "set"]) == {"K = 1", "K = 2"}


def test_it_repeats(tables):
    again = centroids(TEST, TRAIN, SHAPE)
    assert again["pictures"].equals(tables["pictures"])
    assert again["curves"].equals(tables["curves"])


def test_the_answer_compares_equal_numbers(tables):
    (sentence,) = analyses["centroids"].answer(tables)
    assert sentence.startswith("4 centroids of K-means explain 9")
    assert "4 principal components 100 %" in sentence


def test_features_that_are_no_images_are_refused():
    with pytest.raises(ValueError, match="features that are images"):
        centroids(TEST, TRAIN, None)


def test_equal_images_have_no_centroids():
    same = FeatureSet(np.full((6, 6), 0.5), [f"i{k}" for k in range(6)], np.arange(6) // 3, "ab")
    with pytest.raises(ValueError, match="all training images are the same"):
        centroids(same, same, SHAPE)


def test_test_images_that_are_all_the_mean_have_nothing_to_explain():
    ids, labels = [f"i{k}" for k in range(8)], np.arange(8) // 4
    train = FeatureSet(np.repeat([[0.0], [1.0]], 4, axis=0) * np.ones(6), ids, labels, "ab")
    still = FeatureSet(np.full((8, 6), 0.5), ids, labels, "ab")
    tables = centroids(still, train, SHAPE)
    series = set(tables["curves"]["series"])
    assert "K centroids, training images" in series
    assert "K centroids, test images" not in series
    assert analyses["centroids"].answer(tables) == []
