"""Eigen-images of planted images, whose components are known, and of the digits."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from sklearn.decomposition import PCA

from tdafeat import FeatureSet, datasets
from tdafeat.analyses import eigenimages
from tdafeat.record import analyses

SHAPE = (1, 4, 4)
PATTERNS = np.zeros((2, 16))  # orthonormal: the left column, and two pixels of the top row
PATTERNS[0, [0, 4, 8, 12]] = 0.5
PATTERNS[1, [2, 3]] = 0.8, -0.6


def planted(first, second, labels, name):
    features = 0.4 + np.outer(first, PATTERNS[0]) + np.outer(second, PATTERNS[1])
    ids = [f"{name}{k}" for k in range(len(features))]
    return FeatureSet(features, ids, labels, ("a", "b"))


# uncorrelated, with variances in the ratio of 4 to 1, in the whole and in each class
SIDE = np.sqrt(0.08) * np.array([1, 1, -1, -1] * 2)
TOP = np.sqrt(0.02) * np.array([1, -1, 1, -1] * 2)
LABELS = np.repeat([0, 1], 4)
TRAIN = planted(SIDE, TOP, LABELS, "train")
TEST = planted(SIDE / 2, TOP, LABELS, "test")


@pytest.fixture(scope="module")
def tables():
    return eigenimages(TEST, TRAIN, SHAPE)


def curve(tables, quantity, series="training images", scope="all"):
    rows = tables["curves"]
    rows = rows[(rows["quantity"] == quantity) & (rows["scope"] == scope)]
    return rows[rows["series"] == series].set_index("x")["value"]


def checks(tables):
    rows = tables["curves"]
    return rows[rows["quantity"] == "checks"].set_index("series")["value"]


def drawn(tables, kind, scope="all", row=""):
    rows = tables["pictures"]
    rows = rows[(rows["kind"] == kind) & (rows["scope"] == scope) & (rows["set"] == row)]
    rows = rows.sort_values("rank")
    images = [np.asarray(Image.open(BytesIO(png))).astype(int) for png in rows["png"]]
    return dict(zip(rows["caption"], images, strict=True))


def test_planted_variances_are_found(tables):
    np.testing.assert_allclose(curve(tables, "share of the variance"), [0.8, 0.2], rtol=1e-5)
    np.testing.assert_allclose(curve(tables, "cumulative share"), [0.8, 1.0], rtol=1e-5)
    assert curve(tables, "components needed").to_dict() == {50: 1, 75: 1, 90: 2, 95: 2, 99: 2}


def test_one_component_leaves_what_the_other_holds(tables):
    left = "share of the variance left"
    np.testing.assert_allclose(curve(tables, left), [0.2, 0.0], atol=1e-6)
    # in test images the first pattern has a quarter of its variance: 0.02 / (0.02 + 0.02) is left
    np.testing.assert_allclose(curve(tables, left, "test images"), [0.5, 0.0], atol=1e-6)


def test_components_are_drawn_with_their_sign(tables):
    shown = drawn(tables, "components")
    assert list(shown) == ["mean", "80.0 %", "20.0 %"]
    assert np.ptp(shown["mean"]) == 0
    first, second = (shown[name][..., 0] - shown[name][..., 2] for name in ("80.0 %", "20.0 %"))
    assert (first[:, 0] > 100).all()
    assert not first[:, 1:].any()
    assert second[0, 2] > 100
    assert second[0, 3] < -60
    assert np.count_nonzero(second) == 2


def test_images_are_rebuilt_from_more_and_more_components(tables):
    shown = drawn(tables, "reconstructions", row="a")
    assert list(shown) == ["T = 1", "T = 2", "image"]
    np.testing.assert_array_equal(shown["T = 2"], shown["image"])
    gap = np.abs(shown["T = 1"] - shown["image"])
    assert gap.max() > 20
    assert gap.nonzero()[1].tolist() == [2, 3]


def test_whitening_and_the_routes_are_checked_by_numbers(tables):
    found = checks(tables)
    assert found["condition number of the covariance, 2 components"] == pytest.approx(4, rel=1e-5)
    assert found["the same after whitening, training images"] == pytest.approx(1)
    assert found["the same after whitening, test images"] == pytest.approx(4, rel=1e-5)
    gaps = found[[name for name in found.index if "against" in name]]
    assert len(gaps) == 3
    assert gaps.max() < 1e-12


def test_a_class_has_its_own_components_unless_it_is_a_single_image(tables):
    assert list(drawn(tables, "components", scope="a")) == ["mean", "80.0 %", "20.0 %"]
    rows = [0, 1, 2, 3, 0]
    lonely = planted(SIDE[rows], TOP[rows], [0, 0, 0, 0, 1], "one")
    assert set(eigenimages(TEST, lonely, SHAPE)["curves"]["scope"]) == {"all", "a"}


def test_the_answer_says_how_many_numbers_it_takes(tables):
    needed, left = analyses["eigenimages"].answer(tables)
    assert needed == (
        "2 of 2 principal components hold 90 % of the variance of the training images (1 hold "
        "half, 2 hold 99 %); within one class it takes 2 to 2."
    )
    assert left.startswith("Rebuilt from 2 numbers each, test images lose 0.0 %")


def as_features(split):
    images = datasets.load("digits", split)
    pixels = np.stack([images.read(k).ravel() for k in range(len(images))]) / 255
    return FeatureSet(pixels, images.ids, images.labels, images.classes)


def test_digits_are_rebuilt_as_scikit_learn_rebuilds_them():
    test, train = as_features("test"), as_features("train")
    tables = eigenimages(test, train, (1, 8, 8))
    assert checks(tables)[lambda c: c.index.str.contains("against")].max() < 1e-11
    left = curve(tables, "share of the variance left", "test images")
    assert left.is_monotonic_decreasing
    known = PCA(20, svd_solver="full").fit(train.features.astype(float))
    images = test.features.astype(float)
    error = np.square(images - known.inverse_transform(known.transform(images))).sum()
    assert left[20] == pytest.approx(error / np.square(images - known.mean_).sum(), rel=1e-6)


def test_colour_images_stay_in_colour():
    rng = np.random.default_rng(0)
    test, train = (
        FeatureSet(rng.random((8, 48)), [f"{s}{k}" for k in range(8)], [0, 1] * 4, ("a", "b"))
        for s in ("test", "train")
    )
    png = eigenimages(test, train, (3, 4, 4))["pictures"]["png"]
    assert {Image.open(BytesIO(content)).mode for content in png} == {"RGB"}


@pytest.mark.parametrize(
    ("train", "shape", "message"),
    [
        (TRAIN, None, "features that are images"),
        (planted([0] * 4, [0] * 4, [0, 0, 1, 1], "one"), SHAPE, "images are the same"),
    ],
    ids=["no images", "all the same"],
)
def test_refusals(train, shape, message):
    with pytest.raises(ValueError, match=message):
        eigenimages(TEST, train, shape)


def test_test_images_that_are_all_the_mean_have_nothing_to_lose():
    ids, labels = [f"i{k}" for k in range(8)], np.arange(8) // 4
    train = FeatureSet(np.repeat([[0.0], [1.0]], 4, axis=0) * np.ones(16), ids, labels, "ab")
    still = FeatureSet(np.full((8, 16), 0.5), ids, labels, "ab")
    tables = eigenimages(still, train, SHAPE)
    assert curve(tables, "share of the variance left", "test images").empty
    (sentence,) = analyses["eigenimages"].answer(tables)
    assert sentence.startswith("1 of 1 principal components")
