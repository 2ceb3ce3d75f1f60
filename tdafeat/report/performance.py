"""How robust and how sure the predictors are, and how well each class is told, in tables."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from tdafeat import figures
from tdafeat.evaluation import classification_report
from tdafeat.figures.frames import levels, with_names
from tdafeat.report.model import Block, Figure, Interval, Table
from tdafeat.report.records import Records
from tdafeat.report.selection import by_level, ends, first_seed, noisy, spaces
from tdafeat.run import Run

SUMMARIES = {
    "accuracy_area": "mean accuracy over the levels (%)",
    "relative_accuracy": "noisy accuracy of clean (%)",
    "half_severity": "severity that halves it",
}

GROUPING = {
    **{f"retrieval_top{k}": f"top-{k}" for k in (1, 5, 10)},
    "retrieval_map": "mAP",
    "silhouette": "silhouette ↑",
    "davies_bouldin": "Davies-Bouldin ↓",
    "calinski_harabasz": "Calinski-Harabasz ↑",
    "purity": "purity ↑",
}


def robustness(run: Run, records: Records) -> Iterator[Block]:
    """Every predictor's accuracy over the severities in three numbers, with intervals."""
    rows = first_seed(run.robustness[run.robustness["scope"] == "all"])
    if rows.empty:
        return
    names = with_names(rows.assign(severity=0, parameter=0.0))
    percent = names["summary"] != "half_severity"
    for column in ("value", "low", "high"):
        names[column] = names[column].where(~percent, 100 * names[column])
    specs = np.where(percent, ".1f", ".2f")
    columns = (names["value"], names["low"], names["high"], specs)
    cells = [_interval(*cell) for cell in zip(*columns, strict=True)]
    names["cell"] = pd.Series(cells, names.index, dtype=object)
    wide = names.pivot_table(
        index=["space", "method"], columns="summary", values="cell", aggfunc="first", sort=False
    )
    frame = wide[[name for name in SUMMARIES if name in wide]].rename(columns=SUMMARIES)
    frame = frame.reset_index().rename(columns={"space": "feature space", "method": "predictor"})
    frame["predictor"] = [_predictor(method, records) for method in frame["predictor"]]
    yield Table(
        frame,
        "Robustness of every predictor. Mean accuracy is the area under accuracy against "
        "severity over its range; accuracy under noise, averaged over the noisy levels, is given "
        "as a share of the clean one; and the severity that halves the excess over chance is "
        "read off between levels (∞: none of them does). With 95 % intervals by resampling "
        "test images, the same ones at every level; – where that has nothing to say.",
        "robustness",
    )


def calibration(run: Run, records: Records) -> Iterator[Block]:
    """How far the predictors' probabilities are from what happens."""
    kept = run.metrics["metric"].str.endswith(("_ece", "_brier")) & (run.metrics["scope"] == "all")
    rows = with_names(run.metrics[kept & run.metrics["value"].notna()])
    if rows.empty:
        return
    wide = rows.pivot_table(index=["space", "metric"], columns="level", values="value", sort=False)
    frame = wide[levels(rows)].reset_index()
    frame["metric"] = frame["metric"].map(records.titles(frame["metric"].unique()))
    yield Table(
        frame.rename(columns={"space": "feature space"}),
        "How far probabilities are from what happens"
        f"{by_level(run, records.words)}: calibration error is the gap between how sure and how "
        "right the predictions are, the Brier score the squared distance of the probabilities "
        "from the true class. Only for predictors whose scores are probabilities.",
        "calibration",
        dict.fromkeys(levels(rows), ".3f"),
        detail=True,
    )


def grouping(run: Run, records: Records) -> Iterator[Block]:
    """How well the classes are found by similarity alone: search and cluster indices."""
    kept = run.metrics["metric"].isin(GROUPING) & (run.metrics["scope"] == "all")
    rows = with_names(ends(run.metrics[kept & run.metrics["value"].notna()]))
    if rows.empty:
        return
    index = ["space", "level"] if noisy(run) else ["space"]
    wide = rows.pivot_table(index=index, columns="metric", values="value", sort=False)
    frame = wide[[name for name in GROUPING if name in wide]].rename(columns=GROUPING)
    yield Table(
        frame.reset_index().rename(columns={"space": "feature space"}),
        f"Classes by similarity alone{f', {records.words.ends}' * noisy(run)}: the share of "
        "images with one of their class among the 1, 5 and 10 nearest others by cosine, the mean "
        "average precision of ranking all others, and the classes as clusters: three indices, and "
        "the purity of as many clusters by k-means.",
        "grouping",
        dict.fromkeys(GROUPING.values(), ".3f") | {"Calinski-Harabasz ↑": ".1f"},
    )


def reliability(run: Run, records: Records) -> Iterator[Block]:
    """How often the primary predictor is right, by how sure it is, where it says so."""
    method = run.manifest["primary"].removesuffix("_accuracy")
    said = first_seed(run.predictions[run.predictions["method"] == method])
    if said["confidence"].isna().all():
        return
    yield Figure(
        figures.reliability(said, method),
        f"How often the {_predictor(method, records)} is right, by how sure it is: predictions in "
        "ten bins of confidence, the area of a point for their number, with the 95 % interval of "
        f"their accuracy. On the dashed diagonal probabilities mean what they say, below "
        "it the predictor is surer than it is right.",
        "reliability",
        detail=True,
    )


def classes(run: Run, records: Records) -> Iterator[Block]:
    """Precision, recall and F1 of each class by the primary predictor, of each space."""
    method = run.manifest["primary"].removesuffix("_accuracy")
    said = run.predictions[run.predictions["method"] == method]
    for space, cells in spaces(said):
        reports = {}
        for level, rows in with_names(ends(cells)).groupby("level", sort=False):
            table = classification_report(rows["label"], rows["prediction"])
            start = f"{level}: " * noisy(run)
            for column in ("precision", "recall", "f1"):
                reports[f"{start}{column.replace('f1', 'F1')}"] = table[column]
        frame = pd.DataFrame(reports)
        frame.insert(0, "class", frame.index.astype(str))
        yield Table(
            frame,
            f"{space}: Precision, recall and F1 of every class by the "
            f"{_predictor(method, records)}{f', {records.words.ends}' * noisy(run)}; – where no "
            "image was taken for the class.",
            f"classes-{space}",
            dict.fromkeys(reports, ".2f"),
            space,
            detail=True,
        )


def _predictor(method: str, records: Records) -> str:
    """A predictor's title."""
    accuracy = f"{method}_accuracy"
    title = records[accuracy].title if accuracy in records else method.replace("_", " ")
    return title.removesuffix(" accuracy")


def _interval(value: float, low: float, high: float, spec: str) -> Interval:
    def number(x: float) -> str:
        return format(x, spec).replace("inf", "∞").replace("-", "−")

    bounds = "–" if np.isnan(low) else f"[{number(low)}, {number(high)}]"
    text = "–" if np.isnan(value) else f"{number(value)} {bounds}"
    return Interval(value, low, high, text)
