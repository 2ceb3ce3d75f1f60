import json

import numpy as np
import pandas as pd
import pytest

from tdafeat.store import Store, digest

SPEC = {"cloud": "abc", "version": 1}
TABLE = pd.DataFrame({"birth": [0.0, 0.5], "death": [1.0, np.inf]})


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "store")
    store.write("topology", SPEC, tables={"diagrams": TABLE}, arrays={"x": np.eye(3)})
    return store


def test_what_is_written_is_read(store):
    artefact = store.read("topology", SPEC)
    pd.testing.assert_frame_equal(artefact.tables["diagrams"], TABLE)
    np.testing.assert_array_equal(artefact.arrays["x"], np.eye(3))


@pytest.mark.parametrize(
    ("stage", "spec"),
    [
        ("measure", SPEC),
        ("topology", {**SPEC, "version": 2}),
        ("topology", {**SPEC, "cloud": "abd"}),
        ("topology", {**SPEC, "extra": None}),
    ],
)
def test_any_other_address_is_empty(store, stage, spec):
    assert store.read(stage, spec) is None
    assert not store.intact(stage, spec)


def test_key_does_not_depend_on_the_order_of_fields():
    assert digest({"a": 1, "b": [1, 2]}) == digest({"b": [1, 2], "a": 1})
    assert digest({"a": [1, 2]}) != digest({"a": [2, 1]})


def test_nan_in_a_specification_is_refused():
    with pytest.raises(ValueError):
        digest({"sigma": float("nan")})


@pytest.mark.parametrize("name", ["diagrams.parquet", "x.npy", "meta.json"])
@pytest.mark.parametrize("damage", ["flip", "truncate", "delete"])
def test_damage_is_noticed_and_removed(store, name, damage):
    path = store.folder("topology", SPEC) / name
    content = bytearray(path.read_bytes())
    if damage == "flip":
        content[len(content) // 2] ^= 0x80
        path.write_bytes(content)
    elif damage == "truncate":
        path.write_bytes(content[: len(content) // 2])
    else:
        path.unlink()
    if name == "meta.json" and damage == "flip":
        # A flip in the specification or a file name; either way the content is not trusted
        # unless the checksums still hold for every file it names.
        artefact = store.read("topology", SPEC)
        assert artefact is None or set(artefact.tables) == {"diagrams"}
        return
    assert store.read("topology", SPEC) is None
    assert not store.folder("topology", SPEC).exists()
    store.write("topology", SPEC, tables={"diagrams": TABLE})
    assert store.intact("topology", SPEC)


def test_failed_write_leaves_nothing(store, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tdafeat.store.os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        store.write("measure", SPEC, tables={"metrics": TABLE})
    assert not store.intact("measure", SPEC)
    assert sorted(p.name for p in store.root.iterdir()) == ["measure", "topology"]
    assert list((store.root / "measure").iterdir()) == []


def test_second_writer_of_the_same_content_is_harmless(store):
    store.write("topology", SPEC, tables={"diagrams": TABLE}, arrays={"x": np.eye(3)})
    assert store.intact("topology", SPEC)
    assert not list(store.root.glob(".writing-*"))


def test_objects_are_never_pickled(store):
    with pytest.raises(ValueError, match=r"pickle|Object arrays"):
        store.write("measure", SPEC, arrays={"x": np.array([object()])})


def test_meta_says_what_the_artefact_answers(store):
    meta = json.loads((store.folder("topology", SPEC) / "meta.json").read_text())
    assert meta["spec"] == SPEC
    assert meta["stage"] == "topology"
