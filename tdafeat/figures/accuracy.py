"""Accuracy against noise."""

from __future__ import annotations

import altair as alt
import pandas as pd

from tdafeat.figures.theme import (
    INK,
    MUTED,
    embed,
    severity_axis,
    space_colour,
    themed,
    with_names,
    wrapped,
)


def accuracy(
    metrics: pd.DataFrame, primary: str = "probe_accuracy", by_class: bool = False
) -> alt.TopLevelMixin:
    """Accuracy against severity with its intervals, one line for each feature space.

    Parameters
    ----------
    metrics : the run's table of metrics; several seeds are averaged.
    primary : the accuracy to draw.
    by_class : one panel for each space instead, with a light line for every class.
    """
    rows = with_names(metrics[(metrics["metric"] == primary) & metrics["value"].notna()])
    keys = ["space", "severity", "level", "scope"]
    rows = rows.groupby(keys, sort=False)[["value", "low", "high"]].mean().reset_index()
    title = primary.replace("_", " ")
    whole, single = rows[rows["scope"] == "all"], rows[rows["scope"] != "all"]
    y = alt.Y("value:Q", title=title, axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0, 1]))
    colour = space_colour(whole)
    tips = [
        alt.Tooltip("space:N", title="feature space"),
        alt.Tooltip("level:N", title="severity (parameter)"),
        alt.Tooltip("value:Q", title=title, format=".1%"),
    ]
    limits = [
        alt.Tooltip("low:Q", title="95 % from", format=".1%"),
        alt.Tooltip("high:Q", title="to", format=".1%"),
    ]
    x = severity_axis(rows)
    base = alt.Chart().transform_filter("datum.scope == 'all'").encode(x=x, color=colour)
    layers = [
        base.mark_rule(strokeWidth=1.5, opacity=0.7)
        .encode(y=y, y2="high:Q")
        .encode(y=alt.Y("low:Q", title=title)),
        base.mark_line().encode(y=y),
        base.mark_point(opacity=1).encode(y=y, tooltip=tips + limits),
    ]
    if not by_class:
        n_classes = single["scope"].nunique()
        if n_classes > 1:
            chance = alt.Chart(embed(pd.DataFrame({"chance": [1 / n_classes]})))
            rule = chance.mark_rule(strokeDash=[4, 4], color=INK, opacity=0.5)
            layers.append(
                rule.encode(
                    y="chance:Q", tooltip=[alt.Tooltip("chance:Q", title="chance", format=".1%")]
                )
            )
        return themed(alt.layer(*layers, data=embed(whole)).properties(width=520, height=280))
    classes = (
        alt.Chart().transform_filter("datum.scope != 'all'").encode(x=x, y=y, detail="scope:N")
    )
    tips.insert(0, alt.Tooltip("scope:N", title="class"))
    layers = [
        classes.mark_line(color=MUTED, strokeWidth=1, opacity=0.5),
        classes.mark_point(color=MUTED, size=22, opacity=0.7).encode(tooltip=tips),
        *layers[1:],
    ]
    panels = alt.layer(*layers, data=embed(rows))
    facet = alt.Facet("space:N", title=None, sort=None)
    return themed(wrapped(panels, facet, rows["space"].nunique()))
