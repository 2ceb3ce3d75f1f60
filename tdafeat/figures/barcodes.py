"""Barcodes: every bar of a diagram from birth to death."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd

from tdafeat.figures.encodings import degree_colour, level_facet
from tdafeat.figures.frames import checked, embed, levels, with_names
from tdafeat.figures.linking import PANEL, legend_filter, level_menu, only_shown, opacity
from tdafeat.figures.theme import by_space, themed
from tdafeat.wording import wording_of

HEIGHT = 110


def barcodes(diagrams: pd.DataFrame, most: int = 40) -> alt.TopLevelMixin:
    """Bars of each degree below one another, a panel for each level, a row for each feature space.

    Of every degree the longest bars are drawn, H0 at the bottom, in the order of their births and
    deaths. A bar that never dies reaches the right edge and ends in a triangle.

    Parameters
    ----------
    diagrams : rows of ``degree`` (int), ``birth`` and ``death`` (float, in units of the features;
        infinite deaths are those of bars that never die), of one scope.
    most : bars of each degree and level, at most.

    Raises
    ------
    ValueError where a column is missing, or there is no bar.

    Examples
    --------
    >>> import numpy as np
    >>> from tdafeat import figures
    >>> from tdafeat.topology import persistence
    >>> circle = np.column_stack([np.cos(range(40)), np.sin(range(40))])
    >>> chart = figures.barcodes(persistence(circle).table(), most=20)
    """
    diagrams = checked(diagrams, "diagrams", "birth", "death", "degree")
    words, frame = wording_of(diagrams), with_names(diagrams)
    panels = ["space", "level"]
    frame = frame.assign(length=frame["death"] - frame["birth"])
    frame = frame.sort_values("length", ascending=False, kind="stable")
    frame = frame[frame.groupby([*panels, "degree"], sort=False).cumcount() < most]
    frame = frame.sort_values(["severity", "degree", "birth", "death"], kind="stable")
    frame["place"] = frame.groupby(panels, sort=False).cumcount()
    frame = frame.sort_index()  # spaces as they came
    essential = ~np.isfinite(frame["death"])
    ends = frame["death"].where(~essential).fillna(frame["birth"]).groupby(frame["space"])
    frame = frame.assign(
        homology=frame["degree"].map("H{}".format),
        end=frame["death"].where(~essential, 1.06 * ends.transform("max")),
        dies=np.where(essential, "never", frame["death"].map("{:.4g}".format)),
    )
    order, degrees = levels(frame), sorted(frame["homology"].unique())
    shown = ["space", "level", "scope", "homology", "place", "birth", "end", "dies"]
    picked = legend_filter("homology")
    width = 520 // max(1, len(order))

    def row(part: pd.DataFrame, place: int) -> alt.FacetChart:
        most = int(part["place"].max())
        ends = [float(part["birth"].min()), float(part["end"].max())]
        across = alt.Scale(domain=ends, nice=False, zero=False)
        down = alt.Scale(domain=[0, most], nice=False, padding=3)
        bars = alt.Chart().encode(
            x=alt.X("birth:Q", title="filtration value", scale=across),
            y=alt.Y("place:Q", axis=None, scale=down),
            color=degree_colour(degrees),
            opacity=opacity(1, 0.1, picked),
            tooltip=[
                alt.Tooltip("homology:N", title="degree"),
                alt.Tooltip("level:N", title=words.level),
                alt.Tooltip("birth:Q", format=".4g"),
                alt.Tooltip("dies:N", title="death"),
            ],
        )
        drawn = bars.mark_rule(strokeWidth=max(1.0, 0.8 * HEIGHT / (most + 1))).encode(x2="end:Q")
        layers = [
            drawn.properties(name=f"bars_{place}").add_params(*([] if place else [picked])),
            bars.transform_filter("datum.dies == 'never'")
            .mark_point(shape="triangle-right", size=36)
            .encode(x="end:Q"),
        ]
        panel = alt.layer(*layers, data=embed(part[shown]), name=f"{PANEL}_{place}")
        panel = panel.properties(width=width, height=HEIGHT)
        facet = level_facet(order, None if place else words.level)
        return only_shown(panel.facet(facet, columns=len(order)))

    return themed(by_space(frame, row).add_params(level_menu(order, words.level)))
