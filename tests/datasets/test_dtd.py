import socket

import pytest
from PIL import Image

from tdafeat import datasets
from tdafeat.errors import DataUnavailable, UnreadableData


@pytest.fixture
def root(tmp_path):
    labels = tmp_path / "dtd" / "dtd" / "labels"
    labels.mkdir(parents=True)
    for n, file in enumerate(("train1", "val1", "test1")):
        entries = [f"{name}/{name}_{n}{k}.jpg" for name in ("woven", "banded") for k in range(2)]
        (labels / f"{file}.txt").write_text("\n".join(entries) + "\n")
        for entry in entries:
            path = tmp_path / "dtd" / "dtd" / "images" / entry
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (5, 4)).save(path)
    return tmp_path


@pytest.fixture
def no_network(monkeypatch):
    def refuse(*_args, **_kwargs):
        raise OSError("no network")

    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def test_train_is_train_and_val(root, no_network):
    train, test = datasets.load("dtd", "train", root), datasets.load("dtd", "test", root)
    assert train.classes == test.classes == ("banded", "woven")
    assert (len(train), len(test)) == (8, 4)
    assert test.ids[0] == "woven/woven_20.jpg"
    assert test.labels.tolist() == [1, 1, 0, 0]
    assert test.read(0).shape == (4, 5, 3)


def test_the_data_root_comes_from_the_environment(root, monkeypatch):
    monkeypatch.setenv("TDAFEAT_DATA", str(root))
    assert len(datasets.load("dtd")) == 4


def test_offline_the_message_says_what_to_put_where(tmp_path, no_network):
    with pytest.raises(DataUnavailable, match=r"DTD is not in .*dtd.*put its folders images"):
        datasets.load("dtd", root=tmp_path)


def test_a_data_root_that_is_not_there(tmp_path, monkeypatch):
    with pytest.raises(DataUnavailable, match="the data root names .*not a folder"):
        datasets.load("dtd", root=tmp_path / "none")
    monkeypatch.setenv("TDAFEAT_DATA", str(tmp_path / "none"))
    with pytest.raises(DataUnavailable, match="TDAFEAT_DATA names .*not a folder"):
        datasets.load("dtd")


def test_damaged_split_files_and_missing_images(root):
    labels = root / "dtd" / "dtd" / "labels"
    (root / "dtd" / "dtd" / "images" / "woven" / "woven_20.jpg").unlink()
    with pytest.raises(UnreadableData, match=r"woven_20\.jpg is listed"):
        datasets.load("dtd", root=root)
    for text, words in (("", "lists no image"), ("../../x", "CLASS/IMAGE"), ("a", "CLASS/IMAGE")):
        (labels / "test1.txt").write_text(text)
        with pytest.raises(UnreadableData, match=words):
            datasets.load("dtd", root=root)
    (labels / "test1.txt").unlink()
    with pytest.raises(DataUnavailable, match=r"test1\.txt is missing"):
        datasets.load("dtd", root=root)


def test_nothing_may_follow_the_name(root):
    with pytest.raises(ValueError, match="takes nothing after its name"):
        datasets.load("dtd:2", root=root)


def test_real_images(real_data):
    for split in ("train", "test"):
        images = datasets.load("dtd", split, real_data)
        folders = sorted(p.name for p in (real_data / "dtd" / "dtd" / "images").iterdir())
        assert list(images.classes) == folders
        image = images.read(len(images) - 1)
        assert image.ndim == 3
        assert image.std() > 5
