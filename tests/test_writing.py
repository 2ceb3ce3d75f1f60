"""The folder of a run is one run, whole, or refused; a stage that failed leaves a hole in it."""

import os
import shutil

import pytest

from tdafeat import report, stages, writing
from tdafeat.errors import UnreadableData
from tdafeat.files import ASIDE
from tdafeat.run import Run
from tests import small_study


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    place = tmp_path_factory.mktemp("writing")
    return small_study.run(place).folder


@pytest.fixture
def folder(whole, tmp_path):
    return shutil.copytree(whole, tmp_path / "run")


def test_every_file_is_listed_but_the_manifest_and_the_record_of_progress(folder):
    found = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}
    listed = set(Run.read(folder).manifest["files"])
    assert "tables/metrics.parquet" in listed
    assert found - listed == {"manifest.json", "progress.json", ".running"}


@pytest.mark.parametrize("name", ["metrics", "associations"])
def test_a_changed_or_missing_table_is_refused_by_name(folder, name):
    path = folder / "tables" / f"{name}.parquet"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(UnreadableData, match=rf"{name}\.parquet is damaged, or not of the run"):
        Run.read(folder)
    path.unlink()
    with pytest.raises(UnreadableData, match=rf"{name}\.parquet is missing"):
        Run.read(folder)


def test_a_table_of_an_earlier_run_is_none_of_this_one(folder):
    shutil.copy(folder / "tables/metrics.parquet", folder / "tables/training.parquet")
    assert Run.read(folder).training.empty


@pytest.mark.parametrize("renamed", [0, 3])
def test_a_run_that_was_stopped_while_it_was_written_is_no_mixture(folder, monkeypatch, renamed):
    before = Run.read(folder).metrics
    rename, replace_all, calls = os.replace, writing.replace_all, []

    def stops(source, target):
        calls.append(target)
        if len(calls) > renamed:
            raise KeyboardInterrupt
        rename(source, target)

    def watched(files):
        with monkeypatch.context() as patch:
            patch.setattr(os, "replace", stops)
            replace_all(files)

    other = small_study.study(features={"two": small_study.levels(1)})
    options = {"store": folder.parent / "store", "quiet": True}
    with monkeypatch.context() as patch:
        patch.setattr(writing, "replace_all", watched)
        with pytest.raises(KeyboardInterrupt):
            other.run(folder, **options)
    if renamed:
        with pytest.raises(UnreadableData, match="run the study again"):
            Run.read(folder)
    else:
        assert Run.read(folder).metrics.equals(before)
    run = other.run(folder, **options)
    assert set(run.metrics["encoder"]) == {"two"}
    assert not [p for p in folder.rglob("*") if p.name.startswith(ASIDE)]


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["topology", "probe", "scores", "measure"])
def test_a_stage_of_which_nothing_is_left_is_a_hole_in_the_report(tmp_path, monkeypatch, stage):
    def fails(store, *arguments, **options):
        raise RuntimeError("no such luck")

    monkeypatch.setattr(stages, stage, fails)
    run = small_study.run(tmp_path)
    assert {"RuntimeError: no such luck", "no cell was measured"} >= {
        hole["error"] for hole in run.manifest["holes"] if hole["stage"] in (stage, "statistics")
    }
    page, _ = report.write(run)
    assert "no such luck" in page.read_text()
