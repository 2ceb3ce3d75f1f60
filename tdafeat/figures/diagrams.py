"""Persistence diagrams by level, with their confidence bands."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd

from tdafeat.figures.density import density
from tdafeat.figures.encodings import degree_colour, level_facet
from tdafeat.figures.frames import checked, embed, levels, with_names
from tdafeat.figures.linking import (
    CLASS,
    IS_CHOSEN,
    PANEL,
    class_menu,
    legend_filter,
    level_menu,
    only_shown,
    opacity,
)
from tdafeat.figures.theme import INK, themed, wrapped
from tdafeat.wording import wording_of

DIAGRAM = ["encoder", "layer", "severity", "parameter", "noise"]
SHOWN = ["space", "level", "scope", "homology", "mark", "birth", "y", "dies"]
OF_CLASS = 40  # bars of each degree and level of a class, the longest
# Of a degree that the legend filter leaves; as a condition of the opacity it would hide the legend.
PICKED = "(!picked.homology || indexof(picked.homology, datum.homology) >= 0)"
CORNERS = ["birth_to", "y_to", "bars", "share", "radius"]


def diagrams(
    diagrams: pd.DataFrame,
    records: pd.DataFrame | None = None,
    most: int = 300,
    classes: pd.DataFrame | None = None,
) -> alt.TopLevelMixin:
    """Birth-death diagrams, a panel for each level, H0 and H1 by colour.

    Bars that never die are triangles at the top edge. Pass one feature space, since the
    panels share their axes; several spaces become rows.

    Parameters
    ----------
    diagrams : rows of ``degree`` (int), ``birth`` and ``death`` (float, in units of the features;
        infinite deaths are those of bars that never die), of one scope.
    records : a row for each cloud, with the radii of its confidence bands in ``band_h0``,
        ``band_h1`` (float, in units of the features). Bars between the diagonal and the dashed line
        in the colour of their degree are no longer than twice that radius; a degree whose radius
        is not known, or not finite, has no line.
    most : bars of a degree and level drawn one by one. Of more, the density of all is drawn, and
        only the longest one by one.
    classes : more rows like those of `diagrams`, of the classes by ``scope``; the longest bars of
        the class that is chosen appear, and all else, being of the whole cloud, pales.

    Raises
    ------
    ValueError where a column is missing, or there is no bar.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from tdafeat import figures
    >>> from tdafeat.topology import persistence
    >>> circle = np.column_stack([np.cos(range(40)), np.sin(range(40))])
    >>> bands = pd.DataFrame({"band_h0": [0.1], "band_h1": [0.2]})
    >>> chart = figures.diagrams(persistence(circle).table(), bands)
    """
    diagrams = checked(diagrams, "diagrams", "birth", "death", "degree")
    words, whole = wording_of(diagrams), with_names(diagrams)
    own = with_names(_longest(diagrams[:0] if classes is None else classes))
    order, names = levels(whole), sorted(own["scope"].unique())
    frame = pd.concat([whole.assign(mark="bar"), own.assign(mark="class")], ignore_index=True)
    essential = ~np.isfinite(frame["death"])
    finite = frame.loc[~essential, ["birth", "death"]].to_numpy()
    top = 1.06 * float(finite.max()) if finite.size and finite.max() > 0 else 1.0
    frame = frame.assign(
        homology=frame["degree"].map("H{}".format),
        y=frame["death"].where(~essential, top),
        dies=np.where(essential, "never", frame["death"].map("{:.4g}".format)),
        mark=frame["mark"].mask(essential & (frame["mark"] == "bar"), "essential"),
    )
    degrees = sorted(frame["homology"].unique())
    of_class = frame["mark"] == "class"
    bars, cells = density(frame[~of_class], top, most)
    parts = [bars, frame[of_class], cells.assign(mark="density")]
    if records is not None and len(records):
        parts.append(_bands(frame, checked(records, "records"), top).assign(mark="band"))
    table = pd.concat(parts, ignore_index=True).reindex(columns=[*SHOWN, *CORNERS])

    layers = _layers(top, degrees, words.level)
    panels = alt.layer(*layers, data=embed(table.dropna(axis="columns", how="all")), name=PANEL)
    spaces = frame["space"].drop_duplicates().tolist()
    if len(spaces) > 1:
        row = alt.Row("space:N", title=None, sort=spaces)
        panels = panels.properties(width=160, height=160)
        column = alt.Column("level:N", sort=order, title=words.level)
        grid = panels.facet(row=row, column=column)
    else:
        grid = wrapped(panels, level_facet(order, words.level), len(order), square=True)
    return themed(only_shown(grid).add_params(class_menu(names), level_menu(order, words.level)))


def _longest(classes: pd.DataFrame) -> pd.DataFrame:
    """At most `OF_CLASS` bars of each diagram."""
    length = classes["death"] - classes["birth"]
    keys = [classes[name] for name in (*DIAGRAM, "scope", "degree")]
    return classes[length.groupby(keys).rank(method="first", ascending=False) <= OF_CLASS]


def _layers(top: float, degrees: list[str], level: str) -> list[alt.Chart]:
    scale = alt.Scale(domain=[0, top], nice=False)
    known = [
        alt.Tooltip("homology:N", title="degree"),
        alt.Tooltip("level:N", title=level),
    ]
    base = alt.Chart().encode(
        x=alt.X("birth:Q", title="birth", scale=scale),
        y=alt.Y("y:Q", title="death", scale=scale),
        color=degree_colour(degrees),
    )
    picked = legend_filter("homology")
    faint = opacity(0.8, 0.3, f"{CLASS} == ''", picked)  # readable on dark ground
    shades = alt.Scale(domain=[0, 1], range=[0.06, 0.7])
    share = alt.Opacity("share:Q", scale=shades, legend=None)
    to = {"x2": "birth_to:Q", "y2": "y_to:Q"}
    one = [
        *known,
        alt.Tooltip("scope:N", title="class"),
        alt.Tooltip("birth:Q", format=".4g"),
        alt.Tooltip("dies:N", title="death"),
    ]
    never = "datum.dies == 'never'"
    corner = alt.Chart(embed(pd.DataFrame({"a": [0.0], "b": [top]})))
    diagonal = corner.encode(
        x=alt.X("a:Q", scale=scale), y=alt.Y("a:Q", scale=scale), x2="b", y2="b"
    )
    return [
        diagonal.mark_rule(color=INK, opacity=0.4),
        base.transform_filter("datum.mark == 'density'")
        .mark_rect(fillOpacity=alt.ExprRef(f"({CLASS} == '' ? 1 : 0.5) * ({PICKED} ? 1 : 0.03)"))
        .encode(
            **to,
            opacity=share,
            tooltip=[*known, alt.Tooltip("bars:Q")],
        ),
        base.transform_filter("datum.mark == 'bar'")
        .mark_point(size=16)
        .encode(opacity=faint, tooltip=one)
        .properties(name="bars")
        .add_params(picked),
        base.transform_filter("datum.mark == 'band'")
        .mark_rule(strokeDash=[4, 3], strokeWidth=1.3)
        .encode(
            **to,
            opacity=opacity(1, 0.5, f"{CLASS} == ''", picked),
            tooltip=[*known, alt.Tooltip("radius:Q", format=".4g")],
        ),
        base.transform_filter("datum.mark == 'essential'")
        .mark_point(size=70, shape="triangle-up")
        .encode(opacity=faint, tooltip=one),
        base.transform_filter(f"datum.mark == 'class' && {IS_CHOSEN}")
        .mark_point()
        .encode(
            opacity=opacity(1, 0.3, picked),
            shape=alt.ShapeValue("circle", condition={"test": never, "value": "triangle-up"}),
            size=alt.SizeValue(26, condition={"test": never, "value": 70}),
            tooltip=one,
        ),
    ]


def _bands(frame: pd.DataFrame, records: pd.DataFrame, top: float) -> pd.DataFrame:
    """Where bars are twice the radius of their band long, for every diagram that has one."""
    cells = frame[["space", "level", "homology", *DIAGRAM]].drop_duplicates()
    radii = records.melt(
        id_vars=DIAGRAM,
        value_vars=[c for c in records if str(c).startswith("band_h")],
        var_name="homology",
        value_name="radius",
    )
    radii["homology"] = "H" + radii["homology"].str.removeprefix("band_h")
    found = cells.merge(radii, on=[*DIAGRAM, "homology"])
    found = found[found["radius"].abs() < top / 2]
    return found.assign(
        birth=0.0, y=2 * found["radius"], birth_to=top - 2 * found["radius"], y_to=top
    )
