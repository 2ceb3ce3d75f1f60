import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tdafeat import datasets
from tdafeat.datasets.imageset import ImageSet, hash_order


def toy(counts, severities=None):
    labels = np.repeat(np.arange(len(counts)), counts)
    ids = tuple(f"{label}/{k}" for k, label in enumerate(labels))
    return ImageSet(
        name="toy",
        split="test",
        ids=ids,
        labels=labels,
        classes=tuple("abcdefgh"[: len(counts)]),
        version="1",
        read=lambda i: np.full((2, 2), i, np.uint8),
        severities=severities or {},
    )


def test_subset_of_a_subset_reads_the_right_images():
    images = toy([5, 5], {1: toy([5, 5])})
    part = images.subset([7, 2, 4]).subset([2, 0])
    assert part.ids == (images.ids[4], images.ids[7])
    assert [part.read(i)[0, 0] for i in range(2)] == [4, 7]
    assert part.labels.tolist() == [0, 1]
    assert part.severities[1].ids == part.ids
    assert part.severities[1].read(1)[0, 0] == 7


@given(st.lists(st.integers(1, 9), min_size=1, max_size=6), st.integers(1, 9), st.integers(0, 5))
def test_a_limit_takes_equally_many_and_grows_by_adding(counts, n, seed):
    images = toy(counts)
    small, large = images.per_class(n, seed), images.per_class(n + 1, seed)
    assert np.bincount(small.labels).tolist() == [min(n, min(counts))] * len(counts)
    assert set(small.ids) <= set(large.ids)
    assert list(small.ids) == [i for i in images.ids if i in set(small.ids)]


def test_the_seed_changes_which_images():
    images = toy([50])
    assert images.per_class(10, 0).ids != images.per_class(10, 1).ids


def test_hash_order_is_a_permutation_fixed_for_each_id():
    ids = [f"x{k}" for k in range(50)]
    order = hash_order(ids, 3)
    assert sorted(order) == list(range(50))
    backwards = hash_order(ids[::-1], 3)
    assert [ids[i] for i in order] == [ids[::-1][i] for i in backwards]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"ids": ("a", "a")}, "unique"),
        ({"labels": np.array([0])}, "one entry per image"),
        ({"labels": np.array([0, 2])}, "0..1"),
        ({"labels": np.array([0, -1])}, "0..1"),
    ],
)
def test_what_cannot_be_a_set_of_images(change, words):
    fields = {
        "name": "toy",
        "split": "test",
        "ids": ("a", "b"),
        "labels": np.array([0, 1]),
        "classes": ("p", "q"),
        "version": "1",
        "read": lambda i: np.zeros((2, 2), np.uint8),
    }
    with pytest.raises(ValueError, match=words):
        ImageSet(**fields | change)


def test_a_class_without_images_cannot_be_limited():
    images = toy([3, 3]).subset([0, 1])
    with pytest.raises(ValueError, match="class 'b' of toy has no test image"):
        images.per_class(1)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"split": "valid"}, "split must be"),
        ({"limit": 0}, "limit must be at least 1"),
        ({"limit": -5}, "limit must be at least 1"),
        ({"seed": -1}, "seed must not be negative"),
    ],
)
def test_arguments_that_make_no_sense(arguments, words):
    with pytest.raises(ValueError, match=words):
        datasets.load("textures:8", **arguments)
