"""The sections of a study's own analyses: each shows what its record in the manifest names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from tdafeat import figures
from tdafeat.errors import UnreadableData
from tdafeat.record import Exhibit
from tdafeat.report.model import Block, Figure, Paragraph, Section, Table
from tdafeat.report.selection import spaces
from tdafeat.run import Run

WHOLE = "all"
ROWS = 16  # of pictures in one figure


def sections(run: Run) -> Iterator[Section]:
    """One section for each analysis of the run that left something to show."""
    for name, about in run.manifest["analyses"].items():
        shown = [
            block
            for number, exhibit in enumerate(_exhibits(run, name, about), start=1)
            for block in _blocks(run, name, exhibit, f"{name}-{number}")
        ]
        if shown:
            opening = [Paragraph(str(about["about"]))] if about.get("about") else []
            yield Section(str(about.get("title") or name), (*opening, *shown))


def _exhibits(run: Run, name: str, about: Any) -> list[Exhibit]:
    """The exhibits of an analysis as the manifest keeps them."""
    try:
        exhibits = [Exhibit(**entry) for entry in about["exhibits"]]
        unknown = {str(exhibit.form) for exhibit in exhibits} - FORMS.keys()
    except (TypeError, KeyError) as error:
        unknown = {str(error)}
    if unknown:
        raise UnreadableData(
            f"{run.folder / 'manifest.json'}: analysis {name!r} has exhibits that this version "
            f"does not know ({min(unknown)})"
        )
    return exhibits


def _blocks(run: Run, name: str, exhibit: Exhibit, label: str) -> Iterator[Block]:
    """One exhibit, for every feature space that has it."""
    draw, table, column = FORMS[exhibit.form]
    rows = getattr(run, table)
    rows = rows[(rows["analysis"] == name) & rows[column].isin(exhibit.shows)]
    own = dict(spaces(rows)) if len(rows) else {}
    for space, cells in own.items():
        caption = f"{space}: {exhibit.caption}" if len(own) > 1 else exhibit.caption
        for block in draw(cells, exhibit, caption, f"{label}-{space}"):
            yield replace(block, space=space if len(own) > 1 else "")


def _pictures(cells: pd.DataFrame, exhibit: Exhibit, caption: str, label: str) -> Iterator[Block]:
    chosen = (cells["scope"] == WHOLE) == (exhibit.scope == WHOLE)
    if exhibit.sets:
        chosen &= cells["set"].isin(exhibit.sets)
    shown = cells[chosen]
    if exhibit.scope == "class":
        shown = shown.assign(set=shown["scope"])
    sets = list(dict.fromkeys(shown["set"]))
    for start in range(0, len(sets), ROWS):
        part = shown[shown["set"].isin(sets[start : start + ROWS])]
        yield Figure(figures.pictures(part), caption, f"{label}-{start // ROWS + 1}")


def _curves(cells: pd.DataFrame, exhibit: Exhibit, caption: str, label: str) -> Iterator[Block]:
    if np.isfinite(cells["value"]).any():
        by_class = exhibit.scope == "class"
        chart = figures.quantities(cells, exhibit.x, exhibit.spec, by_class)
        yield Figure(chart, caption, label)


def _numbers(cells: pd.DataFrame, exhibit: Exhibit, caption: str, label: str) -> Iterator[Block]:
    """A row for each scope or series, a column for each x; one without x is a single column."""
    row = "scope" if exhibit.scope == "class" else "series"
    if exhibit.scope == WHOLE:
        cells = cells[cells["scope"] == WHOLE]
    named = cells.assign(
        column=[f"{exhibit.x} {x:g}".strip() if np.isfinite(x) else "value" for x in cells["x"]]
    )
    wide = named.pivot_table(index=row, columns="column", values="value", sort=False)
    frame = wide.rename_axis(columns=None).reset_index()
    heading = "class" if row == "scope" else "what"
    yield Table(
        frame.rename(columns={row: heading}),
        caption,
        label,
        dict.fromkeys(wide.columns, exhibit.spec),
    )


Draw = Callable[[pd.DataFrame, Exhibit, str, str], Iterator[Block]]

# How each form is drawn, from which table, and the column that says what a row shows.
FORMS: Mapping[str, tuple[Draw, str, str]] = {
    "pictures": (_pictures, "pictures", "kind"),
    "curves": (_curves, "curves", "quantity"),
    "numbers": (_numbers, "curves", "quantity"),
}
