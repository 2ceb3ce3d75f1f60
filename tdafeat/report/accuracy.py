"""The sections on how accurate the predictors are: against noise, by class, and in training."""

from __future__ import annotations

from collections.abc import Iterator

from tdafeat import figures
from tdafeat.examples import LEVELS
from tdafeat.figures.frames import levels, with_names
from tdafeat.report import performance
from tdafeat.report.model import Block, Figure, Table
from tdafeat.report.records import Records
from tdafeat.report.selection import by_level, examples, noisy, spaces
from tdafeat.run import Run
from tdafeat.wording import capital


def accuracy(run: Run, records: Records) -> Iterator[Block]:
    """Accuracy against noise, by predictor and by class, and what is mistaken for what."""
    primary = run.manifest["primary"]
    rows = run.metrics[(run.metrics["metric"] == primary) & run.metrics["value"].notna()]
    if rows[rows["scope"] == "all"].empty:
        return
    name, words = records[primary].title, records.words
    strips = examples(run, LEVELS)
    if len(strips):
        yield Figure(
            figures.pictures(strips),
            f"Some of the test images at every level, as {strips['encoder'].iloc[0]} sees them; "
            "of a large input the middle, pixel for pixel.",
            "levels",
        )
    if noisy(run):
        n_seeds = rows["seed"].nunique()
        seeds = f" A band is the range over the {n_seeds} seeds." * (n_seeds > 1)
        yield Figure(
            figures.accuracy(rows, primary),
            f"{capital(name)} on the test images at each {words.fixed}, with its 95 % interval "
            f"where one is known. The dashed line is chance.{seeds} {words.overall}",
            "accuracy",
        )
    yield from _accuracies(run, records)
    yield from performance.robustness(run, records)
    yield from performance.grouping(run, records)
    yield from performance.calibration(run, records)
    yield from performance.reliability(run, records)
    if rows["scope"].nunique() < 3:  # all, and one class: nothing more to tell apart
        return
    if noisy(run):
        yield Figure(
            figures.accuracy(rows, primary, by_class=True),
            f"{capital(name)} of every class (light) around that of all classes (coloured). "
            f"{words.by_class}",
            "accuracy-by-class",
        )
    driven = f"; columns that fill up are where {words.cause} drives it"
    method = primary.removesuffix("_accuracy")
    said = run.predictions[run.predictions["method"] == method]
    for space, cells in spaces(said):
        yield Figure(
            figures.confusion(cells, method),
            f"{space}: What the {name.removesuffix(' accuracy')} takes each class for. A clean "
            f"diagonal is a perfect classifier{driven * noisy(run)}.",
            f"confusion-{space}",
            space,
        )
    yield from performance.classes(run, records)


def _accuracies(run: Run, records: Records) -> Iterator[Block]:
    rows = run.metrics[run.metrics["scope"] == "all"]
    names = [n for n in rows["metric"].drop_duplicates() if n.endswith(("accuracy", "_top5"))]
    if not names:
        return
    rows = with_names(rows[rows["metric"].isin(names) & rows["value"].notna()])
    spread = rows.pivot_table(
        index=["space", "metric"], columns="level", values="value", sort=False
    )
    frame = (100 * spread[levels(rows)]).reset_index()
    frame["metric"] = frame["metric"].map(lambda n: records[n].title)
    frame = frame.rename(columns={"space": "feature space", "metric": "accuracy (%)"})
    yield Table(
        frame,
        f"Accuracies of all predictors in percent{by_level(run, records.words)}.",
        "accuracies",
        dict.fromkeys(levels(rows), ".1f"),
    )


def training(run: Run, records: Records) -> Iterator[Block]:
    """Training curves."""
    if run.training["value"].notna().any():
        caption = (
            "What was logged in training, one panel for each quantity; a score is measured on "
            "held-out images. For encoders that came trained, a step is an epoch."
        )
        yield Figure(figures.training(run.training), caption, "training")
