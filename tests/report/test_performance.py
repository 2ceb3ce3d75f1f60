import numpy as np
import pandas as pd
import pytest

from tdafeat.evaluation import classification_report, robustness
from tdafeat.report.content import build
from tdafeat.report.model import Figure, Table
from tdafeat.run import Run
from tests.report.synthetic import write_run


def tables(run):
    found = (b for section in build(run).sections for b in section.blocks)
    return {block.label: block for block in found if isinstance(block, Table)}


@pytest.fixture
def run(tmp_path):
    folder = write_run(tmp_path)
    said = pd.read_parquet(folder / "tables" / "predictions.parquet")
    rows = []
    for encoder, own in said.groupby("encoder", sort=False):
        right = own.assign(right=own["label"] == own["prediction"])
        wide = right.pivot_table(index="image", columns="severity", values="right")
        for name, estimate in robustness(wide.to_numpy(), range(4), 0.25).items():
            cell = {"dataset": "textures", "split": "test", "encoder": encoder, "layer": ""}
            cell |= {"noise": "gaussian", "seed": 0, "method": "probe", "scope": "all"}
            rows.append(cell | {"summary": name, "n": len(wide)} | vars(estimate))
    pd.DataFrame(rows).to_parquet(folder / "tables" / "robustness.parquet")
    return Run.read(folder)


def test_robustness_stands_with_its_intervals(run):
    table = tables(run)["robustness"]
    assert table.frame["feature space"].tolist() == ["pixels", "tiny:clip"]
    assert set(table.frame["predictor"]) == {"linear probe"}
    area = run.robustness.query("encoder == 'pixels' and summary == 'accuracy_area'").iloc[0]
    shown = table.frame["mean accuracy over the levels (%)"].iloc[0]
    value, low, high = (f"{100 * area[k]:.1f}" for k in ("value", "low", "high"))
    assert str(shown) == f"{value} [{low}, {high}]"


def test_what_has_no_interval_and_no_end_is_written_so(run, tmp_path):
    changed = run.robustness.assign(
        value=np.where(run.robustness["summary"] == "half_severity", np.inf, np.nan),
        low=np.nan,
        high=np.nan,
    )
    changed.to_parquet(run.folder / "tables" / "robustness.parquet")
    frame = tables(Run.read(run.folder))["robustness"].frame
    assert frame["severity that halves it"].map(str).tolist() == ["∞ –"] * 2
    assert frame["mean accuracy over the levels (%)"].map(str).tolist() == ["–"] * 2


def test_classes_have_precision_recall_and_f1_at_both_ends(run):
    table = tables(run)["classes-pixels"]
    clean = run.predictions.query("encoder == 'pixels' and severity == 0")
    report = classification_report(clean["label"], clean["prediction"])
    assert table.frame["class"].tolist() == list(report.index)
    np.testing.assert_array_equal(table.frame["clean: F1"], report["f1"])
    assert "3 (0.38): recall" in table.frame


def test_an_old_run_has_no_such_tables_and_is_read(tmp_path):
    run = Run.read(write_run(tmp_path))
    assert run.robustness.empty
    assert run.predictions["rank"].isna().all()
    assert "robustness" not in tables(run)
    assert "calibration" not in tables(run)


def test_a_reliability_diagram_completes_the_argument_where_confidences_are_known(run):
    figures = [b for s in build(run).sections for b in s.blocks if isinstance(b, Figure)]
    (shown,) = (figure for figure in figures if figure.label == "reliability")
    assert shown.detail
    said = run.predictions.drop(columns="confidence")
    said.to_parquet(run.folder / "tables" / "predictions.parquet")
    sections = build(Run.read(run.folder)).sections
    assert "reliability" not in {getattr(b, "label", "") for s in sections for b in s.blocks}


def test_search_and_cluster_indices_stand_side_by_side(run):
    named = {"koleo": "silhouette", "rankme": "retrieval_map"}
    metrics = run.metrics.assign(metric=run.metrics["metric"].replace(named))
    metrics.to_parquet(run.folder / "tables" / "metrics.parquet")
    frame = tables(Run.read(run.folder))["grouping"].frame
    assert frame.columns.tolist() == ["feature space", "level", "mAP", "silhouette ↑"]
    assert frame["level"].tolist() == ["clean", "3 (0.38)"] * 2
    last = run.metrics.query("encoder == 'tiny:clip' and severity == 3 and scope == 'all'")
    expected = last.set_index("metric")["value"][["rankme", "koleo"]]
    assert frame.iloc[-1, 2:].tolist() == expected.tolist()
