import json

import pandas as pd
import pytest

from tdafeat.cli import main
from tdafeat.report import page
from tdafeat.report.comparison import build, names
from tdafeat.report.model import Figure, Note, Table
from tdafeat.run import Run
from tests.report.synthetic import write_run


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Two runs whose folders go by the same name, and one of other classes and levels."""
    room = tmp_path_factory.mktemp("several")
    return (
        write_run(room / "a" / "run"),
        write_run(room / "b" / "run", encoders=("pixels",)),
        write_run(room / "c", classes=("x", "y", "z"), n_levels=3),
    )


@pytest.fixture(scope="module")
def runs(folders):
    return [Run.read(folder) for folder in folders]


def blocks(content, kind):
    return [b for section in content.sections for b in section.blocks if isinstance(b, kind)]


def table(content, label):
    return next(b.frame for b in blocks(content, Table) if b.label == label)


def test_runs_go_by_the_ends_of_their_paths_that_no_other_has(runs):
    assert names(runs) == ["a/run", "b/run", "c"]
    assert names(runs[1:]) == ["run", "c"]


def test_every_feature_space_of_every_run_is_in_the_curves_and_tables(runs):
    content = build(runs)
    spaces = ["a/run · pixels", "a/run · tiny:clip", "b/run · pixels", "c · pixels"]
    spaces.append("c · tiny:clip")
    drawn = "".join(
        json.dumps(b.chart.to_dict(), ensure_ascii=False)
        for b in blocks(content, Figure)
        if b.label.startswith("accuracy")
    )
    assert all(space in drawn for space in spaces)
    assert list(table(content, "metrics-last-1")) == ["metric", *spaces]
    assert list(table(content, "associations-1")) == ["metric", *spaces[:3]]
    assert list(table(content, "associations-2")) == ["metric", *spaces[3:]]


def test_accuracies_are_those_of_the_first_and_last_level(runs):
    frame = table(build(runs), "accuracies").set_index(["feature space", "accuracy"])
    metrics = runs[2].metrics
    own = metrics[(metrics["encoder"] == "pixels") & (metrics["scope"] == "all")]
    own = own[own["metric"] == "probe_accuracy"].set_index("severity")["value"]
    got = frame.loc[("c · pixels", "linear probe accuracy")].tolist()
    assert got == pytest.approx([100 * own[0], 100 * own[2]])  # c ends at severity 2


def test_runs_of_other_levels_have_curves_of_their_own(runs):
    curves = [b for b in blocks(build(runs), Figure) if b.label.startswith("accuracy")]
    assert len(curves) == 2
    (alone,) = [
        b
        for b in blocks(build([runs[1], runs[2]]), Figure)
        if b.label == "accuracy-probe_accuracy-1"
    ]
    assert alone.caption.startswith("run · pixels: Linear probe accuracy")


def test_what_cannot_be_compared_is_said_and_not_judged(runs):
    content = build(runs)
    notes = " ".join(note.text for note in blocks(content, Note))
    assert "different classes" in notes
    assert "its levels are not the same" in notes
    assert "do not say which feature space is better" in content.answer[0]
    assert not content.classes
    alike = build(runs[:2])
    assert not blocks(alike, Note)
    assert alike.answer[0].startswith("Highest linear probe accuracy, clean: ")


def test_the_answer_says_how_sure_the_highest_is_and_what_failed(tmp_path):
    folders = [write_run(tmp_path / name, encoders=(f"e{name}",)) for name in "ab"]
    path = folders[1] / "manifest.json"
    manifest = json.loads(path.read_text())
    cell = {"encoder": "own:lost", "severity": 0, "seed": 0}
    hole = {"cell": cell, "stage": "features", "error": "no weights", "trace": ""}
    path.write_text(json.dumps(manifest | {"holes": [hole, hole]}))
    path = folders[1] / "tables" / "metrics.parquet"
    metrics = pd.read_parquet(path)
    own = (metrics["metric"] == "probe_accuracy") & (metrics["scope"] == "all")
    metrics.loc[own & (metrics["severity"] == 0), ["value", "low", "high"]] = 0.97, 0.95, 0.99
    metrics.to_parquet(path)
    answer = build([Run.read(folder) for folder in folders]).answer
    assert answer[0] == "Highest linear probe accuracy, clean: b · eb, with 97.0 [95.0, 99.0] %."
    assert answer[-1] == "Failed, at least in part, and so not compared in full: own:lost of b."


def test_a_space_near_chance_is_named_by_the_rule_of_a_run_s_own_answer(tmp_path):
    folders = [write_run(tmp_path / name, encoders=(f"e{name}", "other")) for name in "ab"]
    path = folders[1] / "tables" / "metrics.parquet"
    metrics = pd.read_parquet(path)
    own = (metrics["metric"] == "probe_accuracy") & (metrics["scope"] == "all")
    own &= (metrics["encoder"] == "eb") & (metrics["severity"] == 0)
    said = "Not clearly above chance even when clean: eb of b; there is no robustness to ask about."
    # of four classes chance is 1/4, and from 1/2 on a classifier knows them
    for clean, near in ((0.49, True), (0.51, False)):
        metrics.loc[own, ["value", "low", "high"]] = clean, clean - 0.05, clean + 0.05
        metrics.to_parquet(path)
        assert (said in build([Run.read(folder) for folder in folders]).answer) == near


def test_differences_hold_what_differs_alone(runs):
    content = build(runs)
    settings = table(content, "differences").set_index("setting")
    assert settings.loc["noise levels"].tolist() == [
        "0.08 0.18 0.38",
        *["0.08 0.18 0.38"],
        "0.08 0.18",
    ]
    assert "versions numpy" not in settings.index
    shared = table(content, "shared").set_index("setting")["value"]
    assert shared["dataset"] == "textures"
    assert "numpy 1.26.4" in shared["versions"].split(", ")
    assert not settings.index.intersection(shared.index).size


def test_correlations_that_all_runs_share_are_those_significant_with_one_sign(tmp_path):
    """The only metric made to be significant, and of one sign, is the only one named."""
    folders = [write_run(tmp_path / name, encoders=("pixels",)) for name in "ab"]
    for folder in folders:
        path = folder / "tables" / "associations.parquet"
        known = pd.read_parquet(path)
        own = known["metric"] == "rankme"
        known["value"] = own.map({True: 0.9, False: 0.1})
        known.assign(p_holm=own.map({True: 0.01, False: 0.9})).to_parquet(path)
    answer = build([Run.read(folder) for folder in folders]).answer[-1]
    assert "1 goes with accuracy" in answer
    assert answer.endswith(": RankMe.")


def test_robustness_stands_beside_where_runs_have_it(tmp_path):
    folders = [write_run(tmp_path / name, encoders=("pixels",)) for name in "ab"]
    for seed, folder in enumerate(folders):  # of other seeds: each at its own first
        row = {"dataset": "textures", "split": "test", "encoder": "pixels", "layer": ""}
        row |= {"noise": "gaussian", "seed": seed, "method": "probe", "scope": "all", "n": 48}
        row |= {"summary": "accuracy_area", "value": 0.5 + seed / 10, "low": 0.4, "high": 0.7}
        pd.DataFrame([row]).to_parquet(folder / "tables" / "robustness.parquet")
    frame = table(build([Run.read(folder) for folder in folders]), "robustness")
    assert frame["feature space"].tolist() == ["a", "b"]
    assert frame.iloc[:, 2].map(str).tolist() == ["50.0 [40.0, 70.0]", "60.0 [40.0, 70.0]"]


def test_page_and_document_are_written(folders, runs, tmp_path, capsys):
    out = tmp_path / "compared"
    assert main(["compare", *map(str, folders), "--out", str(out)]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed == [f"{out}/comparison.{kind}" for kind in ("html", "pdf")]
    assert (out / "comparison.html").read_text(encoding="utf-8") == page.render(build(runs))
    assert (out / "comparison.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize(
    ("given", "out", "message"),
    [
        ("a/run", "out", "a comparison takes at least two runs; got 1"),
        ("a/run c a/../a/run", "out", "is given twice"),
        ("a/run none", "out", "none is not a run: it has no manifest.json"),
        ("a/run c", "c", "c is one of the runs"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(folders, capsys, given, out, message):
    room = folders[2].parent
    runs = [f"{room}/{name}" for name in given.split()]
    assert main(["compare", *runs, "--out", f"{room}/{out}"]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (room / out / "comparison.html").exists()
