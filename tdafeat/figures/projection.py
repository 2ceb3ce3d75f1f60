"""Maps of the features, coloured by class."""

from __future__ import annotations

import altair as alt
import pandas as pd

from tdafeat.figures.theme import (
    class_marks,
    embed,
    level_facet,
    levels,
    themed,
    with_names,
    wrapped,
)
from tdafeat.wording import wording_of


def projection(projections: pd.DataFrame) -> alt.TopLevelMixin:
    """One map for each level, fitted jointly, so that places can be compared.

    Pass one feature space and one method. Click a class in the legend to single it out.
    """
    words, frame = wording_of(projections), with_names(projections)
    order = levels(frame)
    colour, shape = class_marks(sorted(frame["label"].unique()))
    chosen = alt.selection_point(name="chosen_class", fields=["label"], bind="legend")
    bare = alt.Axis(labels=False, ticks=False, title=None, grid=False, domainOpacity=0.25)
    scale = alt.Scale(zero=False)
    chart = (
        alt.Chart(embed(frame[["level", "image", "label", "x", "y"]]), name="map")
        .mark_point(size=24)
        .encode(
            x=alt.X("x:Q", axis=bare, scale=scale),
            y=alt.Y("y:Q", axis=bare, scale=scale),
            color=colour,
            shape=shape,
            opacity=alt.condition(chosen, alt.value(0.8), alt.value(0.06)),
            tooltip=[
                alt.Tooltip("label:N", title="class"),
                alt.Tooltip("level:N", title=words.level),
                alt.Tooltip("image:N"),
            ],
        )
    )
    facet = level_facet(order, words.level)
    return themed(wrapped(chart, facet, len(order), square=True).add_params(chosen))
