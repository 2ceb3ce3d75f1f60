import numpy as np
import pytest
import torch

from tdafeat.encoders import load


def _encode(name, image):
    encoder = load(name)
    pixels = torch.from_numpy(encoder.preprocessing.prepare(image)[None] / np.float32(255))
    return encoder, encoder.encode(encoder.preprocessing.normalise(pixels))


def test_features_are_the_pixels_themselves():
    image = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    encoder, features = _encode("pixels", image)
    expected = image.transpose(2, 0, 1).reshape(1, -1) / np.float32(255)
    assert np.allclose(features, expected, atol=1e-7)
    assert (encoder.name, encoder.layer, encoder.dimension) == ("pixels", "rgb", 3072)


def test_side_and_grey():
    image = np.random.default_rng(0).integers(0, 256, (28, 28), dtype=np.uint8)
    encoder, features = _encode("pixels:28#grey", image)
    assert np.allclose(features, image.reshape(1, -1) / 255, atol=1e-7)
    assert encoder.dimension == 784


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("pixels:0", "'0'"),
        ("pixels:big", "'big'"),
        ("pixels#cls", "'rgb' or 'grey'"),
        ("pixels@weights.pt", "no weights"),
    ],
)
def test_names_that_make_no_sense(name, message):
    with pytest.raises(ValueError, match=message):
        load(name)
