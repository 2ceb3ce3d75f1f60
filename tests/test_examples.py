from io import BytesIO

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tdafeat import FeatureSet
from tdafeat.datasets import ImageSet
from tdafeat.encoders import Preprocessing
from tdafeat.examples import neighbours, strips
from tdafeat.noise import load

GREY = Preprocessing(None, 20, mean=(0.5,), std=(0.5,), channels=1)
COLOUR = Preprocessing(None, 20, mean=(0.5, 0.4, 0.3), std=(0.2, 0.3, 0.4))


def images(n=6, corrupted=False):
    def read(shift):
        return lambda row: np.full((20, 20, 3), 40 * row + shift, np.uint8)

    names = tuple(f"i{k}" for k in range(n))
    made = {"ids": names, "labels": np.arange(n) % 2, "classes": ("a", "b"), "version": "1"}
    own = {"name": "own", "split": "test"}
    severities = {1: ImageSet(**own, **made, read=read(7))} if corrupted else {}
    return ImageSet(**own, **made, read=read(0), severities=severities)


def pixels(png):
    return np.asarray(Image.open(BytesIO(png)).convert("RGB"))


def test_a_strip_shows_the_pixels_that_were_encoded():
    noise = load("gaussian", levels=(0.1, 0.4))
    table = strips(images(), noise, ["clean", "1", "2"], GREY, seed=3)
    assert table["caption"].tolist() == ["clean", "1", "2"] * 2
    assert table["set"].tolist() == ["a"] * 3 + ["b"] * 3
    import torch

    encoded = noise.apply(torch.full((1, 1, 20, 20), 40 / 255), ["i1"], severity=2, seed=3)
    expected = (encoded * 255).round().numpy()[0, 0].astype(np.uint8)
    np.testing.assert_array_equal(pixels(table["png"].iloc[5])[:, :, 0], expected)


@pytest.mark.parametrize("name", ["gaussian", "gaussian_normalised"])
def test_noise_in_either_unit_leaves_the_clean_picture_as_it_is(name):
    table = strips(images(), load(name, levels=(0.2,)), ["clean", "1"], COLOUR, seed=0)
    assert (pixels(table["png"].iloc[2]) == 40).all()
    assert pixels(table["png"].iloc[3]).std() > 5


def test_images_that_come_corrupted_are_shown_as_they_come():
    table = strips(images(corrupted=True), None, ["clean", "1"], COLOUR, seed=0)
    assert [pixels(png)[0, 0, 0] for png in table["png"]] == [0, 7, 40, 47]


def test_of_a_large_input_the_middle_is_shown():
    table = strips(images(2), load("gaussian"), list("012345"), Preprocessing(224, 224), seed=0)
    assert pixels(table["png"].iloc[0]).shape == (112, 112, 3)


def test_neighbours_are_the_nearest_by_cosine_and_marked():
    angles = np.radians([0, 10, 20, 90, 5, 100])  # of i0, i1, ...: classes a, b, a, b, a, b
    cloud = np.c_[np.cos(angles), np.sin(angles)] * np.arange(1, 7)[:, None]
    own = images()
    table = neighbours(own, FeatureSet(cloud, own.ids, own.labels, own.classes))
    first = table[table["set"] == "a"]
    assert first["caption"].tolist() == ["query", "a", "b", "a", "b", "b"]
    assert first["mark"].tolist() == ["", "hit", "miss", "hit", "miss", "miss"]
    shades = [pixels(png)[0, 0, 0] for png in first["png"]]
    assert shades == [0, 160, 40, 80, 120, 200]


def test_a_zero_vector_is_like_nothing_and_no_error():
    own = images()
    found = neighbours(own, FeatureSet(np.zeros((6, 3)), own.ids, own.labels, own.classes))
    assert (found["mark"] != "").sum() == 2 * 5


def test_rows_that_are_no_images_have_no_neighbours():
    own = images(2)
    tokens = FeatureSet(np.eye(4), ("i0#0", "i0#1", "i1#0", "i1#1"), [0, 0, 1, 1], own.classes)
    assert isinstance(neighbours(own, tokens), pd.DataFrame)
    assert neighbours(own, tokens).empty
