import json

import pandas as pd
import pytest

from tdafeat.errors import UnreadableData
from tdafeat.run import CELL, TABLES, Run

METRIC = {
    "dataset": "textures",
    "split": "test",
    "encoder": "pixels",
    "layer": "",
    "noise": "gaussian",
    "severity": 1,
    "parameter": 0.1,
    "seed": 0,
    "scope": "all",
    "metric": "koleo",
    "value": float("nan"),
}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "tables").mkdir()
    (tmp_path / "manifest.json").write_text(json.dumps({"schema": 1, "name": "small"}))
    return tmp_path


def test_a_run_is_one_line_in_a_notebook(folder):
    rows = [METRIC, METRIC | {"metric": "rankme"}, METRIC | {"severity": 2}]  # of two cells
    pd.DataFrame(rows).to_parquet(folder / "tables" / "metrics.parquet")
    holes = [{"cell": "pixels, 3", "stage": "measure", "error": "no memory"}]
    (folder / "manifest.json").write_text(
        json.dumps({"schema": 1, "name": "small", "holes": holes})
    )
    assert repr(Run.read(folder)) == f"<Run small: 2 cells, 1 hole, in {folder}>"


def test_tables_left_out_are_empty_with_their_columns(folder):
    run = Run.read(folder)
    for name, (required, optional) in TABLES.items():
        table = getattr(run, name)
        assert table.empty
        assert list(table) == [*required, *optional]
    assert run.manifest["classes"] == []
    assert run.manifest["name"] == "small"


def test_optional_columns_are_filled_and_further_ones_kept(folder):
    pd.DataFrame([METRIC | {"mine": 7}]).to_parquet(folder / "tables/metrics.parquet")
    metrics = Run.read(folder).metrics
    assert metrics["status"].tolist() == [""]
    assert metrics["low"].isna().all()
    assert metrics["mine"].tolist() == [7]


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"schema": "1"}', "\x00"])
def test_an_unreadable_manifest_is_named(folder, content):
    (folder / "manifest.json").write_text(content)
    with pytest.raises(UnreadableData, match=r"manifest\.json"):
        Run.read(folder)


def test_a_newer_manifest_is_refused(folder):
    (folder / "manifest.json").write_text('{"schema": 2}')
    with pytest.raises(UnreadableData, match="schema 2"):
        Run.read(folder)


def test_an_entry_of_the_wrong_type_is_named(folder):
    (folder / "manifest.json").write_text('{"schema": 1, "classes": "banded"}')
    with pytest.raises(UnreadableData, match="'classes'"):
        Run.read(folder)


def test_a_folder_that_is_no_run_says_so(tmp_path):
    with pytest.raises(UnreadableData, match="is not a run"):
        Run.read(tmp_path)


def test_a_truncated_table_is_named(folder):
    path = folder / "tables/metrics.parquet"
    pd.DataFrame([METRIC]).to_parquet(path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(UnreadableData, match=r"metrics\.parquet"):
        Run.read(folder)


def test_a_missing_column_is_named(folder):
    pd.DataFrame([METRIC]).drop(columns="metric").to_parquet(folder / "tables/metrics.parquet")
    with pytest.raises(UnreadableData, match="no column 'metric'"):
        Run.read(folder)


@pytest.mark.parametrize("content", [b"GIF89a" + bytes(40), b"\x89PNG\r\n\x1a\n", None, "text"])
def test_a_picture_that_is_no_png_file_is_named(folder, content):
    cell = {name: METRIC[name] for name in CELL}
    picture = {"scope": "all", "analysis": "a", "kind": "k", "set": "", "rank": 1, "caption": ""}
    pd.DataFrame([cell | picture | {"png": content}]).to_parquet(folder / "tables/pictures.parquet")
    with pytest.raises(UnreadableData, match=r"pictures\.parquet.*'png'"):
        Run.read(folder)


def test_a_column_of_the_wrong_type_is_named(folder):
    pd.DataFrame([METRIC | {"value": "high"}]).to_parquet(folder / "tables/metrics.parquet")
    with pytest.raises(UnreadableData, match="'value'"):
        Run.read(folder)
