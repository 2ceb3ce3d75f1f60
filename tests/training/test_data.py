import math

import pytest
import torch

from tdafeat.encoders.classifier import PREPROCESSING
from tdafeat.training.data import Batchable, augment, holdout, prepared


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_prepared_holds_every_image(pictures):
    data = prepared(pictures, "train", PREPROCESSING)
    assert data.pixels.shape == (40, 1, 28, 28)
    assert data.pixels.dtype == torch.uint8
    assert data.labels.bincount().tolist() == [20, 20]
    assert data.classes == ("across", "down")


def test_seeds_of_a_procedural_set_give_fresh_images():
    small = PREPROCESSING
    one, two = (prepared("textures:8", "test", small, seeds) for seeds in ([1], [1, 2]))
    assert len(two) == 2 * len(one)
    assert torch.equal(two.pixels[: len(one)], one.pixels)
    assert not torch.equal(two.pixels[len(one) :], one.pixels)


def test_seeds_of_stored_images_would_only_repeat_them(pictures):
    with pytest.raises(ValueError, match="seeds must give different images"):
        prepared(pictures, "train", PREPROCESSING, [1, 2])


def labelled(counts):
    labels = torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(counts))
    pixels = torch.arange(len(labels), dtype=torch.uint8)[:, None, None, None]
    return Batchable(pixels, labels, tuple("abc"[: len(counts)]))


def test_holdout_takes_its_share_of_every_class_and_loses_nothing():
    train, held = holdout(labelled([10, 20, 5]), 0.2, seed=3)
    assert held.labels.bincount().tolist() == [2, 4, 1]
    together = torch.cat([train.pixels, held.pixels]).flatten()
    assert together.sort().values.tolist() == list(range(35))
    assert torch.equal(holdout(labelled([10, 20, 5]), 0.2, seed=3)[1].pixels, held.pixels)
    assert not torch.equal(holdout(labelled([10, 20, 5]), 0.2, seed=4)[1].pixels, held.pixels)


def test_holdout_keeps_an_image_of_every_class():
    train, held = holdout(labelled([2, 3]), 0.1, seed=0)
    assert held.labels.tolist() == [0, 1]
    assert train.labels.tolist() == [0, 1, 1]


def test_holdout_of_a_class_with_one_image():
    with pytest.raises(ValueError, match="class 'b' needs at least 2 images"):
        holdout(labelled([4, 1]), 0.1, seed=0)


def test_no_augmentation_leaves_images_as_they_are():
    images = torch.rand(3, 1, 28, 28, generator=generator())
    assert torch.allclose(augment(images, generator(), degrees=0, shift=0), images, atol=1e-5)


def test_augmentation_is_the_generators():
    images = torch.rand(4, 1, 28, 28, generator=generator())
    first, again, other = (augment(images, generator(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert not torch.allclose(first[0] - images[0], first[1] - images[1], atol=1e-3)


def test_shift_stays_within_its_share_of_the_side():
    """The centre of a blob in the middle moves by at most a tenth of the side, and does move."""
    images = torch.zeros(200, 1, 40, 40)
    images[:, :, 18:22, 18:22] = 1
    moved = augment(images, generator(), degrees=0, shift=0.1)[:, 0]
    places = torch.arange(40.0)
    for axis in (1, 2):
        mass = moved.sum(dim=axis)
        offset = (mass @ places) / mass.sum(dim=1) - 19.5
        assert offset.abs().max() <= 4.01
        assert offset.max() > 3
        assert offset.min() < -3


def test_turns_stay_within_their_degrees():
    """The main axis of a bar through the middle."""
    images = torch.zeros(200, 1, 41, 41)
    images[:, :, 20, 5:36] = 1
    turned = augment(images, generator(), degrees=10, shift=0)[:, 0]
    y, x = torch.meshgrid(torch.arange(-20.0, 21), torch.arange(-20.0, 21), indexing="ij")
    xx, yy, xy = ((turned * moment).sum(dim=(1, 2)) for moment in (x * x, y * y, x * y))
    angles = (0.5 * torch.atan2(2 * xy, xx - yy)).abs() * 180 / math.pi
    assert angles.max() <= 10.3
    assert angles.max() > 8
