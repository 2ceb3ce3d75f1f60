import json
import pickle

import numpy as np
import pytest

from tdafeat.errors import DataUnavailable, UnreadableData
from tdafeat.topology import Diagrams, load_diagrams, persistence, save_diagrams


def test_what_is_saved_is_read_to_the_bit(tmp_path):
    path = tmp_path / "cloud.npz"
    diagrams = persistence(np.random.default_rng(0).normal(size=(20, 3)), maxdim=2, n_landmarks=15)
    save_diagrams(path, diagrams)
    again = load_diagrams(str(path))
    assert again.record == diagrams.record
    assert again.record["thresh"] == np.inf
    for a, b in zip(again, diagrams, strict=True):
        np.testing.assert_array_equal(a, b)
    assert [file.name for file in tmp_path.iterdir()] == ["cloud.npz"]


def test_a_url_is_a_place_too():
    circle = persistence(np.random.default_rng(0).normal(size=(20, 2)))
    save_diagrams("memory://diagrams/circle.npz", circle)
    for read, saved in zip(load_diagrams("memory://diagrams/circle.npz"), circle, strict=True):
        np.testing.assert_array_equal(read, saved)
    with pytest.raises(DataUnavailable, match="none.npz: there is no such file"):
        load_diagrams("memory://diagrams/none.npz")


def test_cocycles_of_the_record_are_kept_as_lists(tmp_path):
    square = [[0, 0], [0, 1], [1, 1], [1, 0]]
    diagrams = persistence(square, cocycles=True)
    save_diagrams(tmp_path / "square.npz", diagrams)
    found = load_diagrams(tmp_path / "square.npz").record["cocycles"][1]
    assert found == [cocycle.tolist() for cocycle in diagrams.record["cocycles"][1]]
    assert len(found) == 1


@pytest.mark.parametrize("diagrams", [[], [[]], [[[0, np.inf]], [], [[1, 2]]]])
def test_empty_diagrams_keep_their_degree(tmp_path, diagrams):
    save_diagrams(tmp_path / "a.npz", Diagrams(diagrams, {"radius": np.float32(0.5)}))
    again = load_diagrams(tmp_path / "a.npz")
    assert [len(d) for d in again] == [len(d) for d in diagrams]
    assert again.record == {"radius": 0.5}


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "a.npz"
    save_diagrams(path, Diagrams([[[0, 1]]]))
    with pytest.raises(TypeError, match="record of diagrams must be JSON; set is not"):
        save_diagrams(path, Diagrams([[[0, 2]]], {"odd": {1}}))
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        save_diagrams(path, Diagrams([[[0, 2]]]))
    assert load_diagrams(path)[0].tolist() == [[0, 1]]
    assert len(list(tmp_path.iterdir())) == 1


class Exploding:
    """Unpickling it fails the test."""

    def __reduce__(self):
        return (pytest.fail, ("it was unpickled",))


def archive(path, **arrays):
    with path.open("wb") as file:
        np.savez(file, **arrays)


GOOD = {"record": np.array("{}"), "h0": np.zeros((1, 2))}


@pytest.mark.parametrize(
    "arrays",
    [
        {"h0": np.zeros((1, 2))},
        GOOD | {"record": np.array("no json")},
        GOOD | {"record": np.array(json.dumps([1]))},
        GOOD | {"h2": np.zeros((1, 2))},
        GOOD | {"h0": np.zeros((1, 3))},
        GOOD | {"h0": np.array([[2.0, 1.0]])},
        GOOD | {"h0": np.array([[np.nan, 1.0]])},
        GOOD | {"h0": np.array([["a", "b"]])},
        GOOD | {"h0": np.array([Exploding(), None])},
        GOOD | {"record": np.array(Exploding())},
    ],
)
def test_an_archive_of_something_else_is_refused(tmp_path, arrays):
    archive(tmp_path / "a.npz", **arrays)
    with pytest.raises(UnreadableData, match="holds no diagrams as tdafeat saves them"):
        load_diagrams(tmp_path / "a.npz")


def test_files_that_are_no_archive_are_refused_and_never_unpickled(tmp_path):
    path = tmp_path / "a.npz"
    save_diagrams(path, Diagrams([np.arange(200.0).reshape(-1, 2)]))
    good = path.read_bytes()
    array = tmp_path / "array.npy"
    np.save(array, np.zeros((2, 2)))
    for content in (
        b"",
        b"text",
        pickle.dumps(Exploding()),
        array.read_bytes(),
        good[: len(good) // 2],
        good[:200] + bytes(100) + good[300:],
    ):
        path.write_bytes(content)
        with pytest.raises(UnreadableData, match="a.npz"):
            load_diagrams(path)


def test_an_archive_that_inflates_is_refused_before_it_does(tmp_path):
    path = tmp_path / "a.npz"
    with path.open("wb") as file:
        np.savez_compressed(file, **GOOD)
    with pytest.raises(UnreadableData, match="its arrays are compressed"):
        load_diagrams(path)
    archive(path, **GOOD)
    content = bytearray(path.read_bytes())
    directory = content.rindex(b"PK\x01\x02")  # of the last member: its size, told too large
    content[directory + 24 : directory + 28] = (1 << 30).to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(UnreadableData, match="its arrays are larger than the file"):
        load_diagrams(path)


@pytest.mark.parametrize(
    ("at", "value"),
    [(8, 1), (10, 99), (10, 8)],  # encrypted; packed in no known way; packed, but it is not
)
def test_whatever_a_forged_archive_raises_is_one_error(tmp_path, at, value):
    path = tmp_path / "a.npz"
    archive(path, **GOOD)
    content = bytearray(path.read_bytes())
    directory = content.index(b"PK\x01\x02")
    content[directory + at] = content[at - 2] = value
    path.write_bytes(content)
    with pytest.raises(UnreadableData, match="a.npz holds no diagrams"):
        load_diagrams(path)


def test_a_record_nested_beyond_reading(tmp_path):
    archive(tmp_path / "a.npz", **(GOOD | {"record": np.array("[" * 100_000)}))
    with pytest.raises(UnreadableData, match="a.npz holds no diagrams"):
        load_diagrams(tmp_path / "a.npz")


def test_a_list_is_no_diagrams(tmp_path):
    with pytest.raises(TypeError, match="diagrams must be Diagrams, .*; got list"):
        save_diagrams(tmp_path / "a.npz", [[[0, 1]]])


def test_no_such_file(tmp_path):
    with pytest.raises(DataUnavailable, match="there is no such file"):
        load_diagrams(tmp_path / "a.npz")
    with pytest.raises(DataUnavailable, match="is a folder, not a file"):
        load_diagrams(tmp_path)
    with pytest.raises(TypeError, match="by its path or URL; got None"):
        load_diagrams(None)
    with pytest.raises(FileNotFoundError, match="no such folder: .*no folder'"):
        save_diagrams(tmp_path / "no folder" / "a.npz", Diagrams([]))
