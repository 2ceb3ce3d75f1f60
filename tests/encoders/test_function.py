import numpy as np
import pytest

from tdafeat.encoders import from_function


def test_a_function_that_gives_arrays():
    encoder = from_function(lambda x: x.mean(dim=(2, 3)).numpy(), "means", "3", size=4)
    image = np.full((9, 9, 3), 51, np.uint8)
    pixels = encoder.preprocessing.prepare(image)[None] / np.float32(255)
    import torch

    features = encoder.encode(encoder.preprocessing.normalise(torch.from_numpy(pixels)))
    expected = (0.2 - np.array([0.485, 0.456, 0.406])) / np.array([0.229, 0.224, 0.225])
    assert features.numpy()[0] == pytest.approx(expected, rel=1e-5)
    assert (encoder.name, encoder.version, encoder.layer) == ("means", "3", "output")


@pytest.mark.parametrize("version", ["", "  ", None, 1])
def test_a_version_is_needed(version):
    with pytest.raises(ValueError, match="version"):
        from_function(lambda x: x, "f", version)


def test_what_cannot_be_called():
    with pytest.raises(TypeError, match="callable"):
        from_function("resnet", "f", "1")
