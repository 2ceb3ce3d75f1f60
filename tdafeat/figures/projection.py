"""Maps of the features, coloured by class."""

from __future__ import annotations

import altair as alt
import pandas as pd

from tdafeat.figures.encodings import class_marks, level_facet
from tdafeat.figures.frames import checked, embed, levels, with_names
from tdafeat.figures.linking import (
    NOT_OTHER,
    PANEL,
    class_menu,
    legend_filter,
    level_menu,
    only_shown,
    opacity,
)
from tdafeat.figures.theme import themed, wrapped
from tdafeat.wording import wording_of

MARGIN = 0.04  # of the extent, around the points
CROWDED = 300  # images; of more, points are smaller


def projection(projections: pd.DataFrame) -> alt.TopLevelMixin:
    """One map for each level, fitted jointly and on the same axes, so that places can be compared.

    A click in the legend singles out a class.

    Parameters
    ----------
    projections : a row for each image and level, of ``image`` (str), ``label`` (str) and the place
        ``x``, ``y`` (float, of no unit but that of the method), of one feature space and method.

    Raises
    ------
    ValueError where a column is missing, or there is no image.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from tdafeat import figures
    >>> from tdafeat.projection import project
    >>> x, y = project(np.random.default_rng(0).normal(size=(20, 8))).T
    >>> places = pd.DataFrame({"image": np.arange(20).astype(str), "x": x, "y": y})
    >>> chart = figures.projection(places.assign(label=["even", "odd"] * 10))
    """
    projections = checked(projections, "projections", "image", "label", "x", "y")
    words, frame = wording_of(projections), with_names(projections)
    frame = frame.assign(scope=frame["label"])
    order, classes = levels(frame), sorted(frame["scope"].unique())
    per_level = len(frame) // len(order)
    colour, shape = class_marks(classes, "scope")
    picked = legend_filter("scope")
    bare = alt.Axis(labels=False, ticks=False, title=None, grid=False, domainOpacity=0.25)
    chart = (
        alt.Chart(embed(frame[["level", "image", "scope", "x", "y"]]), name=PANEL)
        .mark_point(size=24 if per_level <= CROWDED else 14)
        .encode(
            x=alt.X("x:Q", axis=bare, scale=_extent(frame["x"])),
            y=alt.Y("y:Q", axis=bare, scale=_extent(frame["y"])),
            color=colour,
            shape=shape,
            opacity=opacity(0.8, 0.06, NOT_OTHER, picked),
            tooltip=[
                alt.Tooltip("scope:N", title="class"),
                alt.Tooltip("level:N", title=words.level),
                alt.Tooltip("image:N"),
            ],
        )
        .add_params(picked)
    )
    panels = wrapped(chart, level_facet(order, words.level), len(order), square=True)
    menus = class_menu(classes), level_menu(order, words.level)
    return themed(only_shown(panels).add_params(*menus))


def _extent(values: pd.Series) -> alt.Scale:
    """The same axis at every level, also where one level alone is shown."""
    low, high = float(values.min()), float(values.max())
    margin = MARGIN * (high - low) or 1.0
    return alt.Scale(domain=[low - margin, high + margin], nice=False, zero=False)
