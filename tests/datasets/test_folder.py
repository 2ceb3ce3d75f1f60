import os

import numpy as np
import pytest
from PIL import Image

from tdafeat import datasets
from tdafeat.errors import DataUnavailable, Unpaired, UnreadableData


def paint(path, value=0, size=(4, 3)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (value, value, value)).save(path)


@pytest.fixture
def clean(tmp_path):
    for name in ("cat", "dog"):
        for k in range(6):
            paint(tmp_path / "clean" / name / f"{k}.png", 10 * k)
    return tmp_path / "clean"


def test_classes_are_the_folders_and_splits_part_each_class(clean):
    train, test = (datasets.load(f"folder:{clean}", split) for split in ("train", "test"))
    assert train.classes == test.classes == ("cat", "dog")
    assert np.bincount(train.labels).tolist() == np.bincount(test.labels).tolist() == [3, 3]
    assert not set(train.ids) & set(test.ids)
    for i, name in enumerate(test.ids):
        assert test.classes[test.labels[i]] == name.split("/")[0]
        assert test.read(i)[0, 0, 0] == 10 * int(name.split("/")[1][0])


@pytest.mark.parametrize("name", ["test", "val"])
def test_split_folders_are_used_where_both_are_there(tmp_path, name):
    for split, n in (("train", 4), (name, 1)):
        for label in "ab":
            for k in range(n):
                paint(tmp_path / split / label / f"{k}.png")
    assert len(datasets.load(f"folder:{tmp_path}", "train")) == 8
    assert datasets.load(f"folder:{tmp_path}", "test").ids == ("a/0.png", "b/0.png")


def test_a_changed_file_changes_the_version(clean):
    before = datasets.load(f"folder:{clean}").version
    assert datasets.load(f"folder:{clean}").version == before
    os.utime(clean / "cat" / "0.png", ns=(1, 1))
    assert datasets.load(f"folder:{clean}").version != before


def test_files_that_are_no_images_and_hidden_ones_are_passed_over(clean):
    (clean / "cat" / "notes.txt").write_text("x")
    (clean / "cat" / "._0.png").write_text("x")
    (clean / ".cache").mkdir()
    assert len(datasets.load(f"folder:{clean}", "train")) == 6


def test_folders_that_are_no_data_set(tmp_path, clean):
    with pytest.raises(ValueError, match="folder:PATH"):
        datasets.load("folder:")
    with pytest.raises(DataUnavailable, match="nowhere is not a folder"):
        datasets.load(f"folder:{tmp_path / 'nowhere'}")
    with pytest.raises(ValueError, match="at least two class folders.* it holds 0"):
        datasets.load(f"folder:{clean / 'cat'}")
    with pytest.raises(ValueError, match="it holds 1"):
        datasets.load(f"folder:{tmp_path}")
    (clean / "eel").mkdir()
    with pytest.raises(ValueError, match="eel holds no image"):
        datasets.load(f"folder:{clean}")
    paint(clean / "eel" / "0.png")
    with pytest.raises(ValueError, match="class 'eel' .* has 1 image; at least 2"):
        datasets.load(f"folder:{clean}")


def test_a_colon_in_the_path(tmp_path):
    for label in "ab":
        for k in range(2):
            paint(tmp_path / "a:b" / label / f"{k}.png")
    assert len(datasets.load(f"folder:{tmp_path / 'a:b'}")) == 2


def copy(clean, root, value):
    for path in clean.rglob("*.png"):
        paint(root / path.relative_to(clean), value)


def test_corrupted_copies_per_severity(clean, tmp_path):
    for severity in (1, 2, 3):
        copy(clean, tmp_path / "c" / str(severity), 200 + severity)
    images = datasets.load(f"folder:{clean}", corrupted=tmp_path / "c", limit=2)
    assert sorted(images.severities) == [1, 2, 3]
    for severity, noisy in images.severities.items():
        assert noisy.ids == images.ids
        assert noisy.labels.tolist() == images.labels.tolist()
        assert noisy.read(0)[0, 0, 0] == 200 + severity
    assert len({noisy.version for noisy in images.severities.values()} | {images.version}) == 4


def test_one_corrupted_copy(clean, tmp_path):
    copy(clean, tmp_path / "c", 99)
    images = datasets.load(f"folder:{clean}", corrupted=tmp_path / "c")
    assert list(images.severities) == [1]


def test_classes_named_by_numbers_are_not_taken_for_severities(tmp_path):
    for label in "12":
        for k in range(2):
            paint(tmp_path / "clean" / label / f"{k}.png")
    copy(tmp_path / "clean", tmp_path / "c", 99)
    images = datasets.load(f"folder:{tmp_path / 'clean'}", corrupted=tmp_path / "c")
    assert list(images.severities) == [1]


def test_copies_that_do_not_pair(clean, tmp_path):
    copy(clean, tmp_path / "c" / "1", 1)
    gone = datasets.load(f"folder:{clean}").ids[2]
    (tmp_path / "c" / "1" / gone).unlink()
    with pytest.raises(Unpaired, match=f"1 of the 6 .* {gone}"):
        datasets.load(f"folder:{clean}", corrupted=tmp_path / "c")


def test_corrupted_folders_laid_out_otherwise(clean, tmp_path):
    with pytest.raises(DataUnavailable, match="not a folder"):
        datasets.load(f"folder:{clean}", corrupted=tmp_path / "none")
    copy(clean, tmp_path / "c" / "2", 1)
    with pytest.raises(ValueError, match="severities 1, 2, .* it holds 2"):
        datasets.load(f"folder:{clean}", corrupted=tmp_path / "c")


def test_a_damaged_picture_is_named_when_it_is_read(clean):
    images = datasets.load(f"folder:{clean}")
    (clean / images.ids[0]).write_bytes(b"not a picture")
    with pytest.raises(UnreadableData, match=images.ids[0]):
        images.read(0)
