"""The sections on persistence diagrams, and on how far they are from one another."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from tdafeat import figures
from tdafeat.figures.curves import DISTANCES
from tdafeat.report import beyond
from tdafeat.report.model import Block, Figure, Paragraph
from tdafeat.report.panels import curves, matrices
from tdafeat.report.records import Records
from tdafeat.report.selection import drawable, first_seed, noisy, spaces
from tdafeat.run import Run
from tdafeat.wording import listed

MANY = 300  # bars of a diagram; of more, the density is drawn


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
        count = listed([f"{n:,} bars of H{degree}" for degree, n in bars.items()])
        drawn = f"There are {'at most ' * noisy(run)}{count}{' at a level' * noisy(run)}."
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
            f"{space}: Persistence diagrams{' at each level, on the same axes' * noisy(run)} "
            "(diameter of the balls, in units of the features). A triangle never dies."
            f"{_banded(cells, bands)}{watched * noisy(run)} {drawn}{crowded}",
            f"diagrams-{space}",
            space,
        )
    yield from _summaries(run, records, first_seed(whole))
    names = [n for n in records if records[n].room == "topology" and not n.startswith(DISTANCES)]
    yield from curves(
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
    yield from matrices(run, records, "topology")
