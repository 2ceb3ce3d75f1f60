"""The sections on the geometry of the features: angles between classes, spectra, other metrics."""

from __future__ import annotations

from collections.abc import Iterator

from tdafeat import figures
from tdafeat.figures.frames import with_names
from tdafeat.report.model import Block, Figure, Note, Paragraph
from tdafeat.report.panels import curves, matrices
from tdafeat.report.records import Records
from tdafeat.report.selection import first_seed, noisy
from tdafeat.run import Run
from tdafeat.wording import capital, listed


def angles(run: Run, records: Records) -> Iterator[Block]:
    """Angles between the classes' subspaces, with the dimensions that make them comparable."""
    blocks = list(matrices(run, records, "geometry"))
    if not blocks:
        return
    # How many directions an angle compares, and in how many: without them it means nothing.
    stated = with_names(run.pairs[run.pairs["params"] != ""])
    beside = ", and stands beside D:" if len(stated) else "."
    yield Paragraph(
        "Each class spans a subspace: its leading principal directions. Angles near 90 degrees "
        "mean that classes vary in directions of their own, small angles that they share them. Two "
        "subspaces of k directions each have at least 2k − D of them in common in D dimensions: of "
        "so many angles a zero tells nothing, and tables of whole classes, with k near D, are full "
        f"of such zeros. Here k is kept at leading directions{beside}"
    )
    for (space, params), _ in stated.groupby(["space", "params"], sort=False):
        forced = "2k > D" in str(params)  # the subspaces meet, whatever the classes look like
        yield (Note if forced else Paragraph)(f"{space}: {params}.", str(space))
    yield from blocks


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
            f"that falls steeply is a cloud with few directions{filled * noisy(run)}. Dashed is "
            "the power law fitted to the first half of the ranks, α its exponent.",
            "spectra",
        )
    names = [n for n in records if records[n].room == "geometry"]
    yield from curves(
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
    titles: dict[str, list[str]] = {}  # of the metrics that a note is said of
    for metric, rows in named.groupby("metric", sort=False):
        by_space = rows.groupby("space", sort=False)["params"].unique()
        told = "; ".join(f"{space}, {' or '.join(notes)}" for space, notes in by_space.items())
        titles.setdefault(told, []).append(records[str(metric)].title)
    for told, about in titles.items():
        forced = "2k > D" in told
        yield (Note if forced else Paragraph)(f"{capital(listed(about))}: {told}.")
