import numpy as np
import pytest
from sklearn.datasets import load_digits

from tdafeat import datasets

TRAIN, TEST = (datasets.load("digits", split) for split in ("train", "test"))


def test_the_splits_part_the_digits_half_and_half_in_every_class():
    assert len(TRAIN) + len(TEST) == 1797
    assert sorted((*TRAIN.ids, *TEST.ids)) == [f"{k:04d}" for k in range(1797)]
    difference = np.bincount(TRAIN.labels) - np.bincount(TEST.labels)
    assert set(difference.tolist()) <= {0, 1}
    assert TRAIN.classes == tuple("0123456789")
    assert "no published split" in TEST.remark


@pytest.mark.parametrize("images", [TRAIN, TEST], ids=["train", "test"])
def test_pixels_and_labels_are_scikit_learn_s(images):
    whole = load_digits()
    for position in (0, 5, len(images) - 1):
        number = int(images.ids[position])
        found = images.read(position)
        assert found.dtype == np.uint8
        np.testing.assert_array_equal(np.rint(found / 255 * 16), whole.images[number])
        assert images.labels[position] == whole.target[number]


def test_the_split_is_the_same_every_time():
    assert datasets.load("digits", "test", seed=3).ids == TEST.ids


def test_a_detail_is_refused():
    with pytest.raises(ValueError, match="digits takes nothing after its name; got '8'"):
        datasets.load("digits:8")
