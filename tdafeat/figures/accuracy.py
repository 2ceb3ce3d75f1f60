"""Accuracy against noise, or along training."""

from __future__ import annotations

import altair as alt
import pandas as pd

from tdafeat.figures.theme import (
    INK,
    MUTED,
    embed,
    severity_axis,
    space_colour,
    space_facet,
    space_shape,
    themed,
    with_names,
    wrapped,
)
from tdafeat.wording import wording_of


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
    words = wording_of(metrics)
    rows = with_names(metrics[(metrics["metric"] == primary) & metrics["value"].notna()])
    keys = ["space", "severity", "level", "scope"]
    rows = rows.groupby(keys, sort=False)[["value", "low", "high"]].mean().reset_index()
    title = primary.replace("_", " ")
    y = alt.Y("value:Q", title=title, axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0, 1]))
    base = alt.Chart().encode(x=severity_axis(rows, words), y=y)
    tips = [
        alt.Tooltip("space:N", title="feature space"),
        alt.Tooltip("level:N", title=words.level),
        alt.Tooltip("value:Q", title=title, format=".1%"),
    ]
    return _by_class(rows, base, tips) if by_class else _overall(rows, base, tips)


def _overall(rows: pd.DataFrame, base: alt.Chart, tips: list[alt.Tooltip]) -> alt.TopLevelMixin:
    whole = rows[rows["scope"] == "all"]
    lines = base.encode(color=space_colour(whole))
    limits = [
        alt.Tooltip("low:Q", title="95 % from", format=".1%"),
        alt.Tooltip("high:Q", title="to", format=".1%"),
    ]
    layers = [
        lines.mark_rule(strokeWidth=1.5, opacity=0.7).encode(y="low:Q", y2="high:Q"),
        lines.mark_line(),
        lines.mark_point(opacity=1).encode(shape=space_shape(whole), tooltip=tips + limits),
    ]
    n_classes = rows.loc[rows["scope"] != "all", "scope"].nunique()
    if n_classes > 1:
        chance = alt.Chart(embed(pd.DataFrame({"chance": [1 / n_classes]})))
        tip = alt.Tooltip("chance:Q", format=".1%")
        rule = chance.mark_rule(strokeDash=[4, 4], color=INK, opacity=0.5)
        layers.append(rule.encode(y="chance:Q", tooltip=[tip]))
    return themed(alt.layer(*layers[1:], layers[0], data=embed(whole), width=520, height=260))


def _by_class(rows: pd.DataFrame, base: alt.Chart, tips: list[alt.Tooltip]) -> alt.TopLevelMixin:
    classes = base.transform_filter("datum.scope != 'all'").encode(detail="scope:N")
    whole = base.transform_filter("datum.scope == 'all'")
    whole = whole.encode(color=space_colour(rows).legend(None))
    layers = [
        classes.mark_line(color=MUTED, strokeWidth=1, opacity=0.5),
        classes.mark_point(color=MUTED, size=22, opacity=0.7).encode(
            tooltip=[alt.Tooltip("scope:N", title="class"), *tips]
        ),
        whole.mark_line(),
        whole.mark_point(opacity=1).encode(tooltip=tips),
    ]
    return themed(
        wrapped(alt.layer(*layers, data=embed(rows)), space_facet(rows), rows["space"].nunique())
    )
