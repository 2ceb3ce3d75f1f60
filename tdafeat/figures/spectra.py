"""PCA spectra by level."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd

from tdafeat.figures.theme import (
    embed,
    level_colour,
    levels,
    space_facet,
    themed,
    with_names,
    wrapped,
)
from tdafeat.wording import wording_of

SMALLEST = 1e-7  # of the total variance; below it lies the rounding of float32 features


def spectra(spectra: pd.DataFrame) -> alt.TopLevelMixin:
    """Share of the variance by rank on logarithmic axes, a line for each level.

    Shares below 1e-7 are rounding and left out; of ranks above 30 a logarithmically even
    choice is drawn.
    """
    words = wording_of(spectra)
    frame = with_names(spectra[spectra["scope"] == "all"])
    cell = ["space", "level", "seed"]
    frame = frame.assign(share=frame["value"] / frame.groupby(cell)["value"].transform("sum"))
    last = int(frame["rank"].max()) if len(frame) else 1
    ranks = np.unique(np.round(np.geomspace(1, max(last, 2), 150)).astype(int))
    keep = (frame["share"] > SMALLEST) & ((frame["rank"] <= 30) | frame["rank"].isin(ranks))
    order = levels(frame)
    frame = frame.loc[keep, ["space", "level", "rank", "share", "seed"]]
    base = alt.Chart().encode(
        x=alt.X("rank:Q", title="rank of the eigenvalue", scale=alt.Scale(type="log", nice=False)),
        y=alt.Y(
            "share:Q",
            title="share of the variance",
            scale=alt.Scale(type="log"),
            axis=alt.Axis(format="~e", tickCount=5),
        ),
        color=level_colour(order, words.level),
        detail="seed:N",
    )
    tips = [
        alt.Tooltip("space:N", title="feature space"),
        alt.Tooltip("level:N", title=words.level),
        alt.Tooltip("rank:Q"),
        alt.Tooltip("share:Q", title="share of the variance", format=".3~%"),
    ]
    layers = [
        base.mark_line(strokeWidth=1.8),
        base.mark_point(size=60, opacity=0.001).encode(tooltip=tips),
    ]
    panels = alt.layer(*layers, data=embed(frame))
    return themed(wrapped(panels, space_facet(frame), frame["space"].nunique()))
