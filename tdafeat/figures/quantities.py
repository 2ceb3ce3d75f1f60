"""Quantities against what they depend on: variance by component, error by code length."""

from __future__ import annotations

import altair as alt
import pandas as pd

from tdafeat.figures.frames import checked, embed
from tdafeat.figures.linking import (
    IS_CHOSEN,
    NOT_OTHER,
    class_menu,
    hover_points,
    legend_filter,
    opacity,
)
from tdafeat.figures.theme import COLOURS, INK, MUTED, themed, wrapped

WHOLE = "all"


def quantities(
    curves: pd.DataFrame, x: str = "", spec: str = ".3g", by_class: bool = False
) -> alt.TopLevelMixin:
    """A panel for each quantity, a line for each series, over logarithmic counts x.

    Parameters
    ----------
    curves : rows of ``quantity`` (str, above a panel), ``series`` (str, in the legend), ``x``
        (float; below 1, left out) and ``value`` (float), of one feature space.
    x : what x counts.
    spec : format of the values.
    by_class : the whole cloud in colour over a light line for every class (by ``scope``), instead
        of the series of the whole cloud.

    Raises
    ------
    ValueError where a column is missing, or nothing is left to draw.

    Examples
    --------
    >>> import pandas as pd
    >>> from tdafeat import figures
    >>> errors = pd.DataFrame({"x": [1, 2, 4, 8], "value": [0.9, 0.5, 0.3, 0.2]})
    >>> chart = figures.quantities(errors.assign(quantity="error", series="test"), "components")
    """
    curves = checked(curves, "curves", "quantity", "series", "x", "value")
    frame = curves[(curves["x"] >= 1) & curves["value"].abs().lt(float("inf"))]
    if not by_class:
        frame = frame[frame["scope"] == WHOLE]
    checked(frame, "curves from x = 1")
    line = "scope" if by_class else "series"
    frame = frame[["quantity", line, "x", "value"]]
    names = frame[line].drop_duplicates().tolist()
    order = frame["quantity"].drop_duplicates().tolist()
    axis = alt.Axis(format="~s", labelOverlap=True, grid=False)
    base = alt.Chart().encode(
        x=alt.X("x:Q", title=x or None, scale=alt.Scale(type="log", nice=False), axis=axis),
        y=alt.Y("value:Q", title=None, axis=alt.Axis(format=".0%" if "%" in spec else "~r")),
    )
    tips = [
        alt.Tooltip(f"{line}:N", title="class" if by_class else "of"),
        alt.Tooltip("x:Q", title=x or "x"),
        alt.Tooltip("value:Q", format=spec),
    ]
    if by_class:
        each = base.transform_filter(alt.datum.scope != WHOLE).encode(detail="scope:N")
        whole = base.transform_filter(alt.datum.scope == WHOLE)
        layers = [
            each.mark_line(color=MUTED, strokeWidth=1).encode(
                opacity=opacity(0.6, 0.15, NOT_OTHER)
            ),
            hover_points(each, tips, 40),
            whole.mark_line(color=COLOURS[0]),
            whole.mark_point(color=COLOURS[0], size=14, opacity=1).encode(tooltip=tips),
            each.mark_line(color=INK).encode(opacity=opacity(1, 0, IS_CHOSEN)),
        ]

    else:
        colours = [COLOURS[k % len(COLOURS)] for k in range(len(names))]
        legend = alt.Legend(title=None, orient="top", columns=2, labelLimit=300)
        domain = alt.Scale(domain=names, range=colours)
        picked = legend_filter("series")
        lines = base.encode(
            color=alt.Color("series:N", scale=domain, legend=legend),
            shape=alt.Shape("series:N", scale=alt.Scale(domain=names), legend=legend),
            opacity=opacity(1, 0.1, picked),
        )
        points = lines.mark_point().encode(tooltip=tips).properties(name="points")
        layers = [lines.mark_line(), points.add_params(picked)]
    panels = alt.layer(*layers, data=embed(frame))
    facet = alt.Facet("quantity:N", title=None, sort=order)
    chart = wrapped(panels, facet, len(order), own_scales=True)
    if by_class:
        chart = chart.add_params(class_menu([name for name in names if name != WHOLE]))
    return themed(chart)
