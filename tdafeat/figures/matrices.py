"""Class by class: angles, diagram distances, confusions; and feature space by feature space."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd

from tdafeat.figures.dendrogram import clustered, tree
from tdafeat.figures.linking import CLASS, NOT_OTHER, class_menu, opacity
from tdafeat.figures.theme import embed, level_facet, levels, themed, with_names
from tdafeat.wording import Wording, wording_of

NONE = "#440154"  # the dark end of viridis: a share of zero, which has no cell of its own


def class_matrix(
    pairs: pd.DataFrame, metric: str, title: str = "", unit: str = ""
) -> alt.TopLevelMixin:
    """Heatmap of one value for each pair of classes, a panel for each level.

    Classes that are alike stand together: average linkage on the first level, whose tree stands
    above every panel, leaves in the optimal order.

    Parameters
    ----------
    pairs : the run's table of pairs, of one feature space.
    metric : the dissimilarity to draw.
    title, unit : of the colour scale; values in ``"radians"`` are shown in degrees.
    """
    rows = with_names(pairs[pairs["metric"] == metric])
    if unit == "radians":
        rows, unit = rows.assign(value=np.degrees(rows["value"])), "degrees"
    rows = rows.assign(value=rows["value"].where(np.isfinite(rows["value"])))
    order, links = clustered(rows[rows["severity"] == rows["severity"].min()])
    names = {"scope": "scope_b", "scope_b": "scope"}
    both = pd.concat([rows, rows.rename(columns=names)])[["scope", "scope_b", "level", "value"]]
    name = title or metric.replace("_", " ")
    label = f"{name} ({unit})" if unit else name
    panels, words = levels(rows), wording_of(pairs)
    heat = _heatmap(order, words, label, (None, None), ".3g", [])
    chart = _below_trees(heat, both, order, links, panels, words, label)
    return themed(chart.add_params(class_menu(order)))


def space_matrix(
    similarities: pd.DataFrame, metric: str, title: str = "", alike: str = "higher"
) -> alt.TopLevelMixin:
    """Heatmap of one value for each pair of feature spaces, a panel for each level.

    Spaces that are alike stand together, as the classes of `class_matrix` do.

    Parameters
    ----------
    similarities : the run's table of similarities.
    metric : what to draw.
    title : of the colour scale.
    alike : whether ``"higher"`` or ``"lower"`` values are those of spaces that are alike.
    """
    rows = both_ways(similarities[similarities["metric"] == metric])
    rows = rows.assign(value=rows["value"].where(np.isfinite(rows["value"])))
    first = rows[rows["severity"] == rows["severity"].min()]
    apart = first["value"].max() - first["value"] if alike == "higher" else first["value"]
    both = rows[["scope", "scope_b", "level", "value"]]
    name = title or metric.replace("_", " ")
    order, links = clustered(first.assign(value=apart))
    panels, words = levels(rows), wording_of(similarities)
    heat = _heatmap(order, words, name, (None, None), ".3g", [], "feature space")
    return themed(_below_trees(heat, both, order, links, panels, words, "apart"))


def both_ways(similarities: pd.DataFrame) -> pd.DataFrame:
    """Each pair of feature spaces twice, one way and the other, named ``scope`` and ``scope_b``."""
    swap = {"encoder": "encoder_b", "layer": "layer_b", "encoder_b": "encoder", "layer_b": "layer"}
    turned = similarities.rename(columns=swap)
    both = pd.concat([similarities, turned], ignore_index=True)
    other = pd.concat([turned, similarities], ignore_index=True)
    named = with_names(both)
    return named.assign(scope=named["space"], scope_b=with_names(other)["space"])


def confusion(predictions: pd.DataFrame, method: str = "probe") -> alt.TopLevelMixin:
    """Confusion matrix of one predictor, a panel for each level; every row sums to 100 %.

    Parameters
    ----------
    predictions : the run's table of predictions, of one feature space.
    method : the predictor, e.g. ``"probe"`` or ``"knn"``.
    """
    rows = with_names(predictions[predictions["method"] == method])
    order = sorted({*rows["label"], *rows["prediction"]})
    keys = ["level", "label", "prediction"]
    counts = rows.groupby(keys, sort=False).size().rename("count").reset_index()
    total = counts.groupby(["level", "label"])["count"].transform("sum")
    counts["value"] = counts["count"] / total
    counts = counts.rename(columns={"label": "scope", "prediction": "scope_b"})
    tip = [alt.Tooltip("count:Q", title="images")]
    titles = ("true class", "predicted class")
    words = wording_of(predictions)
    heat = _heatmap(order, words, "share of the class", titles, ".0%", tip)
    return themed(_by_level(heat, counts, levels(rows), words).add_params(class_menu(order)))


def _below_trees(
    heat: alt.Chart,
    cells: pd.DataFrame,
    order: list[str],
    links: pd.DataFrame,
    panels: list[str],
    words: Wording,
    label: str,
) -> alt.FacetChart | alt.ConcatChart:
    """The heatmap of each level below the tree that orders it, where there is one."""
    if links.empty:
        return _by_level(heat, cells, panels, words)
    several = len(panels) > 1
    width = len(order) * _step(order)
    drawn = [
        alt.vconcat(
            tree(links, len(order), width, level if several else "", label),
            heat.properties(data=embed(cells[cells["level"] == level])),
            spacing=2,
        )
        for level in panels
    ]
    heading = alt.TitleParams(words.level, anchor="middle", fontSize=12)
    return alt.concat(*drawn, columns=2, title=heading if several else alt.Undefined)


def _by_level(
    heat: alt.Chart, cells: pd.DataFrame, panels: list[str], words: Wording
) -> alt.FacetChart:
    shown = heat.properties(data=embed(cells))
    return shown.facet(level_facet(panels, words.level), columns=2)


def _step(order: list[str]) -> int:
    """Pixels of a cell."""
    return max(7, min(36, 320 // max(1, len(order))))


def _heatmap(
    order: list[str],
    words: Wording,
    title: str,
    axes: tuple[str | None, str | None],
    number: str,
    tips: list[alt.Tooltip],
    noun: str = "class",
) -> alt.Chart:
    step = _step(order)
    axis = alt.Axis(
        labelFontSize=min(11, step),
        labelLimit=90 if noun == "class" else 180,
        labelOverlap=False,
        ticks=False,
    )
    shares, tight = axes[0] is not None, alt.Scale(padding=0)
    empty = f"{CLASS} == '' ? '{NONE}' : 'transparent'"
    of_classes = noun == "class"
    return (
        alt.Chart()
        .mark_rect()
        .encode(
            x=alt.X("scope_b:N", sort=order, title=axes[1], axis=axis, scale=tight),
            y=alt.Y("scope:N", sort=order, title=axes[0], axis=axis, scale=tight),
            color=alt.Color(
                "value:Q",
                title=title,
                scale=alt.Scale(scheme="viridis", domain=[0, 1] if shares else alt.Undefined),
                legend=alt.Legend(
                    orient="bottom",
                    direction="horizontal",
                    gradientLength=220,
                    titleLimit=0,
                    format=number,
                    labelOverlap=True,
                ),
            ),
            opacity=opacity(1, 0.15, NOT_OTHER) if of_classes else alt.value(1),
            tooltip=[
                alt.Tooltip("scope:N", title=axes[0] or noun),
                alt.Tooltip("scope_b:N", title=axes[1] or f"and {noun}"),
                alt.Tooltip("level:N", title=words.level),
                alt.Tooltip("value:Q", title=title, format=number),
                *tips,
            ],
        )
        .properties(
            width=alt.Step(step),
            height=alt.Step(step),
            view=alt.ViewBackground(fill=alt.ExprRef(empty) if shares else "transparent"),
        )
    )
