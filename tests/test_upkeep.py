import os

import numpy as np
import pytest

from tdafeat.artefact import pack
from tdafeat.cells import FEATURES_VERSION
from tdafeat.cli import main
from tdafeat.stages import VERSIONS
from tdafeat.store import Store
from tdafeat.upkeep import damaged, garbage, remove, size

HOURS_AGO = 2


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "store")
    for version in (VERSIONS["topology"], VERSIONS["topology"] - 1):
        store.write("topology", {"version": version}, arrays={"x": np.arange(100.0)})
    store.write("features", {"version": FEATURES_VERSION}, arrays={"x": np.eye(2)})
    return store


def leftover(store, hours):
    path = store.root / "topology" / ".writing-abc"
    path.write_bytes(b"half")
    before = path.stat().st_mtime - hours * 3600
    os.utime(path, (before, before))
    return path


def test_size_counts_each_stage(store):
    leftover(store, 0)
    sizes = size(store)
    assert {stage: len(found) for stage, found in sizes.items()} == {"features": 1, "topology": 2}
    whole = sum(p.stat().st_size for p in store.root.rglob("*.zip"))
    assert sum(map(sum, sizes.values())) == whole


def test_garbage_is_what_no_run_reads(store):
    damage = store.path("features", {"version": FEATURES_VERSION})
    damage.write_bytes(damage.read_bytes()[:-1])
    fresh = leftover(store, 0)
    old = store.root / "measure" / ("abc4" * 16)
    old.mkdir(parents=True)
    (old / "meta.json").write_text("{}")
    (old / "metrics.parquet").write_bytes(b"PAR1")
    found = {dropping.path: dropping.reason for dropping in garbage(store)}
    assert found == {
        damage: "damaged",
        store.path("topology", {"version": VERSIONS["topology"] - 1}): "of an earlier version",
        old / "meta.json": "of an earlier format",
        old / "metrics.parquet": "of an earlier format",
    }
    for dropping in list(garbage(store)):
        assert remove(store, dropping)
    assert list(garbage(store)) == []
    assert not old.exists()
    assert fresh.exists()  # somebody may be writing it
    assert store.intact("topology", {"version": VERSIONS["topology"]})


def test_what_a_run_mended_or_has_in_hand_is_not_removed(store):
    """A list of garbage is old by the time that its last file is deleted."""
    spec = {"version": FEATURES_VERSION}
    path = store.path("features", spec)
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    (found,) = (dropping for dropping in garbage(store) if dropping.path == path)
    others = [{"version": version} for version in range(10)]
    for held in (store.claim("features", spec), store.claim_all("features", [*others, spec])):
        with held:  # as a run holds it that makes it again, alone or with others
            assert not remove(store, found)
    path.write_bytes(whole)
    assert not remove(store, found)
    assert path.read_bytes() == whole
    path.write_bytes(whole[:-1])
    assert remove(store, found)
    assert remove(store, found)  # gone is gone
    assert not path.exists()


def test_an_artefact_under_the_name_of_another_is_none(store):
    spec, other = {"version": VERSIONS["topology"]}, {"version": VERSIONS["topology"] - 1}
    path = store.path("topology", spec)
    path.write_bytes(store.path("topology", other).read_bytes())
    assert store.read("topology", spec) is None
    assert not store.intact("topology", spec)
    assert [(d.path, d.reason) for d in damaged(store)] == [(path, "under another's name")]
    assert path in [dropping.path for dropping in garbage(store)]


def test_trainings_that_were_stopped_are_counted_and_go_after_a_month(store):
    with store.unfinished("abc") as folder:
        (folder / "state").write_bytes(b"half")
    assert size(store)["unfinished"] == [4]
    assert folder not in [dropping.path for dropping in garbage(store)]
    before = folder.stat().st_mtime - 31 * 86400
    os.utime(folder / "state", (before, before))
    (found,) = (dropping for dropping in garbage(store) if dropping.path == folder)
    assert (found.size, found.reason) == (4, "a training stopped a month ago")
    with store.unfinished("abc"):  # somebody goes on with it
        assert not remove(store, found)
    assert remove(store, found)
    assert not folder.exists()


def test_what_goes_away_while_it_is_looked_at_is_passed_over(store, monkeypatch):
    """A live run renames and removes files all the time."""
    leftover(store, HOURS_AGO)
    with store.unfinished("abc") as folder:
        (folder / "state").write_bytes(b"half")
    names, found = ("state", ".writing-abc"), os.stat

    def gone(path, **how):
        if str(path).endswith(names):
            raise FileNotFoundError(path)
        return found(path, **how)

    monkeypatch.setattr("pathlib.os.stat", gone)
    assert [dropping.reason for dropping in garbage(store)] == ["of an earlier version"]
    assert size(store)["features"]


def test_earlier_versions_of_features_metrics_and_analyses_are_collected(store):
    from tdafeat.record import analyses, metrics

    current = {
        "features": {"version": FEATURES_VERSION},
        "measure": {
            "version": VERSIONS["measure"],
            "metrics": [["koleo", metrics["koleo"].version], ["of another package", 3]],
        },
        "analysis": {
            "version": VERSIONS["analysis"],
            "analysis": ["centroids", analyses["centroids"].version],
        },
    }
    earlier = {
        "features": {"version": FEATURES_VERSION - 1},
        "measure": current["measure"] | {"metrics": [["koleo", metrics["koleo"].version - 1]]},
        "analysis": current["analysis"] | {"analysis": ["centroids", 0]},
    }
    for specs in (current, earlier):
        for stage, spec in specs.items():
            store.write(stage, spec, arrays={"x": np.eye(2)})
    found = {d.path for d in garbage(store) if d.reason == "of an earlier version"}
    assert found >= {store.path(stage, spec) for stage, spec in earlier.items()}
    assert not found & {store.path(stage, spec) for stage, spec in current.items()}


def test_files_left_half_written_are_collected_after_an_hour(store):
    path = leftover(store, HOURS_AGO)
    assert path in [dropping.path for dropping in garbage(store)]


def test_a_clock_moved_backwards_takes_nothing_away(store):
    leftover(store, -HOURS_AGO)  # written in what is now the future
    (dropping,) = garbage(store)
    assert dropping.reason == "of an earlier version"


def test_damage_is_found_by_reading_every_byte(store):
    assert list(damaged(store)) == []
    path = store.path("topology", {"version": VERSIONS["topology"]})
    content = bytearray(path.read_bytes())
    content[200] ^= 4
    path.write_bytes(content)
    assert [dropping.path for dropping in damaged(store)] == [path]


def test_an_artefact_without_the_entries_of_one_is_damaged(store):
    path = store.root / "features" / f"{'0' * 64}.zip"
    path.write_bytes(pack({"spec": 1}, {}, {}))
    assert "damaged" in [d.reason for d in garbage(store) if d.path == path]


def test_what_no_store_wrote_is_left_alone(store):
    """A folder named by mistake, such as the one the store lies in, loses nothing."""
    others = [store.root / "downloads" / "thesis.zip", store.root / "notes" / "2024" / "meta.json"]
    for path in others:
        path.parent.mkdir(parents=True)
        path.write_text("{}")
    assert not {*others} & {dropping.path for dropping in garbage(store)}
    assert not {*others} & {dropping.path for dropping in damaged(store)}


def test_the_commands(store, capsys):
    place = ["--store", str(store.root)]
    assert main(["store", "size", *place]) == 0
    assert "topology               2 artefacts" in capsys.readouterr().out
    assert main(["store", "verify", *place]) == 0
    assert "3 artefacts, 0 damaged" in capsys.readouterr().out
    assert main(["store", "gc", "--dry-run", *place]) == 0
    assert len(list(store.root.rglob("*.zip"))) == 3
    assert main(["store", "gc", *place]) == 0
    assert "of an earlier version" in capsys.readouterr().out
    assert len(list(store.root.rglob("*.zip"))) == 2
    path = store.path("features", {"version": FEATURES_VERSION})
    path.write_bytes(path.read_bytes()[:-1])
    assert main(["store", "verify", *place]) == 1
    assert f"{path}: damaged" in capsys.readouterr().out


def test_a_file_is_no_store(tmp_path, capsys):
    (tmp_path / "notes").write_text("mine")
    for place in ("notes", "notes/store"):
        assert main(["store", "size", "--store", f"{tmp_path}/{place}"]) == 2
        error = capsys.readouterr().err
        assert error == f"tdafeat: store must be a folder; {tmp_path}/notes is a file\n"


def test_no_store_is_one_sentence(tmp_path, capsys):
    assert main(["store", "size", "--store", f"{tmp_path}/none"]) == 2
    assert "there is no store" in capsys.readouterr().err
