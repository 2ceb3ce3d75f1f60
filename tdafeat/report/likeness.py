"""How alike the feature spaces of the same images are, encoder against encoder."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from tdafeat import figures
from tdafeat.figures.matrices import pairs_of_spaces
from tdafeat.report.model import Block, Figure, Paragraph, Table
from tdafeat.report.records import Records
from tdafeat.report.selection import ends, first_seed, noisy
from tdafeat.run import Run
from tdafeat.wording import capital

DRAWN = "linear_cka"


def similarities(run: Run, records: Records) -> Iterator[Block]:
    """One heatmap, and a table of every pair of spaces at both ends of the levels."""
    every = first_seed(run.similarities)
    every = every[np.isfinite(every["value"])]
    rows = ends(every)
    if rows.empty:
        return
    words = records.words
    # What stands in a metric's title for the clean features is another encoder's space here.
    named = re.compile(rf",? (with|to|from) {re.escape(words.reference)}\b")
    titles = records.titles(dict.fromkeys(rows["metric"]))
    titles = {name: named.sub("", title) for name, title in titles.items()}
    yield Paragraph(
        "The same images, seen by two encoders: do both spaces tell the same images apart? None of "
        "these numbers depends on the axes or the scale of a space; spaces of different widths are "
        "compared as they are."
    )
    drawn = DRAWN if DRAWN in titles else min(titles)
    lower = records[drawn].better == "lower"
    if rows["encoder_b"].nunique() > 1 or rows["layer_b"].nunique() > 1:  # more than one pair
        title = named.sub("", records[drawn].title)
        alike = "lower" if lower else "higher"
        yield Figure(
            figures.space_matrix(every, drawn, title, alike),
            f"{capital(title)}{',' * (',' in title)} of every pair of feature spaces"
            f"{', at the levels named above' * noisy(run)}: the {alike}, the more alike. Spaces "
            "that are alike stand together.",
            f"spaces-{drawn}",
        )
    pairs = pairs_of_spaces(rows)
    pairs = pairs.assign(pair=pairs["scope"] + " / " + pairs["scope_b"])
    index = ["pair", "level"] if noisy(run) else ["pair"]
    frame = pairs.pivot_table(index=index, columns="metric", values="value", sort=False)
    frame = frame[[name for name in titles if name in frame]].rename(columns=titles)
    yield Table(
        frame.reset_index().rename(columns={"pair": "feature spaces"}),
        f"Similarity of every pair of feature spaces{f', {words.ends}' * noisy(run)}.",
        "similarities",
        dict.fromkeys(frame.columns, ".3g"),
        detail=True,
    )
