"""The sections that argue: each yields its figures and tables, nothing where there is no data."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from tdafeat import figures
from tdafeat.examples import LEVELS, NEIGHBOURS
from tdafeat.figures.curves import DISTANCES
from tdafeat.figures.theme import levels, with_names
from tdafeat.report import beyond, performance
from tdafeat.report.model import Block, Figure, Note, Paragraph, Table
from tdafeat.report.records import Records
from tdafeat.report.selection import by_level, drawable, first_seed, noisy, spaces
from tdafeat.run import Run

MANY = 300  # bars of a diagram; of more, the density is drawn
PANELS = 12
METHODS = {"pca": "PCA", "tsne": "t-SNE", "umap": "UMAP"}


def accuracy(run: Run, records: Records) -> Iterator[Block]:
    """Accuracy against noise, by predictor and by class, and what is mistaken for what."""
    primary = run.manifest["primary"]
    rows = run.metrics[(run.metrics["metric"] == primary) & run.metrics["value"].notna()]
    if rows[rows["scope"] == "all"].empty:
        return
    name, words = records[primary].title, records.words
    strips = _examples(run, LEVELS)
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
            f"{_capital(name)} on the test images at each {words.fixed}, with its 95 % interval "
            f"where one is known. The dashed line is chance.{seeds} {words.overall}",
            "accuracy",
        )
    yield from _accuracies(run, records)
    yield from performance.robustness(run, records)
    yield from performance.calibration(run, records)
    yield from performance.reliability(run, records)
    if rows["scope"].nunique() < 3:  # all, and one class: nothing more to tell apart
        return
    if noisy(run):
        yield Figure(
            figures.accuracy(rows, primary, by_class=True),
            f"{_capital(name)} of every class (light) around that of all classes (coloured). "
            f"{words.by_class}",
            "accuracy-by-class",
        )
    driven = f"; columns that fill up are where {words.cause} drives it"
    method = primary.removesuffix("_accuracy")
    said = run.predictions[run.predictions["method"] == method]
    for space, cells in spaces(said):
        yield Figure(
            figures.confusion(cells, method),
            f"{space}: what the {name.removesuffix(' accuracy')} takes each class for. A clean "
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


def diagrams(run: Run, records: Records) -> Iterator[Block]:
    """Persistence diagrams of the whole cloud, level by level."""
    whole = run.diagrams[run.diagrams["scope"] == "all"]
    if whole.empty:
        return
    yield Paragraph(
        "Balls grow around the points of a cloud. A bar of H0 is a group of points that stays "
        "apart from the others until it merges; a bar of H1 is a loop that closes (birth) and is "
        "filled in (death). The further a point lies above the diagonal, the longer that feature "
        "lasts; points near the diagonal are mostly sampling noise."
    )
    bands = run.records[run.records["scope"] == "all"]
    of_classes = dict(spaces(run.diagrams[run.diagrams["scope"] != "all"]))
    for space, cells in spaces(whole):
        bars = cells.groupby(["severity", "degree"]).size().groupby("degree").max()
        count = ", ".join(f"{n} of H{degree}" for degree, n in bars.items())
        upto, each = ("up to ", " per level") if noisy(run) else ("", "")
        crowded = (
            " Where a degree has many, colour is the density of all, and points are the longest."
            if bars.max() > MANY
            else ""
        )
        watched = (
            " Watch whether loops lose their length and whether the H0 column shrinks or stretches."
        )
        yield Figure(
            figures.diagrams(cells, first_seed(bands), MANY, of_classes.get(space)),
            f"{space}: persistence diagrams{' at each level, on the same axes' * noisy(run)} "
            "(diameter of the balls, in units of the features). A triangle never dies."
            f"{_banded(cells, bands)}{watched * noisy(run)} {_capital(upto)}{count} bars{each}."
            f"{crowded}",
            f"diagrams-{space}",
            space,
        )
    yield from _summaries(run, records, first_seed(whole))
    names = [n for n in records if records[n].room == "topology" and not n.startswith(DISTANCES)]
    yield from _curves(
        run,
        records,
        names,
        f"Summaries of the diagrams {records.words.along}: one panel per summary, each on its own "
        "scale.",
        "summaries",
    )


def _summaries(run: Run, records: Records, whole: pd.DataFrame) -> Iterator[Block]:
    """The same bars of all feature spaces, seen in other ways."""
    by = f", a colour for each {records.words.fixed}" * noisy(run)
    each = f", {records.words.along}" * noisy(run)
    yield Figure(
        figures.betti_curves(whole),
        f"Betti curves: how many groups (H0) and loops (H1) are alive at each value{by}. "
        "A curve that moves to the right is a cloud whose points moved apart.",
        "betti-curves",
    )
    yield Figure(
        figures.barcodes(whole),
        f"Barcodes{each}: the 40 longest bars of each degree. A bar begins where its group or loop "
        "appears and ends where it goes; arrows never end.",
        "barcodes",
        detail=True,
    )
    loops = whole[(whole["degree"] == 1) & np.isfinite(whole["death"])]
    if loops.empty:
        return
    yield Figure(
        figures.landscapes(whole),
        f"Persistence landscapes of the loops{each}: the first layer is high where a long loop is "
        "alive, the layers below it where several are.",
        "landscapes",
        detail=True,
    )
    yield Figure(
        figures.persistence_images(whole),
        f"Persistence images of the loops{each}: bright where many or long loops lie. Bright spots "
        "that move down are loops that shorten.",
        "persistence-images",
        detail=True,
    )


def _banded(cells: pd.DataFrame, bands: pd.DataFrame) -> str:
    """What the dashed lines of these diagrams are, and which degrees have none."""
    own = bands.merge(cells[["encoder", "layer"]].drop_duplicates())
    known = [c for c in ("band_h0", "band_h1") if own[c].notna().any()]
    if not np.isfinite(own[known]).any(axis=None):
        return ""
    lost = [f"H{c[-1]}" for c in known if not np.isfinite(own[c]).all()]
    lacking = f" (none for {' and '.join(lost)} where samples lose the longest bar)"
    return (
        " Bars above the dashed line of their colour are longer than twice the radius of a 95 % "
        f"confidence band{lacking * bool(lost)}: more than sampling would bring."
    )


def distances(run: Run, records: Records) -> Iterator[Block]:
    """Distances between the diagrams of the first level and those of the others."""
    words = records.words
    names = sorted(n for n in records if n.startswith(DISTANCES))
    noisy = run.metrics[run.metrics["severity"] > 0]
    rows = drawable(noisy, names)
    if not rows.empty:
        yield Figure(
            figures.distances(rows, records.titles(names)),
            f"How far {words.cause} moves the diagrams: distance from the {words.first} diagram to "
            f"the {words.later} one, in units of the features. Scales differ between encoders, so "
            f"compare shapes of curves rather than heights. At {words.origin} the distance is zero "
            "by definition.",
            "distances",
        )
    yield from beyond.distances(run, records)
    yield from _matrices(run, records, "topology")


def angles(run: Run, records: Records) -> Iterator[Block]:
    """Angles between the classes' subspaces, with the dimensions that make them comparable."""
    blocks = list(_matrices(run, records, "geometry"))
    if not blocks:
        return
    yield Paragraph(
        "Each class spans a subspace: its leading principal directions. Angles near 90 degrees "
        "mean that classes vary in directions of their own, small angles that they share them."
    )
    # How many directions an angle compares, and in how many: without them it means nothing.
    stated = with_names(run.pairs[run.pairs["params"] != ""])
    for (space, params), _ in stated.groupby(["space", "params"], sort=False):
        forced = "2k > D" in str(params)  # the subspaces meet, whatever the classes look like
        yield (Note if forced else Paragraph)(f"{space}: {params}.", str(space))
    yield from blocks


def _matrices(run: Run, records: Records, room: str) -> Iterator[Block]:
    """One heatmap for each space, of the most telling metric, and a table of all of them."""
    rows = run.pairs[np.isfinite(run.pairs["value"])]
    rows = rows[[records[name].room == room for name in rows["metric"]]]
    if rows.empty:
        return
    names = sorted(rows["metric"].unique())
    drawn = next((n for n in names if "mean" in n), names[-1])  # else the highest degree's
    about = records[drawn]
    for space, cells in spaces(rows[rows["metric"] == drawn]):
        yield Figure(
            figures.class_matrix(cells, drawn, about.title, about.unit),
            f"{space}: {about.title} for every pair of classes"
            f"{f', {records.words.ends}' * noisy(run)}; classes that are alike stand "
            f"together{', in the same order in both panels' * noisy(run)}.",
            f"{drawn}-{space}",
            space,
        )
    angular = [records[name].unit == "radians" for name in rows["metric"]]
    named = with_names(rows.assign(value=rows["value"].mask(angular, np.degrees(rows["value"]))))
    groups = named.groupby(["space", "metric", "level"], sort=False)["value"]
    spread = groups.agg(["mean", "min", "max"]).reset_index()
    spread["cell"] = [
        f"{mean:.3g} ({low:.3g} to {high:.3g})"
        for mean, low, high in zip(spread["mean"], spread["min"], spread["max"], strict=True)
    ]
    frame = spread.pivot_table(
        index=["space", "metric"], columns="level", values="cell", aggfunc="first", sort=False
    )
    frame = frame[levels(named)].fillna("–").rename(index=records.titles(names), level="metric")
    yield Table(
        frame.reset_index().rename(columns={"space": "feature space"}),
        "Mean over all pairs of classes, with the smallest and the largest pair"
        f"{by_level(run, records.words)}{'; angles in degrees' if any(angular) else ''}.",
        f"pairs-{room}",
    )


def spectra(run: Run, records: Records) -> Iterator[Block]:
    """Spectra of the covariance and other geometry of the whole cloud."""
    rows = first_seed(run.spectra[run.spectra["scope"] == "all"])
    words = records.words
    filled = (
        f"; where {words.cause} lifts the tail, it fills directions that the {words.first} "
        "features leave empty"
    )
    if (rows["value"] > 0).any():
        yield Figure(
            figures.spectra(rows),
            "Share of the variance along each principal direction, both axes logarithmic. A line "
            f"that falls steeply is a cloud with few directions{filled * noisy(run)}.",
            "spectra",
        )
    names = [n for n in records if records[n].room == "geometry"]
    yield from _curves(
        run,
        records,
        names,
        f"Geometry of the whole cloud {records.words.along}: one panel per metric, each on its own "
        "scale; an arrow marks the desirable direction.",
        "geometry",
    )
    yield from _notes(run, records)


def _notes(run: Run, records: Records) -> Iterator[Block]:
    """What must stand beside the values of some metrics, such as the dimensions of an angle."""
    whole = run.metrics[(run.metrics["params"] != "") & (run.metrics["scope"] == "all")]
    if whole.empty:
        return
    named = with_names(whole)
    for metric, rows in named.groupby("metric", sort=False):
        by_space = rows.groupby("space", sort=False)["params"].unique()
        told = "; ".join(f"{space}, {' or '.join(notes)}" for space, notes in by_space.items())
        forced = rows["params"].str.contains("2k > D", regex=False).any()
        title = _capital(records[str(metric)].title)
        yield (Note if forced else Paragraph)(f"{title}: {told}.")


def projections(run: Run, records: Records) -> Iterator[Block]:
    """Maps of the features, coloured by class."""
    images = "the same images at every level, fitted jointly" if noisy(run) else "the test images"
    dissolving = f" Clusters that dissolve are classes that {records.words.cause} mixes."
    distant = " Distances between far clusters mean little."
    galleries = _examples(run, NEIGHBOURS)
    for space, cells in spaces(galleries) if len(galleries) else ():
        yield Figure(
            figures.pictures(cells),
            f"{space}: some test images, the first of each row, and those nearest to them by "
            "cosine. A whole blue frame is the same class, a broken orange one another.",
            f"neighbours-{space}",
            space,
        )
    for space, cells in spaces(run.projections):
        for (subset, method), rows in cells.groupby(["subset", "method"], sort=False):
            those = f", those of {subset} alone" if subset else ""
            yield Figure(
                figures.projection(rows),
                f"{space}: {METHODS.get(str(method), method)} of {images}{those}, coloured by "
                f"class.{dissolving * noisy(run)}{distant * (method != 'pca')}",
                f"{method}-{'few-' * bool(subset)}{space}",
                space,
            )


def training(run: Run, records: Records) -> Iterator[Block]:
    """Training curves."""
    if run.training["value"].notna().any():
        caption = (
            "What was logged in training, one panel for each quantity; a score is measured on "
            "held-out images. For encoders that came trained, a step is an epoch."
        )
        yield Figure(figures.training(run.training), caption, "training")


def _curves(
    run: Run, records: Records, names: list[str], caption: str, label: str
) -> Iterator[Block]:
    rows = drawable(run.metrics, names)
    present = [name for name in names if name in set(rows["metric"])]
    if len(rows["severity"].unique()) < 2:
        return
    for start in range(0, len(present), PANELS):
        part = present[start : start + PANELS]
        chart = figures.curves(rows, part, records.titles(part))
        yield Figure(chart, caption, f"{label}-{start // PANELS + 1}", detail=start > 0)


def _examples(run: Run, kind: str) -> pd.DataFrame:
    """Pictures of the study's own images, which are no analysis's."""
    return run.pictures[(run.pictures["analysis"] == "") & (run.pictures["kind"] == kind)]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
