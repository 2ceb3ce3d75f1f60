import numpy as np
import pytest
import torch
from PIL import Image

from tdafeat.encoders import Encoder, Preprocessing, from_function, load
from tdafeat.encoders.base import fingerprint

COLOUR = Preprocessing(resize=16, crop=12, interpolation="bicubic")
GREY = Preprocessing(resize=28, crop=28, mean=(0.5,), std=(0.5,), channels=1)


@pytest.mark.parametrize("shape", [(20, 31, 3), (31, 20, 3), (20, 20), (1, 1, 3), (1, 1), (5, 900)])
@pytest.mark.parametrize("preprocessing", [COLOUR, GREY])
def test_any_image_comes_out_at_the_crop(shape, preprocessing):
    image = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    prepared = preprocessing.prepare(image)
    assert prepared.dtype == np.uint8
    assert prepared.shape == (preprocessing.channels, preprocessing.crop, preprocessing.crop)


def test_grey_becomes_colour_and_back():
    grey = np.random.default_rng(0).integers(0, 256, (28, 28), dtype=np.uint8)
    same = Preprocessing(28, 28)
    as_colour = same.prepare(grey)
    assert (as_colour == grey).all()
    assert (GREY.prepare(as_colour.transpose(1, 2, 0))[0] == grey).all()


def test_colour_to_grey_weighs_as_rec_601():
    image = np.zeros((28, 28, 3), np.uint8)
    image[..., 1] = 200
    assert (GREY.prepare(image) == round(0.587 * 200)).all()


def test_the_crop_is_the_centre():
    image = np.zeros((10, 30), np.uint8)
    image[:, 10:20] = 255
    centre = Preprocessing(10, 10, mean=(0.0,), std=(1.0,), channels=1).prepare(image)
    assert (centre == 255).all()


def test_squash_ignores_proportions():
    image = np.zeros((10, 40), np.uint8)
    image[:, :20] = 255
    squash = Preprocessing(None, 10, "nearest", (0.0,), (1.0,), channels=1)
    expected = np.repeat([[255] * 5 + [0] * 5], 10, axis=0)
    assert (squash.prepare(image)[0] == expected).all()


def test_normalise_takes_mean_and_deviation_of_each_channel():
    preprocessing = Preprocessing(2, 2, mean=(0.1, 0.2, 0.3), std=(1.0, 0.5, 0.25))
    pixels = torch.full((1, 3, 2, 2), 0.6)
    expected = torch.tensor([0.5, 0.8, 1.2])
    assert torch.allclose(preprocessing.normalise(pixels)[0, :, 1, 1], expected)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((8, 8, 4), np.uint8), r"\(8, 8, 4\)"),
        (np.zeros(8, np.uint8), r"\(8,\)"),
        (np.zeros((0, 8), np.uint8), "not empty"),
        (np.zeros((8, 8), np.float32), "uint8 pixels; got float32"),
        (np.zeros((1, 1001), np.uint8), "1001 x 1 pixels is too long"),
    ],
)
def test_images_that_cannot_be_prepared(image, message):
    with pytest.raises((TypeError, ValueError), match=message):
        COLOUR.prepare(image)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"resize": 8, "crop": 9}, "crop"),
        ({"resize": 8, "crop": 0}, "crop"),
        ({"resize": None, "crop": 0}, "crop"),
        ({"resize": 8, "crop": 8, "interpolation": "cubic"}, "'cubic'"),
        ({"resize": 8, "crop": 8, "channels": 2}, "channels"),
        ({"resize": 8, "crop": 8, "channels": 1}, "one entry per channel"),
        ({"resize": 8, "crop": 8, "std": (1.0, 0.0, 1.0)}, "positive"),
    ],
)
def test_preprocessing_that_makes_no_sense(arguments, message):
    with pytest.raises(ValueError, match=message):
        Preprocessing(**arguments)


def test_resized_image_is_pillows():
    image = np.random.default_rng(1).integers(0, 256, (50, 37, 3), dtype=np.uint8)
    resized = Image.fromarray(image).resize((16, 21), Image.Resampling.BICUBIC)
    expected = np.asarray(resized.crop((2, 4, 14, 16))).transpose(2, 0, 1)
    assert (COLOUR.prepare(image) == expected).all()


def test_features_are_float32_and_carry_no_gradient():
    weight = torch.ones(4, 2, requires_grad=True, dtype=torch.float64)
    encoder = from_function(
        lambda x: x.flatten(1).double() @ weight, "sum", "1", 2, (0.0,), (1.0,), channels=1
    )
    features = encoder.encode(torch.ones(3, 1, 2, 2))
    assert features.dtype == torch.float32
    assert not features.requires_grad
    assert (features == 4).all()


def test_fingerprint_knows_names_types_shapes_and_values():
    state = {"a": torch.zeros(4), "b": torch.ones(2, 2)}
    assert fingerprint(state) == fingerprint(dict(reversed(state.items())))
    others = [
        {"a": torch.zeros(4), "c": torch.ones(2, 2)},
        {"a": torch.zeros(4, dtype=torch.float16), "b": torch.ones(2, 2)},
        {"a": torch.zeros(2, 2), "b": torch.ones(2, 2)},
        {"a": torch.full((4,), 1e-20), "b": torch.ones(2, 2)},
    ]
    assert len({fingerprint(state), *map(fingerprint, others)}) == 5


def _with_text(text):
    return Encoder("t", "1", "proj", 2, COLOUR, lambda x: x, text=text)


def test_text_is_the_mean_of_unit_embeddings_of_the_prompts():
    lengths = {"a cat": [3.0, 0.0], "the cat": [0.0, 0.5], "a dog": [1.0, 0.0], "the dog": [2.0, 0]}
    encoder = _with_text(lambda sentences: torch.tensor([lengths[s] for s in sentences]))
    rows = encoder.encode_text(["cat", "dog"], ["a {}", "the {}"])
    half = 0.5**0.5
    assert torch.allclose(rows, torch.tensor([[half, half], [1.0, 0.0]]))


def test_class_names_may_hold_braces():
    seen = []
    encoder = _with_text(lambda sentences: seen.extend(sentences) or torch.ones(len(sentences), 2))
    encoder.encode_text(["{x}"], ["a {}."])
    assert seen == ["a {x}."]


@pytest.mark.parametrize(
    ("classes", "prompts", "message"),
    [
        ([], None, "classes"),
        ("cat", None, "classes"),
        (["cat"], [], "prompts"),
        (["cat"], "a {}", "prompts"),
        (["cat"], ["a cat"], "'a cat'"),
        (["cat"], ["{} or {}"], "one {}"),
    ],
)
def test_text_that_makes_no_sense(classes, prompts, message):
    encoder = _with_text(lambda sentences: torch.ones(len(sentences), 2))
    with pytest.raises(ValueError, match=message):
        encoder.encode_text(classes, prompts)


def test_without_a_text_tower_there_is_no_text():
    assert load("pixels").encode_text(["cat"]) is None
