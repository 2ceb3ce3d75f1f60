"""How every figure looks: colours, type, spacing, and rows of panels.

Text and rules are drawn in ``currentColor``, the colour of the text around the figure, so one
specification serves light pages, dark pages and paper. Marks use colours of middle lightness
that keep their distance on either ground and under the common colour-vision deficiencies
(after Okabe and Ito).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import altair as alt
import pandas as pd

INK = "currentColor"
COLOURS = (
    *("#0072b2", "#d55e00", "#009e73", "#cc79a7"),
    *("#56b4e9", "#c98a00", "#8c6bb1", "#85857f"),
)
SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down")
LEVELS = ("#2f74b8", "#7d74c2", "#b266ab", "#d9607f", "#e0693f", "#d3901a")
MUTED = "#85857f"
LOWEST = "#440154"  # the dark end of viridis
CONFIG = {
    "aria": False,  # thousands of marks, each read aloud, say less than the caption
    "font": "system-ui, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif",
    "background": "transparent",
    "view": {"stroke": None, "continuousWidth": 420, "continuousHeight": 260},
    "axis": {
        "labelColor": INK,
        "titleColor": INK,
        "tickColor": INK,
        "domainColor": INK,
        "gridColor": INK,
        "gridOpacity": 0.12,
        "tickOpacity": 0.5,
        "domainOpacity": 0.5,
        "labelFontSize": 11,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "titlePadding": 8,
        "labelLimit": 140,
        "labelOverlap": True,
    },
    "header": {
        "labelColor": INK,
        "titleColor": INK,
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "labelLimit": 260,
    },
    "legend": {
        "labelColor": INK,
        "titleColor": INK,
        "labelFontSize": 11,
        "titleFontSize": 11,
        "titleFontWeight": "normal",
        "labelLimit": 180,
        "symbolLimit": 100,
        "symbolStrokeWidth": 2,
    },
    "title": {"color": INK, "fontSize": 13, "fontWeight": "normal", "anchor": "start"},
    "point": {"size": 42, "filled": True},
    "line": {"strokeWidth": 2},
}
C = TypeVar("C", bound=alt.TopLevelMixin)


def themed(chart: C) -> C:
    """The chart with the suite's type, colours and spacing."""
    return chart.properties(config=CONFIG)


def wrapped(
    panel: Any, facet: alt.Facet, n: int, square: bool = False, own_scales: bool = False
) -> alt.FacetChart:
    """Panels in rows that fill the width of a page; each keeps its axes where a row has gaps.

    Panels with vertical scales of their own stand apart by so much that the longest numbers fit,
    and in line whatever is written beside them.
    """
    columns = max(1, min(n, 3)) if n != 4 else 2
    width = {1: 330, 2: 280, 3: 200}[columns]
    chart = panel.properties(width=width, height=width if square else max(140, 7 * width // 10))
    rows = chart.facet(facet, columns=columns)
    if own_scales:
        between = alt.RowColnumber(row=104 if n % columns else 50, column=64)
        rows = rows.properties(bounds="flush", spacing=between).resolve_scale(y="independent")
    return rows.resolve_axis(x="independent", y="independent") if n % columns else rows


def by_space(
    frame: pd.DataFrame, panels: Callable[[pd.DataFrame, int], alt.FacetChart]
) -> alt.FacetChart | alt.VConcatChart:
    """A row of panels for each feature space, under its name and with axes of its own.

    `panels` takes the rows of a space and its place; the first, 0, bears the headings.
    """
    spaces = frame["space"].drop_duplicates().tolist()
    rows = [panels(frame[frame["space"] == space], place) for place, space in enumerate(spaces)]
    if len(rows) == 1:
        return rows[0]
    named = [row.properties(title=space) for row, space in zip(rows, spaces, strict=True)]
    return alt.vconcat(*named, spacing=12).resolve_scale(x="independent", y="independent")
