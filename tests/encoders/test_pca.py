import numpy as np
import pytest
import torch

from tdafeat import datasets, encoders
from tdafeat.datasets import ImageSet
from tdafeat.extraction import extract


def images(n=30, side=12, version="1", seed=0, **changes):
    """Random pictures, and a list of which were read."""
    pixels = np.random.default_rng(seed).integers(0, 256, (n, side, side, 3), dtype=np.uint8)
    read = []

    def one(index):
        read.append(index)
        return pixels[index]

    ids = tuple(f"{k}" for k in range(n))
    known = {"name": "random", "split": "train", "ids": ids, "classes": ("a", "b"), "read": one}
    return ImageSet(labels=np.arange(n) % 2, version=version, **(known | changes)), read


def test_features_are_the_leading_singular_vectors():
    train, _ = images()
    encoder = encoders.load("pca:5/12").fit(train)
    rows = np.stack([train.read(k).transpose(2, 0, 1).ravel() for k in range(30)]) / 255
    left, singular, _ = np.linalg.svd(rows - rows.mean(axis=0), full_matrices=False)
    features = extract(train, encoder)[0].features
    expected = (left * singular)[:, :5]
    signs = np.sign((features * expected).sum(axis=0))
    assert np.allclose(features, expected * signs, atol=1e-3)


def test_grey_and_side_are_those_of_pixels():
    encoder = encoders.load("pca:3/10#grey")
    assert (encoder.layer, encoder.dimension, encoder.name) == ("grey", 3, "pca:3/10")
    assert encoder.preprocessing == encoders.load("pixels:10#grey").preprocessing
    assert extract(images()[0], encoder.fit(images()[0]))[0].features.shape == (30, 3)


def test_nothing_is_read_before_it_is_needed():
    train, read = images()
    encoder = encoders.load("pca:3").fit(train)
    assert read == []
    encoder.encode(torch.zeros(1, 3, 32, 32))
    assert sorted(read) == list(range(30))
    encoder.encode(torch.zeros(1, 3, 32, 32))
    assert len(read) == 30


def test_the_version_names_what_it_was_fitted_on():
    def version(**changes):
        return encoders.load("pca:3").fit(images(**changes)[0]).version

    assert version() == version()
    others = [
        {"version": "2"},
        {"name": "other"},
        {"split": "test"},
        {"n": 29},
        {"ids": tuple(f"x{k}" for k in range(30))},
    ]
    assert len({version(), *(version(**other) for other in others)}) == 6


def test_fitted_on_a_subset_is_another_version():
    train = datasets.load("textures:16", "train", limit=4)
    fewer = datasets.load("textures:16", "train", limit=3)
    seeded = datasets.load("textures:16", "train", limit=4, seed=1)
    versions = {encoders.load("pca:3").fit(some).version for some in (train, fewer, seeded)}
    assert len(versions) == 3


def test_unfitted_it_encodes_nothing():
    with pytest.raises(ValueError, match=r"pca:3 must be fitted on train images first: encoder\."):
        extract(images()[0], encoders.load("pca:3"))


def test_images_it_cannot_be_fitted_on():
    with pytest.raises(
        ValueError, match="more than 30 train images to be fitted on; random has 30"
    ):
        encoders.load("pca:30").fit(images()[0])
    few = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 3), dtype=np.uint8)
    repeated, _ = images(read=lambda k: few[k % 4])
    fitted = encoders.load("pca:4/8").fit(repeated)
    with pytest.raises(ValueError, match="train images of random vary in no more than 3 direction"):
        extract(repeated, fitted)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("pca", "from 1 to 3071 components of 3072 pixel values; got ''"),
        ("pca:0", "got '0'"),
        ("pca:-1", "got '-1'"),
        ("pca:5000", "got '5000'"),
        ("pca:16/2#grey", "from 1 to 3 components of 4 pixel values; got '16'"),
        ("pca:3/big", "side from 1 to 1024"),
        ("pca:3#cls", "'rgb' or 'grey'"),
        ("pca:3@w.pt", "pca has no weights"),
    ],
)
def test_names_that_make_no_sense(name, message):
    with pytest.raises(ValueError, match=message):
        encoders.load(name)
