"""What every figure shares: colours, type, level and space names, and compact data.

Text and rules are drawn in ``currentColor``, the colour of the text around the figure, so one
specification serves light pages, dark pages and paper. Marks use colours of middle lightness
that keep their distance on either ground and under the common colour-vision deficiencies
(after Okabe and Ito).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import altair as alt
import pandas as pd

from tdafeat.wording import Wording, wording_of

INK = "currentColor"
COLOURS = (
    *("#0072b2", "#d55e00", "#009e73", "#cc79a7"),
    *("#56b4e9", "#c98a00", "#8c6bb1", "#85857f"),
)
SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down")
LEVELS = ("#2f74b8", "#7d74c2", "#b266ab", "#d9607f", "#e0693f", "#d3901a")
MUTED = "#85857f"
LOWEST = "#440154"  # the dark end of viridis

_LARGE = "(abs(datum.value) >= 1e6 || (datum.value != 0 && abs(datum.value) < 1e-4))"
NUMBERS = alt.Axis(labelExpr=f"format(datum.value, {_LARGE} ? '.2~e' : ',~r')")  # all their digits

# Of a frame that does not say which cloud its rows are of.
ONE_CLOUD = {
    **{"encoder": "features", "layer": "", "noise": "noise", "severity": 0, "seed": 0},
    "scope": "all",
}

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


def checked(frame: pd.DataFrame, name: str, *columns: str, **optional: Any) -> pd.DataFrame:
    """The frame, if there is something to draw in it, with what it may leave out.

    Parameters
    ----------
    columns : that must be there.
    optional : columns that need not be, with their value.

    Returns
    -------
    The frame, with `optional` and the coordinates of a cloud where it lacks them.

    Raises
    ------
    TypeError for what is no DataFrame; ValueError that names the table, and the column that is
    missing or that it holds no rows.

    Examples
    --------
    >>> checked(pd.DataFrame({"birth": [0.0]}), "diagrams", "birth")["severity"].tolist()
    [0]
    >>> checked(pd.DataFrame({"birth": []}), "diagrams", "birth")
    Traceback (most recent call last):
    ValueError: diagrams holds no rows to draw
    """
    if not isinstance(frame, pd.DataFrame):
        raise TypeError(f"{name} must be a pandas DataFrame; got {type(frame).__name__}")
    missing = [column for column in columns if column not in frame]
    if missing:
        raise ValueError(f"{name} must have a column {missing[0]!r}, as a run's table has")
    if frame.empty:
        raise ValueError(f"{name} holds no rows to draw")
    known = {**ONE_CLOUD, **optional}
    frame = frame.assign(**{name: value for name, value in known.items() if name not in frame})
    return frame if "parameter" in frame else frame.assign(parameter=frame["severity"])


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


def embed(frame: pd.DataFrame) -> alt.InlineData:
    """The rows as CSV inside the specification: a third of the size of JSON records.

    Numbers keep five significant digits, text stays text though it look like a number or a
    date; there is no limit on the number of rows.
    """
    values = frame.to_csv(index=False, float_format="%.5g", na_rep="NaN", lineterminator="\n")
    numeric = pd.api.types.is_numeric_dtype
    parse = {str(name): "number" if numeric(frame[name]) else "string" for name in frame}
    return alt.InlineData(values=values, format=alt.CsvDataFormat(type="csv", parse=parse))


def with_names(frame: pd.DataFrame) -> pd.DataFrame:
    """Add ``space`` (encoder, and layer where an encoder has several) and ``level``.

    Severity 0 is "clean", or "test images" where there is no noise to tell it from.

    Examples
    --------
    >>> cells = {"encoder": ["a", "a"], "layer": ["", ""], "severity": [0, 1]}
    >>> with_names(pd.DataFrame(cells | {"parameter": [0.0, 0.08]}))["level"].tolist()
    ['clean', '1 (0.08)']
    """
    layers = frame.groupby("encoder")["layer"].transform("nunique")
    space = frame["encoder"].where(layers < 2, frame["encoder"] + " " + frame["layer"])
    words = wording_of(frame)
    coordinates = zip(frame["severity"], frame["parameter"], strict=True)
    level = [words.named(severity, parameter) for severity, parameter in coordinates]
    return frame.assign(space=space, level=pd.Series(level, index=frame.index, dtype=object))


def levels(frame: pd.DataFrame) -> list[str]:
    """Names of the levels of a frame that went through `with_names`, in order."""
    return frame.sort_values("severity", kind="stable")["level"].drop_duplicates().tolist()


def level_facet(names: Sequence[str], title: str | None) -> alt.Facet:
    """A panel for each level; without a heading where there is only one, or no title."""
    if len(names) > 1 and title is not None:
        return alt.Facet("level:N", sort=list(names), title=title)
    return alt.Facet("level:N", sort=list(names), title=None, header=alt.Header(labelExpr="''"))


def degree_colour(degrees: Sequence[str]) -> alt.Color:
    """Colour by degree of homology, the same one for H0, H1, ... in every figure."""
    used = [COLOURS[int(degree[1:]) % len(COLOURS)] for degree in degrees]
    legend = alt.Legend(orient="top", title="degree")
    scale = alt.Scale(domain=list(degrees), range=used)
    return alt.Color("homology:N", scale=scale, legend=legend)


def level_colour(names: Sequence[str], title: str) -> alt.Color:
    """Colour by level: blue for the first, warmer with the noise or the training.

    Without a legend for one alone.
    """
    n = len(names)
    picked = [LEVELS[round(k * (len(LEVELS) - 1) / max(1, n - 1))] for k in range(n)]
    scale = alt.Scale(domain=list(names), range=picked)
    legend = alt.Legend(title=title, orient="top")
    return alt.Color("level:N", sort=None, scale=scale, legend=legend if n > 1 else None)


def space_colour(frame: pd.DataFrame) -> alt.Color:
    """Colour by feature space; without a legend where there is only one."""
    spaces = frame["space"].drop_duplicates().tolist()
    scale = alt.Scale(domain=spaces, range=[COLOURS[k % len(COLOURS)] for k in range(len(spaces))])
    return alt.Color("space:N", scale=scale, legend=_space_legend(spaces))


def space_shape(frame: pd.DataFrame) -> alt.Shape:
    """Shape by feature space, another one whenever the colours begin again."""
    spaces = frame["space"].drop_duplicates().tolist()
    shapes = [SHAPES[k // len(COLOURS) % len(SHAPES)] for k in range(len(spaces))]
    scale = alt.Scale(domain=spaces, range=shapes)
    return alt.Shape("space:N", scale=scale, legend=_space_legend(spaces))


def _space_legend(spaces: Sequence[str]) -> alt.Legend | None:
    columns = 2 if len(spaces) == 4 else 3
    legend = alt.Legend(title="feature space", orient="top", columns=columns, labelLimit=260)
    return legend if len(spaces) > 1 else None


def space_facet(frame: pd.DataFrame) -> alt.Facet:
    """A panel for each feature space, in the order of the frame."""
    return alt.Facet("space:N", title=None, sort=frame["space"].drop_duplicates().tolist())


def class_marks(classes: Sequence[str], field: str) -> tuple[alt.Color, alt.Shape]:
    """Colour and shape by class: 48 combinations that differ in hue, form or both."""
    names = list(classes)
    colours = [COLOURS[k % len(COLOURS)] for k in range(len(names))]
    shapes = [SHAPES[k // len(COLOURS) % len(SHAPES)] for k in range(len(names))]
    few = len(names) <= 16
    legend = alt.Legend(
        title="class",
        orient="right" if few else "bottom",
        columns=1 if few else 4,
        labelLimit=120,
    )
    return (
        alt.Color(f"{field}:N", scale=alt.Scale(domain=names, range=colours), legend=legend),
        alt.Shape(f"{field}:N", scale=alt.Scale(domain=names, range=shapes), legend=legend),
    )


def severity_axis(frame: pd.DataFrame, words: Wording) -> alt.X:
    """Levels on x, evenly spaced, one tick for each, with its name below it."""
    ticks = frame[["severity", "level"]].drop_duplicates().sort_values("severity")
    names = " : ".join(
        f"datum.value == {severity} ? {_js(level)}"
        for severity, level in zip(ticks["severity"], ticks["level"], strict=True)
    )
    axis = alt.Axis(
        values=ticks["severity"].tolist(),
        labelExpr=f"{names} : ''",
        labelAngle=0 if len(ticks) < 5 else -35,
        grid=False,
    )
    return alt.X(
        "severity:Q",
        axis=axis,
        title=words.axis,
        scale=alt.Scale(domain=[*ticks["severity"].iloc[[0, -1]]], nice=False, padding=14),
    )


def _js(text: str) -> str:
    """A level name as a string in a Vega expression; it holds digits and brackets only."""
    return "'" + text.replace("\\", "").replace("'", "") + "'"
