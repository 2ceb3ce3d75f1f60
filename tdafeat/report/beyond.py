"""The sections that hold results against something: nothing, simpler metrics, unseen units."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from tdafeat import figures
from tdafeat.figures.curves import DISTANCES
from tdafeat.figures.frames import with_names
from tdafeat.report.correlations import intervals
from tdafeat.report.model import Block, Figure, Paragraph, Table
from tdafeat.report.records import Records
from tdafeat.run import Run
from tdafeat.wording import printed

SHOWN = 5  # rows of each feature space in a table


def distances(run: Run, records: Records) -> Iterator[Block]:
    """How far noise moves the diagrams, beside how far they are apart where nothing happened."""
    halves = run.baselines["baseline"].eq("split halves") & run.baselines["quantity"].eq("value")
    rows = run.baselines[halves & run.baselines["metric"].str.startswith(DISTANCES)]
    if rows.empty:
        return
    rows = rows.rename(columns={"value": "nothing", "observed": "value"})
    n, draws = int(rows["n"].max()), int(rows["draws"].max())
    yield Figure(
        figures.curves(rows, None, records.titles(rows["metric"].drop_duplicates())),
        f"The same distances on {n} rows of the cloud, and dashed what they are when nothing "
        f"happened: from those rows to {n} {records.words.first} ones of other images of the same "
        f"classes. Both are means of {draws} draws. A line below its dashed one has moved less "
        "than a change of images would. Distances grow with the number of rows, so the dashed "
        "line is no measure for those of the whole cloud.",
        "distances-beside-nothing",
    )


def baselines(run: Run, records: Records) -> Iterator[Block]:
    """Metrics beside what they are when nothing happened, and of a Gaussian."""
    rows = run.baselines[run.baselines["severity"] == run.baselines["severity"].max()]
    if rows.empty:
        return
    n, draws = int(rows["n"].max()), int(rows["draws"].max())
    words = records.words
    yield Paragraph(
        f"Each metric of the whole cloud beside two of nothing, all on {n} rows, {draws} draws "
        "each. Split halves: clean features of other images of the same classes stand where the "
        f"{words.later} ones of the same images would; a metric that compares with clean has the "
        f"value in the table, another changes by so much, when nothing happened. A {words.later} "
        "value no farther from clean than those is no more than other images would give; the range "
        "of so few draws is no interval, and a value outside it no test. Gaussian: clouds drawn "
        "with the same class means and covariances; where its range holds the own value, the "
        "metric sees nothing beyond second moments here."
    )
    keys = ["space", "metric", "baseline", "quantity"]
    named = with_names(rows)
    mean = named.groupby(keys, sort=False)[["value", "low", "high", "observed"]].mean()
    titles = records.titles(rows["metric"].drop_duplicates())
    for baseline, quantity, heading in (
        ("split halves", "value", "Distances and likeness to clean, beside those of split halves"),
        ("split halves", "change", "Changes of metrics, beside those between split halves"),
        ("gaussian", "value", "Metrics, beside those of a Gaussian with the same moments"),
    ):
        part = mean[
            (mean.index.get_level_values("baseline") == baseline)
            & (mean.index.get_level_values("quantity") == quantity)
        ].reset_index()
        if part.empty:
            continue
        part["nothing"] = [
            f"{v:.3g} ({low:.3g} to {high:.3g})".replace("-", "−")
            for v, low, high in zip(part["value"], part["low"], part["high"], strict=True)
        ]
        frame = part.assign(
            metric=part["metric"].map(titles),
            no_more=np.where(_no_more(part, records), "yes", ""),
        )
        columns = {"space": "feature space", "observed": "own rows", "nothing": baseline}
        columns["no_more"] = "inside" if baseline == "gaussian" else "no more than that"
        yield Table(
            frame[["space", "metric", "observed", "nothing", "no_more"]].rename(columns=columns),
            f"{heading}, mean and range of the draws{_worst(run)}.",
            f"baselines-{baseline}-{quantity}".replace(" ", "-"),
            {"own rows": ".3g"},
        )


def _no_more(rows: pd.DataFrame, records: Records) -> pd.Series:
    """Whether a value is no more than its baseline's draws: of halves, no farther from clean."""
    over, under = rows["observed"] > rows["high"], rows["observed"] < rows["low"]
    if (rows["baseline"] == "gaussian").all():
        return ~(over | under)
    likeness = np.array([records[name].better == "higher" for name in rows["metric"]])
    return ~over.mask(likeness & (rows["quantity"] == "value"), under)


def _worst(run: Run) -> str:
    return ", at the strongest noise" * bool(run.manifest["noise"])


def added(run: Run, records: Records) -> Iterator[Block]:
    """What is left of topological metrics once simpler ones are taken out."""
    rows = run.added[run.added["value"].notna()]
    if rows.empty:
        return
    yield Paragraph(
        "A metric may go with accuracy only because it repeats a simpler one. The simple metrics "
        "are therefore regressed out of the metric and out of accuracy, by ranks and at each "
        "level; what is left is correlated. p is the larger of two, of ranks and of the values "
        "themselves. “Displacement” is how far noise moves the features, "
        "“spread” the total variance of a class."
    )
    for sentence in run.manifest["added"]:
        yield Paragraph(printed(str(sentence)))
    shown = rows.sort_values("value", key=np.abs, ascending=False, kind="stable")
    shown = shown.groupby(["encoder", "layer", "noise", "beyond"], sort=False).head(SHOWN)
    frame = shown[["encoder", "beyond", "alone", "shared", "p_holm", "p_bh", "n"]].assign(
        metric=shown["metric"].map(records.titles(shown["metric"].drop_duplicates())),
        partial=intervals(shown),
        shared=100 * shown["shared"],
        without=shown["r2_beyond"],
        both=shown["r2_both"],
    )
    order = ["encoder", "beyond", "metric", "alone", "shared", "partial", "p_holm", "p_bh"]
    names = {"alone": "ρ alone", "shared": "shared (%)", "partial": "ρ beyond", "n": "units"}
    names |= {"p_holm": "p (Holm)", "p_bh": "p (BH)", "without": "R² without", "both": "R² with"}
    yield Table(
        frame[[*order, "without", "both", "n"]].rename(columns=names),
        f"The {SHOWN} topological metrics of each feature space with the largest partial rank "
        "correlation. “Shared” is the part of a metric's rank variance that the simple metrics "
        "explain; R² is out of sample, of the accuracy drop of a unit left out, without and with "
        "the metric beside the simple ones.",
        "added",
        {"ρ alone": "+.2f", "shared (%)": ".0f", "p (Holm)": ".2g", "p (BH)": ".2g"}
        | {"R² without": ".2f", "R² with": ".2f", "units": ".0f"},
    )


def prediction(run: Run, records: Records) -> Iterator[Block]:
    """How well metrics of clean features predict what noise costs an unseen unit."""
    rows = run.prediction[run.prediction["r2"].notna()]
    if rows.empty:
        return
    yield Paragraph(
        "Each class (or encoder) is left out in turn; a straight line through the clean values of "
        "all others predicts how much accuracy noise costs it. R² compares with predicting the "
        "mean drop of the others: 1 is perfect, 0 no better, below 0 worse."
    )
    for sentence in run.manifest["foretold"]:
        yield Paragraph(printed(str(sentence)))
    primary = run.manifest["primary"]
    ranked = rows.sort_values("r2", ascending=False, kind="stable")
    best = ranked[ranked["metric"] != primary].groupby(["encoder", "layer", "noise"], sort=False)
    shown = ranked.loc[sorted([*best.head(SHOWN).index, *rows.index[rows["metric"] == primary]])]
    titles = records.titles(shown["metric"].drop_duplicates())
    frame = shown[["encoder", "scope_unit", "metric", "r2", "rho", "p", "p_holm", "p_bh", "n"]]
    frame = frame.assign(
        metric=shown["metric"].map(titles),
        error=100 * shown["error"],
        mean=100 * shown["error_of_mean"],
    )
    order = ["encoder", "scope_unit", "metric", "r2", "rho", "error", "mean", "p", "p_holm", "p_bh"]
    names = {"scope_unit": "left out", "r2": "R²", "rho": "ρ", "error": "error", "n": "units"}
    names |= {"mean": "error of the mean", "p_holm": "p (Holm)", "p_bh": "p (BH)"}
    yield Table(
        frame[[*order, "n"]].rename(columns=names),
        f"The {SHOWN} clean metrics of each feature space that predict the accuracy drop best, and "
        "clean accuracy itself, which they have to beat. Errors are root mean squares in points "
        "of accuracy; ρ is the rank correlation of predicted and true drops.",
        "prediction",
        {"R²": ".2f", "ρ": "+.2f", "error": ".1f", "error of the mean": ".1f", "p": ".2g"}
        | {"p (Holm)": ".2g", "p (BH)": ".2g", "units": ".0f"},
    )
