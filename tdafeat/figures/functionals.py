"""Functions of the filtration value that sum up diagrams: Betti curves and landscapes."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd

from tdafeat.figures.encodings import level_colour, level_facet
from tdafeat.figures.frames import checked, embed, levels, with_names
from tdafeat.figures.linking import (
    IS_SHOWN,
    PANEL,
    hover_points,
    legend_filter,
    level_menu,
    only_shown,
    opacity,
)
from tdafeat.figures.theme import by_space, themed
from tdafeat.wording import wording_of

VALUES = 120  # of the filtration, on each axis


def betti_curves(diagrams: pd.DataFrame) -> alt.TopLevelMixin:
    """Bars alive at each filtration value: a panel for each degree, a line for each level.

    Several feature spaces stand below one another, each on its own scale of lengths.

    Parameters
    ----------
    diagrams : rows of ``degree`` (int), ``birth`` and ``death`` (float, in units of the features;
        infinite deaths are those of bars that never die), of one scope.

    Raises
    ------
    ValueError where a column is missing, or there is no bar.

    Examples
    --------
    >>> import numpy as np
    >>> from tdafeat import figures
    >>> from tdafeat.topology import persistence
    >>> circle = np.column_stack([np.cos(range(40)), np.sin(range(40))])
    >>> chart = figures.betti_curves(persistence(circle).table())
    """
    from tdafeat.topology import betti_curve, filtration_grid

    diagrams = checked(diagrams, "diagrams", "birth", "death", "degree")
    words, frame = wording_of(diagrams), with_names(diagrams)
    curves = []
    for (space, degree), own in frame.groupby(["space", "degree"], sort=False):
        values = filtration_grid([own[["birth", "death"]]], VALUES)
        for (severity, level), bars in own.groupby(["severity", "level"], sort=False):
            alive = betti_curve(bars[["birth", "death"]], values)
            about = {"space": space, "homology": f"H{degree}"}
            about |= {"severity": severity, "level": level}
            curves.append(pd.DataFrame({**about, "t": values, "alive": alive}))
    table = pd.concat(curves, ignore_index=True)
    order = levels(table)
    base = alt.Chart().encode(
        x=alt.X("t:Q", title="filtration value", scale=alt.Scale(nice=False)),
        y=alt.Y("alive:Q", title="bars alive"),
        color=level_colour(order, words.level),
    )
    picked = legend_filter("level")
    line = base.mark_line(interpolate="step-after", strokeWidth=1.6)
    line = line.encode(opacity=opacity(1, 0.1, IS_SHOWN, picked))
    tips = [
        alt.Tooltip("level:N", title=words.level),
        alt.Tooltip("t:Q", title="filtration value", format=".4g"),
        alt.Tooltip("alive:Q", title="bars alive"),
    ]
    points = hover_points(base, tips, 40)
    degrees = sorted(table["homology"].unique())

    def row(part: pd.DataFrame, place: int) -> alt.FacetChart:
        data = embed(part[["homology", "level", "t", "alive"]])
        drawn = line.properties(name=f"lines_{place}").add_params(*([] if place else [picked]))
        panel = alt.layer(drawn, points, data=data)
        panel = panel.properties(width=500 // max(2, len(degrees)), height=120)
        header = alt.Header(labelExpr="''") if place else alt.Header()
        facet = alt.Facet("homology:N", title=None, sort=degrees, header=header)
        panels = panel.facet(facet, columns=len(degrees))
        panels = panels.properties(bounds="flush", spacing=64)
        return panels.resolve_scale(x="independent", y="independent")

    return themed(by_space(table, row).add_params(level_menu(order, words.level)))


def landscapes(diagrams: pd.DataFrame, degree: int = 1, n_layers: int = 5) -> alt.TopLevelMixin:
    """Persistence landscapes: a panel for each level, a line for each layer, paler downwards.

    Several feature spaces stand below one another, each on its own scale of lengths.

    Parameters
    ----------
    diagrams : rows of ``degree`` (int), ``birth`` and ``death`` (float, in units of the features;
        infinite deaths are those of bars that never die), of one scope.
    degree : of homology.
    n_layers : layers of each landscape, at least 1.

    Raises
    ------
    ValueError where a column is missing, or there is no bar of the degree that dies.

    Examples
    --------
    >>> import numpy as np
    >>> from tdafeat import figures
    >>> from tdafeat.topology import persistence
    >>> circle = np.column_stack([np.cos(range(40)), np.sin(range(40))])
    >>> chart = figures.landscapes(persistence(circle).table(), degree=1, n_layers=2)
    """
    from tdafeat.topology import filtration_grid, landscape

    diagrams = checked(diagrams, "diagrams", "birth", "death", "degree")
    words, frame = wording_of(diagrams), with_names(diagrams)
    frame = frame[(frame["degree"] == degree) & np.isfinite(frame["death"])]
    checked(frame, f"diagrams of degree {degree}")
    layers = []
    for space, own in frame.groupby("space", sort=False):
        values = filtration_grid([own[["birth", "death"]]], VALUES)
        for (severity, level), bars in own.groupby(["severity", "level"], sort=False):
            heights = landscape(bars[["birth", "death"]], values, n_layers)
            for layer, height in enumerate(heights, start=1):
                about = {"space": space, "severity": severity, "level": level, "layer": layer}
                layers.append(pd.DataFrame({**about, "t": values, "height": height}))
    table = pd.concat(layers, ignore_index=True)
    order = levels(table)
    shared = (
        alt.Chart()
        .mark_line(strokeWidth=1.6)
        .encode(
            color=level_colour(order, words.level).legend(None),
            opacity=alt.Opacity(
                "layer:O",
                scale=alt.Scale(range=np.linspace(1, 0.3, n_layers).round(2).tolist()),
                legend=alt.Legend(orient="top", symbolType="stroke") if n_layers > 1 else None,
            ),
            tooltip=[
                alt.Tooltip("level:N", title=words.level),
                alt.Tooltip("layer:O"),
                alt.Tooltip("t:Q", title="filtration value", format=".4g"),
                alt.Tooltip("height:Q", format=".4g"),
            ],
        )
    )
    width = 520 // max(1, len(order))

    def row(part: pd.DataFrame, place: int) -> alt.FacetChart:
        across = alt.Scale(domain=[float(part["t"].min()), float(part["t"].max())], nice=False)
        up = alt.Scale(domain=[0, float(part["height"].max()) or 1.0])
        panel = shared.encode(
            x=alt.X("t:Q", title="filtration value", scale=across),
            y=alt.Y("height:Q", title=f"landscape of H{degree}", scale=up),
        )
        data = embed(part.drop(columns=["space", "severity"]))
        panel = panel.properties(data=data, width=width, height=100, name=f"{PANEL}_{place}")
        facet = level_facet(order, None if place else words.level)
        return only_shown(panel.facet(facet, columns=len(order)))

    return themed(by_space(table, row).add_params(level_menu(order, words.level)))
