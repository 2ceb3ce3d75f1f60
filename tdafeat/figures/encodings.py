"""What stands for what in every figure: colours, shapes, panels and axes."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import pandas as pd

from tdafeat.figures.theme import COLOURS, LEVELS, SHAPES
from tdafeat.wording import Wording

_LARGE = "(abs(datum.value) >= 1e6 || (datum.value != 0 && abs(datum.value) < 1e-4))"
NUMBERS = alt.Axis(labelExpr=f"format(datum.value, {_LARGE} ? '.2~e' : ',~r')")  # all their digits


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
