import gzip
import socket

import numpy as np
import pytest

from tdafeat import datasets
from tdafeat.datasets.fashion_mnist import read_idx
from tdafeat.errors import DataUnavailable, UnreadableData

PIXELS = np.arange(20 * 28 * 28, dtype=np.uint64).reshape(20, 28, 28).astype(np.uint8)
LABELS = np.arange(20, dtype=np.uint8) % 10


def idx(array):
    return bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes() + array.tobytes()


def put(root, images=None, labels=None, packed=True):
    raw = root / "FashionMNIST" / "raw"
    raw.mkdir(parents=True, exist_ok=True)
    for prefix in ("train", "t10k"):
        for name, data in (("images-idx3", images), ("labels-idx1", labels)):
            data = idx(PIXELS if "images" in name else LABELS) if data is None else data
            path = raw / f"{prefix}-{name}-ubyte{'.gz' if packed else ''}"
            path.write_bytes(gzip.compress(data) if packed else data)
    return raw


@pytest.mark.parametrize("packed", [True, False])
def test_gzipped_and_plain_files_give_the_same(tmp_path, packed):
    put(tmp_path, packed=packed)
    train, test = (datasets.load("fashion_mnist", s, tmp_path) for s in ("train", "test"))
    assert len(test) == 20
    assert test.classes[9] == "Ankle boot"
    assert test.labels.tolist() == LABELS.tolist()
    np.testing.assert_array_equal(test.read(7), PIXELS[7])
    assert not set(train.ids) & set(test.ids)


def test_class_names_are_torchvisions():
    from tdafeat.compat import import_torchvision
    from tdafeat.datasets.fashion_mnist import CLASSES

    assert list(CLASSES) == import_torchvision().datasets.FashionMNIST.classes


def test_version_follows_the_content(tmp_path):
    put(tmp_path)
    before = datasets.load("fashion_mnist", root=tmp_path).version
    put(tmp_path, packed=False)
    assert datasets.load("fashion_mnist", root=tmp_path).version == before
    put(tmp_path, images=idx(255 - PIXELS), packed=False)
    assert datasets.load("fashion_mnist", root=tmp_path).version != before


@pytest.mark.parametrize(
    ("images", "labels", "words"),
    [
        (b"", None, "images-idx3-ubyte.* is not an IDX file"),
        (b"<html>", None, "is not an IDX file"),
        (b"\0\0\x08\x03\0\0", None, "6 bytes long"),
        (idx(PIXELS)[:-1], None, "images-idx3-ubyte.* bytes long"),
        (idx(PIXELS) + b"x", None, "bytes long"),
        (idx(PIXELS)[:2] + b"\x0d" + idx(PIXELS)[3:], None, "unsigned bytes"),
        (b"\0\0\x08\x03" + b"\0\0\0\0" + b"\xff" * 8, None, "images-idx3-ubyte.* array of shape"),
        (idx(PIXELS[:7]), None, "one image per label"),
        (None, idx(PIXELS), "one image per label"),
        (None, idx(LABELS + 1), "labels 0 to 9; it has 10"),
    ],
)
def test_wrong_files_are_named(tmp_path, images, labels, words):
    put(tmp_path, images, labels)
    with pytest.raises(UnreadableData, match=words):
        datasets.load("fashion_mnist", root=tmp_path)


def test_a_header_cannot_ask_for_more_than_there_is(tmp_path):
    path = tmp_path / "huge"
    path.write_bytes(b"\0\0\x08\x03" + b"\xff" * 12 + b"data")
    with pytest.raises(UnreadableData, match="20 bytes long"):
        read_idx(path)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_a_cut_off_archive_is_named(tmp_path, share):
    raw = put(tmp_path)
    path = raw / "t10k-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(UnreadableData, match=r"t10k-images-idx3-ubyte\.gz"):
        datasets.load("fashion_mnist", root=tmp_path)


def test_offline_the_message_says_what_to_put_where(tmp_path, monkeypatch):
    def refuse(*_args, **_kwargs):
        raise OSError("no network")

    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    with pytest.raises(DataUnavailable, match="FashionMNIST.*put t10k-images-idx3-ubyte and"):
        datasets.load("fashion_mnist", root=tmp_path)


def test_real_images(real_data):
    test = datasets.load("fashion_mnist", root=real_data)
    assert len(test) == 10_000
    assert np.bincount(test.labels).tolist() == [1000] * 10
    trouser = test.labels == 1
    means = [test.read(i)[:, 12:16].mean() for i in np.flatnonzero(trouser)[:50]]
    edges = [test.read(i)[:, :4].mean() for i in np.flatnonzero(trouser)[:50]]
    assert np.mean(means) > 10 * np.mean(edges)  # trousers stand in the middle


def test_another_split_than_the_published_one_is_said(real_data):
    counts = {
        split: datasets.load("fashion_mnist", split, root=real_data) for split in ("train", "test")
    }
    for split, published in (("train", 60_000), ("test", 10_000)):
        images = counts[split]
        assert bool(images.remark) == (len(images) != published)
        assert not images.remark or f"{len(images):,}" in images.remark
