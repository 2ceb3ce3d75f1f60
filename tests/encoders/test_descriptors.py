"""Classical descriptors: what their papers promise they ignore, they ignore."""

import numpy as np
import pytest
import torch

from tdafeat import encoders
from tdafeat.encoders.descriptors import BITS, PER_SIDE, SIDE
from tdafeat.errors import UnknownName

NAMES = ["brief", "brief#mean", "hog", "lbp"]


def encode(name, *images):
    encoder = encoders.load(name)
    batch = torch.from_numpy(np.stack(images))[:, None].float() / 255
    return encoder.encode(batch).numpy()


def texture(seed=0, levels=100):
    """Smooth grey noise of even levels, so that halving it is exact."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, levels, (SIDE // 4, SIDE // 4))
    return (2 * np.kron(coarse, np.ones((4, 4)))).astype(np.uint8)


@pytest.mark.parametrize("name", NAMES)
def test_shape_and_repetition(name):
    encoder = encoders.load(name)
    features = encode(name, texture(0), texture(1))
    assert features.shape == (2, encoder.dimension)
    assert np.array_equal(features, encode(name, texture(0), texture(1)))
    assert not np.allclose(features[0], features[1], atol=1e-3)


@pytest.mark.parametrize("name", NAMES)
def test_images_are_described_one_by_one(name):
    both = encode(name, texture(0), texture(1))
    assert np.array_equal(both[1:], encode(name, texture(1)))


@pytest.mark.parametrize("name", NAMES)
def test_contrast_does_not_matter(name):
    image = texture()
    full, half = encode(name, image, image // 2)
    assert np.allclose(full, half, atol=2e-4)


def test_brief_holds_bits_point_by_point():
    bits = encode("brief", texture())[0]
    assert set(np.unique(bits)) == {0.0, 1.0}
    by_point = bits.reshape(PER_SIDE**2, BITS)
    assert np.allclose(by_point.mean(axis=0), encode("brief#mean", texture())[0])


def test_brief_of_the_negative_is_the_opposite():
    image = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE), dtype=np.uint8)
    bits, negative = encode("brief", image, 255 - image)
    assert np.array_equal(bits, 1 - negative)  # no two smoothed pixels are equal


def test_brief_sees_a_change_where_it_is():
    image = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE), dtype=np.uint8)
    changed = image.copy()
    changed[:20, :20] = 0  # only the patch of the first point reaches so far into the corner
    before, after = encode("brief", image, changed).reshape(2, PER_SIDE**2, BITS)
    assert (before[0] != after[0]).any()
    assert np.array_equal(before[1:], after[1:])


@pytest.mark.parametrize(("axis", "peak"), [(0, 4), (1, 0)])
def test_hog_finds_the_orientation(axis, peak):
    """Stripes across an axis: the bin of 9 over 180 degrees that holds their gradient."""
    wave = (127 + 120 * np.sin(np.arange(SIDE) / 3)).astype(np.uint8)
    image = np.broadcast_to(wave[:, None] if axis == 0 else wave, (SIDE, SIDE)).copy()
    histogram = encode("hog", image)[0].reshape(-1, 9).sum(axis=0)
    assert histogram.argmax() == peak
    assert histogram[peak] > 0.9 * histogram.sum()


def test_hog_of_a_flat_image_is_nothing():
    assert (encode("hog", np.full((SIDE, SIDE), 90, np.uint8)) == 0).all()


def test_lbp_counts_every_pixel_once_at_each_radius():
    features = encode("lbp", texture())[0]
    for histogram in np.split(features, [10, 28]):
        assert np.isclose(histogram.sum(), 1)
        assert (histogram >= 0).all()


def test_lbp_of_a_flat_image_has_all_neighbours_as_bright():
    """Inside, all 8 R points are as bright as the middle; at the border, outside counts as dark."""
    features = encode("lbp", np.full((SIDE, SIDE), 90, np.uint8))[0]
    for radius, histogram in zip((1, 2, 3), np.split(features, [10, 28]), strict=True):
        inside = (SIDE - 2 * radius) ** 2 / SIDE**2
        assert np.isclose(histogram[8 * radius], inside, atol=1e-6)


def test_lbp_does_not_turn_with_the_image():
    image = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE), dtype=np.uint8)
    upright, turned = encode("lbp", image, np.rot90(image).copy())
    assert np.abs(upright - turned).max() < 5e-3


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("hog:8", UnknownName, "unknown encoder 'hog:8'; there is hog"),
        ("lbp#bits", ValueError, "layer of lbp must be 'histograms'; got 'bits'"),
        ("brief#grid", ValueError, "layer of brief must be 'bits' or 'mean'; got 'grid'"),
        ("brief@w.pt", ValueError, "brief has no weights"),
    ],
)
def test_names_that_make_no_sense(name, error, message):
    with pytest.raises(error, match=message):
        encoders.load(name)
