"""Training curves."""

from __future__ import annotations

import altair as alt
import pandas as pd

from tdafeat.figures.linking import legend_filter, opacity
from tdafeat.figures.theme import COLOURS, embed, themed, wrapped


def training(training: pd.DataFrame) -> alt.TopLevelMixin:
    """Quantities logged in training against the step, a panel for each, a line per variant.

    Several seeds are averaged.
    """
    shown = ["variant", "step", "quantity", "value"]
    frame = training[training["value"].abs().lt(float("inf"))]
    frame = frame.groupby(shown[:-1], sort=False)["value"].mean().reset_index()
    variants = frame["variant"].drop_duplicates().tolist()
    colours = [COLOURS[k % len(COLOURS)] for k in range(len(variants))]
    picked = legend_filter("variant")
    base = alt.Chart().encode(
        x=alt.X("step:Q", title="step"),
        y=alt.Y("value:Q", title=None, scale=alt.Scale(zero=False)),
        color=alt.Color("variant:N", scale=alt.Scale(domain=variants, range=colours)),
        opacity=opacity(1, 0.1, picked),
    )
    tips = [
        *(alt.Tooltip(f"{name}:N") for name in ("variant", "quantity")),
        *(alt.Tooltip(f"{name}:Q", format=".4g") for name in ("step", "value")),
    ]
    points = base.mark_point(size=18).encode(tooltip=tips).properties(name="points")
    layers = [base.mark_line(), points.add_params(picked)]
    panels = alt.layer(*layers, data=embed(frame[shown]))
    facet = alt.Facet("quantity:N", title=None, sort=None)
    return themed(
        wrapped(panels, facet, frame["quantity"].nunique()).resolve_scale(y="independent")
    )
