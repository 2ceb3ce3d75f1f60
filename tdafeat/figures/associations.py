"""Which metric goes with accuracy: rank correlations, and the points behind them."""

from __future__ import annotations

from collections.abc import Mapping

import altair as alt
import pandas as pd

from tdafeat.figures.encodings import level_colour, space_facet
from tdafeat.figures.frames import checked, embed, levels, with_names
from tdafeat.figures.linking import (
    IS_SHOWN,
    NOT_OTHER,
    class_menu,
    legend_filter,
    level_menu,
    opacity,
)
from tdafeat.figures.theme import COLOURS, INK, themed, wrapped
from tdafeat.wording import wording_of

ADJUSTMENTS = ("within level", "level-adjusted", "pooled")


def forest(
    associations: pd.DataFrame, titles: Mapping[str, str] | None = None, most: int | None = None
) -> alt.TopLevelMixin:
    """Rank correlations with their intervals, a row for each metric.

    Metrics stand in the order of their strength within a level. Filled points stay
    significant at 5 % after Holm's correction; pooled correlations are hollow by choice,
    because noise alone moves both sides of them.

    Parameters
    ----------
    associations : rows of ``metric`` (str), ``adjustment`` (str: ``"within level"``,
        ``"level-adjusted"`` or ``"pooled"``), ``value``, ``low`` and ``high`` (float, from -1 to
        1), and where they are known ``p_holm`` (float), ``n`` (units) and ``method`` (str), of
        which Spearman's is drawn.
    titles : what stands beside a row, by metric; its name if left out.
    most : rows, at most: those of the strongest metrics; all of them if None.

    Raises
    ------
    ValueError where a column is missing, or no correlation is known.

    Examples
    --------
    >>> import pandas as pd
    >>> from tdafeat import figures
    >>> found = pd.DataFrame({"metric": ["koleo", "rankme"], "value": [-0.6, 0.2]})
    >>> found = found.assign(low=found["value"] - 0.3, high=found["value"] + 0.3)
    >>> chart = figures.forest(found.assign(adjustment="within level", p_holm=[0.01, 0.6]))
    """
    columns = ("metric", "adjustment", "value", "low", "high")
    unknown = {"p_holm": float("nan"), "n": float("nan"), "method": "spearman"}
    associations = checked(associations, "associations", *columns, **unknown)
    drawn = associations["value"].notna() & (associations["method"] == "spearman")
    frame = checked(associations[drawn], "associations by Spearman's rho")
    known = {name: (titles or {}).get(name, name.replace("_", " ")) for name in frame["metric"]}
    strict = frame["adjustment"] == ADJUSTMENTS[0]
    strength = frame.assign(size=frame["value"].abs().where(strict)).groupby("metric")["size"]
    strongest = strength.mean().fillna(0).sort_values(ascending=False).index[:most]
    frame = frame[frame["metric"].isin(strongest)]
    order = [known[m] for m in strongest]
    significant = (frame["p_holm"] < 0.05) & (frame["adjustment"] != "pooled")
    frame = frame.assign(title=frame["metric"].map(known), significant=significant.astype(int))
    shown = ["encoder", "title", "adjustment", "value", "low", "high", "p_holm", "n", "significant"]
    used = [a for a in ADJUSTMENTS if a in set(frame["adjustment"])]
    colour = alt.Color(
        "adjustment:N",
        title="correlation",
        sort=used,
        scale=alt.Scale(domain=used, range=list(COLOURS[: len(used)])),
        legend=alt.Legend(orient="top") if len(used) > 1 else None,
    )
    picked = legend_filter("adjustment")
    base = alt.Chart().encode(
        y=alt.Y("title:N", sort=order, title=None, axis=alt.Axis(labelLimit=300, grid=True)),
        yOffset=alt.YOffset("adjustment:N", sort=used),
        color=colour,
        opacity=opacity(1, 0.1, picked),
    )
    domain = alt.Scale(domain=[-1, 1])
    tips = [
        alt.Tooltip("title:N", title="metric"),
        alt.Tooltip("encoder:N"),
        alt.Tooltip("adjustment:N", title="correlation"),
        alt.Tooltip("value:Q", title="Spearman's ρ", format=".2f"),
        alt.Tooltip("low:Q", title="95 % from", format=".2f"),
        alt.Tooltip("high:Q", title="to", format=".2f"),
        alt.Tooltip("p_holm:Q", title="p (Holm)", format=".2g"),
        alt.Tooltip("n:Q", title="units"),
    ]
    x = alt.X("value:Q", title="Spearman's ρ with accuracy", scale=domain)
    zero = alt.Chart(embed(pd.DataFrame({"zero": [0]}))).mark_rule(color=INK, opacity=0.5)
    layers = [
        zero.encode(x=alt.X("zero:Q", scale=domain)),
        base.mark_rule(strokeWidth=1.4)
        .encode(x=alt.X("low:Q", scale=domain), x2="high:Q")
        .properties(name="intervals")
        .add_params(picked),
        *(
            base.transform_filter(f"datum.significant == {int(filled)}")
            .mark_point(size=38, filled=filled)
            .encode(x=x, tooltip=tips)
            for filled in (True, False)
        ),
    ]
    spaces = frame["encoder"].drop_duplicates().tolist()
    panels = alt.layer(*layers, data=embed(frame[shown])).properties(
        width=max(170, 480 // max(1, len(spaces))), height=alt.Step(9 if len(used) > 1 else 16)
    )
    return themed(
        panels.facet(
            alt.Facet("encoder:N", title=None, sort=spaces),
            columns=3,
        )
    )


def scatter(
    metrics: pd.DataFrame, metric: str, primary: str = "probe_accuracy", title: str = ""
) -> alt.TopLevelMixin:
    """A metric against accuracy: a point for each class and level, a panel for each space.

    Parameters
    ----------
    metrics : rows of ``scope`` (str, a class; rows of ``"all"`` are left out), ``metric`` (str) and
        ``value`` (float, in the metric's own units; of the accuracy from 0 to 1).
    metric, primary : what runs across, and the accuracy that runs up.
    title : of the metric.

    Raises
    ------
    ValueError where a column is missing, or no class has both values.

    Examples
    --------
    >>> import pandas as pd
    >>> from tdafeat import figures
    >>> own = {"koleo": [1.2, 0.8, 0.9], "probe": [0.3, 0.9, 0.7]}
    >>> own = pd.DataFrame({"scope": list("abc"), **own}).melt(id_vars="scope", var_name="metric")
    >>> chart = figures.scatter(own, "koleo", primary="probe", title="KoLeo")
    """
    metrics = checked(metrics, "metrics", "scope", "metric", "value")
    words = wording_of(metrics)
    keys = ["encoder", "layer", "noise", "severity", "parameter", "seed", "scope"]
    rows = metrics[metrics["value"].abs().lt(float("inf")) & (metrics["scope"] != "all")]
    first = rows.loc[rows["metric"] == metric, [*keys, "value"]]
    second = rows.loc[rows["metric"] == primary, [*keys, "value"]]
    both = first.merge(second, on=keys, suffixes=("", "_primary"))
    both = with_names(checked(both, f"metrics of classes with {metric} and {primary}"))
    name = title or metric.replace("_", " ")
    against = primary.replace("_", " ")
    order, picked = levels(both), legend_filter("level")
    chart = (
        alt.Chart(embed(both[["space", "level", "scope", "value", "value_primary"]]))
        .mark_point()
        .encode(
            x=alt.X("value:Q", title=name, scale=alt.Scale(zero=False)),
            y=alt.Y("value_primary:Q", title=against, axis=alt.Axis(format="%")),
            color=level_colour(order, words.level),
            opacity=opacity(0.75, 0.07, NOT_OTHER, IS_SHOWN, picked),
            tooltip=[
                alt.Tooltip("scope:N", title="class"),
                alt.Tooltip("level:N", title=words.level),
                alt.Tooltip("value:Q", title=name, format=".4g"),
                alt.Tooltip("value_primary:Q", title=against, format=".1%"),
            ],
        )
        .properties(name="points")
        .add_params(picked)
    )
    menus = class_menu(sorted(both["scope"].unique())), level_menu(order, words.level)
    panels = wrapped(chart, space_facet(both), both["space"].nunique())
    return themed(panels.resolve_scale(x="independent").add_params(*menus))
