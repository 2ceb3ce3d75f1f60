"""Accuracy against noise, or along training."""

from __future__ import annotations

import altair as alt
import pandas as pd

from tdafeat.figures.encodings import severity_axis, space_colour, space_facet, space_shape
from tdafeat.figures.frames import checked, embed, levels, with_names
from tdafeat.figures.linking import (
    IS_CHOSEN,
    NOT_OTHER,
    class_menu,
    legend_filter,
    level_menu,
    level_rule,
    opacity,
)
from tdafeat.figures.theme import INK, MUTED, themed, wrapped
from tdafeat.wording import wording_of


def accuracy(
    metrics: pd.DataFrame, primary: str = "probe_accuracy", by_class: bool = False
) -> alt.TopLevelMixin:
    """Accuracy against severity with its intervals, one line for each feature space.

    A class that is chosen appears as a dashed line beside that of all classes. Several seeds are
    averaged; a band reaches from the least to the largest of them. The dashed rule is chance, where
    there are classes to tell it.

    Parameters
    ----------
    metrics : rows of ``metric`` (str) and ``value`` (float, from 0 to 1), and where intervals are
        known ``low`` and ``high`` (float, likewise).
    primary : the metric to draw, an accuracy.
    by_class : one panel for each space instead, with a light line for every class.

    Raises
    ------
    ValueError where a column is missing, or no value of the metric is known.

    Examples
    --------
    >>> import pandas as pd
    >>> from tdafeat import figures
    >>> levels = pd.DataFrame({"severity": [0, 1, 2], "value": [0.9, 0.7, 0.4]})
    >>> levels = levels.assign(metric="probe_accuracy", low=levels["value"] - 0.05)
    >>> chart = figures.accuracy(levels.assign(high=levels["value"] + 0.05))
    """
    metrics = checked(metrics, "metrics", "metric", "value", low=float("nan"), high=float("nan"))
    words = wording_of(metrics)
    rows = metrics[(metrics["metric"] == primary) & metrics["value"].notna()]
    rows = with_names(checked(rows, f"metrics of {primary}"))
    keys = ["space", "severity", "level", "scope"]
    by_level = rows.groupby(keys, sort=False)
    rows = by_level.agg(
        value=("value", "mean"),
        low=("low", "mean"),
        high=("high", "mean"),
        least=("value", "min"),
        most=("value", "max"),
    ).reset_index()
    title = primary.replace("_", " ")
    classes = sorted(set(rows["scope"]) - {"all"})
    menus = class_menu(classes), level_menu(levels(rows), words.level)
    y = alt.Y("value:Q", title=title, axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0, 1]))
    x = severity_axis(rows, words)
    base, rule = alt.Chart().encode(x=x, y=y), level_rule(x)
    tips = [
        alt.Tooltip("scope:N", title="class"),
        alt.Tooltip("space:N", title="feature space"),
        alt.Tooltip("level:N", title=words.level),
        alt.Tooltip("value:Q", title=title, format=".1%"),
    ]
    if by_class:
        return themed(_by_class(rows, base, rule, tips).add_params(*menus))
    return themed(_overall(rows, base, rule, tips).add_params(*menus))


def _overall(
    rows: pd.DataFrame, base: alt.Chart, rule: alt.Chart, tips: list[alt.Tooltip]
) -> alt.LayerChart | alt.FacetChart:
    whole = rows[rows["scope"] == "all"]
    picked = legend_filter("space")
    lines = base.encode(color=space_colour(whole), opacity=opacity(1, 0.1, picked))
    every = lines.transform_filter("datum.scope == 'all'")
    chosen = lines.transform_filter(IS_CHOSEN)
    limits = [
        alt.Tooltip("low:Q", title="95 % from", format=".1%"),
        alt.Tooltip("high:Q", title="to", format=".1%"),
    ]
    shape = space_shape(whole)
    layers: list[alt.Chart] = [rule]
    if (whole["least"] < whole["most"]).any():
        band = every.encode(y="least:Q", y2="most:Q", opacity=opacity(0.2, 0.03, picked))
        layers.append(band.mark_area())
    layers += [
        every.mark_line(),
        every.mark_point()
        .encode(shape=shape, tooltip=tips + limits)
        .properties(name="points")
        .add_params(picked),
        chosen.mark_line(strokeDash=[5, 3], strokeWidth=1.5),
        chosen.mark_point(filled=False).encode(shape=shape, tooltip=tips),
        every.mark_rule(strokeWidth=1.5).encode(y="low:Q", y2="high:Q"),
    ]
    n_classes = rows.loc[rows["scope"] != "all", "scope"].nunique()
    if n_classes > 1:
        chance = alt.Chart(embed(pd.DataFrame({"chance": [1 / n_classes]})))
        tip = alt.Tooltip("chance:Q", format=".1%")
        rule = chance.mark_rule(strokeDash=[4, 4], color=INK, opacity=0.5)
        layers.append(rule.encode(y="chance:Q", tooltip=[tip]))
    return alt.layer(*layers, data=embed(rows), width=520, height=260)


def _by_class(
    rows: pd.DataFrame, base: alt.Chart, rule: alt.Chart, tips: list[alt.Tooltip]
) -> alt.FacetChart:
    classes = base.transform_filter("datum.scope != 'all'").encode(detail="scope:N")
    whole = base.transform_filter("datum.scope == 'all'")
    whole = whole.encode(color=space_colour(rows).legend(None))
    chosen = classes.transform_filter(IS_CHOSEN)
    faint = opacity(0.5, 0.12, NOT_OTHER)
    layers = [
        rule,
        classes.mark_line(color=MUTED, strokeWidth=1).encode(opacity=faint),
        classes.mark_point(color=MUTED, size=22).encode(opacity=faint, tooltip=tips),
        whole.mark_line(),
        whole.mark_point(opacity=1).encode(tooltip=tips),
        chosen.mark_line(color=INK),
        chosen.mark_point(color=INK, opacity=1).encode(tooltip=tips),
    ]
    panels = alt.layer(*layers, data=embed(rows))
    return wrapped(panels, space_facet(rows), rows["space"].nunique())
