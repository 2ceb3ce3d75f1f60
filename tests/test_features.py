import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tdafeat import FeatureSet
from tdafeat.errors import DataUnavailable, Unpaired, UnreadableData

X = np.arange(12, dtype=np.float32).reshape(4, 3)
IDS = ("a", "b", "c", "d")
LABELS = np.array([0, 1, 0, 1])
CLASSES = ("cat", "dog")


def make(features=X, ids=IDS, labels=LABELS, classes=CLASSES):
    return FeatureSet(features, ids, labels, classes)


def test_labels_are_no_names():
    with pytest.raises(TypeError, match="labels must be whole numbers, indices into classes"):
        make(labels=["cat", "dog", "cat", "dog"])


@given(order=st.permutations(range(4)))
def test_pairing_is_by_id_not_position(order):
    shuffled = make().take(order)
    paired = make().paired_with(shuffled)
    np.testing.assert_array_equal(paired.features, X)
    assert paired.ids == IDS


@pytest.mark.parametrize(
    "other",
    [
        make(ids=("a", "b", "c", "x")),
        make().take([0, 1, 2]),
        make(labels=[1, 1, 0, 1]),
        make(features=X[:, :2]),
    ],
)
def test_what_does_not_pair_is_refused(other):
    with pytest.raises(Unpaired):
        make().paired_with(other)


def test_message_names_the_unpaired_image():
    with pytest.raises(Unpaired, match="'d'"):
        make().paired_with(make().take([0, 1, 2]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"features": np.where(X == 4, np.nan, X)}, "row 1.*'b'"),
        ({"features": np.where(X == 4, np.inf, X)}, "finite"),
        ({"ids": ("a", "a", "c", "d")}, "twice"),
        ({"labels": [0, 1, 2, 1]}, "2 classes"),
        ({"labels": [0, 1]}, "one entry per row: 4 rows, 2 labels"),
        ({"ids": IDS[:2]}, "one entry per image; got 4 and 2"),
        ({"features": X[0]}, "2 axes"),
    ],
)
def test_bad_input_is_named(change, message):
    with pytest.raises(ValueError, match=message):
        make(**change)


@pytest.mark.parametrize("label", [1.5, np.nan, 1e30])
def test_labels_that_are_no_whole_numbers_are_refused(label):
    assert make(labels=[0.0, 1.0, 0.0, 1.0]).labels.dtype == np.int64
    with pytest.raises(TypeError, match="labels must be whole numbers; got dtype float64 with"):
        make(labels=[0, 1, 0, label])


def test_npy_with_labels_beside_it(tmp_path):
    np.save(tmp_path / "x.npy", X)
    (tmp_path / "labels.txt").write_text("dog\ncat\ndog\ncat\n")
    (tmp_path / "ids.txt").write_text("\n".join(IDS))
    got = FeatureSet.read(tmp_path / "x.npy", tmp_path / "labels.txt", tmp_path / "ids.txt")
    np.testing.assert_array_equal(got.features, X)
    assert got.classes == ("cat", "dog")
    assert got.labels.tolist() == [1, 0, 1, 0]
    assert got.ids == IDS


def test_numbered_classes_keep_their_order(tmp_path):
    np.save(tmp_path / "x.npy", X)
    got = FeatureSet.read(tmp_path / "x.npy", labels=[10, 9, 10, 2])
    assert got.classes == ("2", "9", "10")
    assert got.ids == ("0", "1", "2", "3")


@pytest.mark.parametrize("form", ["columns", "lists"])
def test_parquet(tmp_path, form):
    frame = pd.DataFrame({"id": IDS, "label": ["x", "y", "x", "y"]})
    if form == "lists":
        frame["features"] = list(X)
    else:
        frame = frame.join(pd.DataFrame(X).add_prefix("f"))
    frame.to_parquet(tmp_path / "x.parquet")
    got = FeatureSet.read(tmp_path / "x.parquet")
    np.testing.assert_array_equal(got.features, X)
    assert got.ids == IDS


def test_safetensors(tmp_path):
    from safetensors.numpy import save_file

    tensors = {"features": X, "labels": LABELS}
    save_file(tensors, tmp_path / "x.safetensors", metadata={"ids": json.dumps(IDS)})
    got = FeatureSet.read(tmp_path / "x.safetensors")
    np.testing.assert_array_equal(got.features, X)
    assert got.ids == IDS


@pytest.mark.parametrize("ending", [".npy", ".safetensors", ".parquet"])
@pytest.mark.parametrize("content", [b"", b"not what it says", b"\x93NUMPY\x01\x00v\x00{"])
def test_garbage_is_one_sentence_naming_the_file(tmp_path, ending, content):
    path = tmp_path / f"x{ending}"
    path.write_bytes(content)
    with pytest.raises(UnreadableData, match="x\\" + ending) as caught:
        FeatureSet.read(path, labels=[0, 1])
    assert "\n" not in str(caught.value)


def test_pickled_arrays_are_refused(tmp_path):
    np.save(tmp_path / "x.npy", np.array([{"a": 1}]), allow_pickle=True)
    with pytest.raises(UnreadableData, match="x.npy"):
        FeatureSet.read(tmp_path / "x.npy", labels=[0])


def test_missing_file_and_unknown_ending(tmp_path):
    with pytest.raises(DataUnavailable, match="none.npy"):
        FeatureSet.read(tmp_path / "none.npy", labels=[0])
    with pytest.raises(ValueError, match="must end in"):
        FeatureSet.read(tmp_path / "x.csv")


def test_labels_are_asked_for(tmp_path):
    np.save(tmp_path / "x.npy", X)
    with pytest.raises(ValueError, match="--labels"):
        FeatureSet.read(tmp_path / "x.npy")
