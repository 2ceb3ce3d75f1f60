import hashlib

import numpy as np
import pytest

from tdafeat import datasets
from tdafeat.datasets import textures
from tdafeat.datasets.patterns import PATTERNS
from tdafeat.errors import UnknownName


def test_classes_are_sixteen_names_of_dtd():
    assert len(textures.CLASSES) == 16
    asked = {"banded", "crosshatched", "dotted", "polka-dotted", "grid", "striped"}
    assert asked <= set(textures.CLASSES)


def test_names_are_classes_of_the_real_set(real_data):
    real = set(datasets.load("dtd", root=real_data).classes)
    assert {"banded", "bubbly", "chequered", "cobwebbed", "cracked", "crosshatched"} <= real


def test_an_image_depends_on_each_of_its_coordinates_and_on_nothing_else():
    def digest(**change):
        arguments = {"name": "grid", "number": 3, "split": "test", "seed": 0, "size": 16} | change
        return hashlib.sha256(textures.render(**arguments).tobytes()).hexdigest()

    base = digest()
    textures.render("striped", 0)  # no hidden state
    assert digest() == base
    others = [digest(number=4), digest(split="train"), digest(seed=1), digest(name="striped")]
    assert len({base, *others}) == 5


def test_size_changes_the_resolution_not_the_image():
    for name in textures.CLASSES:
        small = textures.render(name, 1, size=16).astype(float)
        large = textures.render(name, 1, size=64).astype(float)
        large = large.reshape(16, 4, 16, 4, 3).mean(axis=(1, 3))
        assert np.abs(small - large).mean() < 14, name  # grain is drawn per pixel


def test_splits_and_default_sizes():
    train, test = datasets.load("textures:8", "train"), datasets.load("textures:8", "test")
    assert (len(train), len(test)) == (16 * 200, 16 * 100)
    assert not set(train.ids) & set(test.ids)
    assert test.read(0).shape == (8, 8, 3)
    assert test.read(0).dtype == np.uint8
    assert datasets.load("textures").read(0).shape == (64, 64, 3)
    index = test.ids.index("grid/test-0-007")
    assert test.classes[test.labels[index]] == "grid"
    np.testing.assert_array_equal(test.read(index), textures.render("grid", 7, size=8))


def test_seed_and_size_enter_the_version():
    versions = {
        datasets.load(n, seed=s).version for n in ("textures:8", "textures") for s in (0, 1)
    }
    assert len(versions) == 4


@pytest.mark.parametrize("detail", ["7", "1025", "-3", "big", "32.0"])
def test_impossible_sizes(detail):
    with pytest.raises(ValueError, match="8 to 1024 pixels"):
        datasets.load(f"textures:{detail}")


@pytest.mark.parametrize("name", sorted(PATTERNS))
def test_a_pattern_paints_tones_with_some_contrast(name):
    y, x = np.mgrid[0:6:120j, 0:6:120j]
    tone = PATTERNS[name].paint(np.random.default_rng(0), x - 3, y - 3)
    assert tone.min() >= 0
    assert tone.max() <= 1
    assert tone.std() > 0.08


def test_attributes_describe_the_image():
    seen = [textures.attributes("striped", k) for k in range(60)]
    assert {a["orientation"] for a in seen} == {"level", "rising", "upright", "falling"}
    assert {a["scale"] for a in seen} == {"fine", "medium", "coarse"}
    for number, words in enumerate(seen[:20]):  # the two named colours span the painted ones
        image = textures.render("striped", number, size=32).reshape(-1, 3) / 255
        axis = np.subtract(textures.COLOURS[words["colour"]], textures.COLOURS[words["ground"]])
        spread = np.linalg.svd(image - image.mean(axis=0))[2][0]
        assert abs(spread @ axis) / np.linalg.norm(axis) > 0.55


def test_orientation_follows_the_stripes():
    for number in range(40):
        image = textures.render("striped", number, size=48).mean(axis=2)
        down, right = np.abs(np.diff(image, axis=0)).mean(), np.abs(np.diff(image, axis=1)).mean()
        words = textures.attributes("striped", number)
        if words["orientation"] == "level":
            assert down > right
        if words["orientation"] == "upright":
            assert right > down


def nearest_neighbour_accuracy(describe, size):
    def described(split, n):
        images = datasets.load(f"textures:{size}", split).per_class(n)
        rows = [describe(images.read(i).astype(float)).ravel() for i in range(len(images))]
        return np.array(rows), images.labels

    train, train_labels = described("train", 40)
    test, labels = described("test", 10)
    squared = (train**2).sum(axis=1) - 2 * test @ train.T
    return (train_labels[squared.argmin(axis=1)] == labels).mean()


def ring_spectrum(image):
    """Largest Fourier amplitudes at each spatial frequency: structure without place or angle."""
    grey = image.mean(axis=2)
    n = len(grey)
    window = np.outer(np.hanning(n), np.hanning(n))
    amplitude = np.abs(np.fft.fft2((grey - grey.mean()) / grey.std() * window))
    axis = np.fft.fftfreq(n, 1 / n)
    ring = np.hypot(*np.meshgrid(axis, axis)).astype(int)
    return np.log1p([np.sort(amplitude[ring == k])[-6:] for k in range(2, 20)])


def test_raw_pixels_do_not_give_the_class_away():
    assert nearest_neighbour_accuracy(lambda image: image, size=32) < 0.6


def test_structure_does():
    assert nearest_neighbour_accuracy(ring_spectrum, size=48) > 0.5


def test_an_unknown_name_suggests_the_nearest():
    with pytest.raises(UnknownName, match="did you mean 'textures'"):
        datasets.load("texture")
