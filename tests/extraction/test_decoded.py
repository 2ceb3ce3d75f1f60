from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from tdafeat.datasets.imageset import ImageSet
from tdafeat.datasets.picture import read_picture
from tdafeat.encoders.base import Preprocessing
from tdafeat.extraction import Decoded

SIZES = [(90, 60), (60, 91), (64, 64), (40, 40), (301, 77)]  # of width and height


def pictures(folder, reads=None):
    rng = np.random.default_rng(0)
    for k, (width, height) in enumerate(SIZES):
        smooth = rng.integers(0, 256, (5, 5, 3), dtype=np.uint8)
        Image.fromarray(smooth).resize((width, height)).save(folder / f"{k}.jpg")

    def read(index):
        if reads is not None:
            reads[index] += 1
        return read_picture(folder / f"{index}.jpg")

    ids = tuple(f"{k}.jpg" for k in range(len(SIZES)))
    return ImageSet("own", "test", ids, np.arange(len(SIZES)) % 2, ("a", "b"), "1", read)


def whole(decoded, view, size=2, severity=0):
    return np.concatenate(list(decoded.blocks(severity, view, size)))


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear", "bicubic", "lanczos"])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_pixels_are_those_of_pil(tmp_path, interpolation, mode):
    """Opened, converted, resized on the shorter side and centre-cropped by PIL alone."""
    channels = len(mode) if mode == "RGB" else 1
    unit = {"mean": (0.0,) * channels, "std": (1.0,) * channels}
    view = Preprocessing(48, 40, interpolation, channels=channels, **unit)
    with Decoded(pictures(tmp_path), [view], threads=2) as decoded:
        found = whole(decoded, view)
    for k, (width, height) in enumerate(SIZES):
        picture = Image.open(tmp_path / f"{k}.jpg").convert(mode)
        scale = 48 / min(width, height)
        size = (48, int(height * scale)) if width < height else (int(width * scale), 48)
        picture = picture.resize(size, getattr(Image.Resampling, interpolation.upper()))
        left, top = round((size[0] - 40) / 2), round((size[1] - 40) / 2)
        expected = np.asarray(picture.crop((left, top, left + 40, top + 40)))
        np.testing.assert_array_equal(found[k], np.atleast_3d(expected).transpose(2, 0, 1))


@pytest.mark.parametrize("ahead", [False, True])
def test_what_is_decoded_before_it_is_asked_for(tmp_path, ahead):
    reads = Counter()
    images, view = pictures(tmp_path, reads), Preprocessing(16, 16)
    with Decoded(images, [view], threads=1, ahead=ahead) as decoded:
        first = next(decoded.blocks(0, view, 1))
        decoded._pool.submit(int).result()  # the one thread has done all that it was given
        assert len(reads) == (5 if ahead else 2)
        np.testing.assert_array_equal(first, whole(decoded, view)[:1])
    assert reads == Counter(dict.fromkeys(range(5), 1))


def test_encoders_that_differ_in_normalisation_alone_share_their_pixels(tmp_path):
    reads = Counter()
    one = Preprocessing(16, 16)
    other = replace(one, mean=(0.5,) * 3, std=(0.2,) * 3)
    small = Preprocessing(8, 8)
    with Decoded(pictures(tmp_path, reads), [one, other, small]) as decoded:
        assert np.shares_memory(next(decoded.blocks(0, one, 5)), next(decoded.blocks(0, other, 5)))
        assert whole(decoded, small).shape == (5, 3, 8, 8)
    assert reads == Counter(dict.fromkeys(range(5), 1))


def test_pixels_beyond_the_bound_lie_in_a_file(tmp_path, monkeypatch):
    view, small = Preprocessing(16, 16), Preprocessing(9, 9)
    images = replace(pictures(tmp_path), severities={1: pictures(tmp_path).subset(range(5))})
    with Decoded(images, [view, small]) as decoded:
        expected = [whole(decoded, v, severity=s) for v in (view, small) for s in (0, 1)]
    monkeypatch.setattr("tdafeat.extraction.decoded.RESIDENT", 1000)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = set(tmp_path.iterdir())
    with Decoded(images, [view, small]) as decoded:
        assert isinstance(next(decoded.blocks(0, view, 5)), np.memmap)
        found = [whole(decoded, v, severity=s) for v in (view, small) for s in (0, 1)]
    for one, other in zip(expected, found, strict=True):
        np.testing.assert_array_equal(one, other)
    assert set(tmp_path.iterdir()) == before
