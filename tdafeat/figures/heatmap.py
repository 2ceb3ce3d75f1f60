"""Heatmaps of pairs of names: the first level, and beside it the last or the one that is chosen.

The data have a row for each pair and a column for each level, named by its place; which column a
panel shows is read off the parameter ``shown_level`` where the chart is drawn.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import altair as alt
import numpy as np
import pandas as pd

from tdafeat.figures.dendrogram import tree
from tdafeat.figures.frames import embed, levels
from tdafeat.figures.linking import CLASS, LEVEL, NOT_OTHER, class_menu, level_menu, opacity
from tdafeat.figures.theme import LOWEST, themed
from tdafeat.wording import Wording

PAIR = ["scope", "scope_b"]
SEAMLESS = 1.03  # width of a square in cells: between squares that only touch, the ground shines


@dataclass(frozen=True)
class Heatmap:
    """What is drawn, and how it is called.

    Attributes
    ----------
    rows : ``scope``, ``scope_b`` and ``value``, with the level of each as `with_names` adds it;
        several values of a pair at one level are averaged.
    order : the names, from the first row down and from the first column on.
    words : for the levels.
    title, number : of the colour scale, and the format of its values.
    nouns : what rows and columns are.
    shares : values are counts of ordered pairs, drawn as shares of their row; otherwise a pair is
        given once and drawn both ways.
    links : lines of the tree that orders the names, drawn above; none where it is empty.
    joined : what the tree's heights are.
    """

    rows: pd.DataFrame
    order: Sequence[str]
    words: Wording
    title: str
    number: str = ".3~g"
    nouns: tuple[str, str] = ("class", "and class")
    shares: bool = False
    links: pd.DataFrame | None = None
    joined: str = ""

    def chart(self) -> alt.TopLevelMixin:
        """One panel where there is one level, else two."""
        first, last = json.dumps(self._levels[0]), json.dumps(self._levels[-1])
        if len(self._levels) == 1:
            panels: alt.Chart | alt.VConcatChart | alt.HConcatChart = self._panel(first)
        else:
            known = json.dumps(self._levels)
            other = f"(indexof({known}, {LEVEL}) < 0 ? {last} : {LEVEL})"
            heading = alt.TitleParams(self.words.level, anchor="middle", fontSize=12)
            panels = alt.hconcat(self._panel(first), self._panel(other), title=heading)
            panels = panels.add_params(level_menu(self._levels, self.words.level))
        return themed(panels.add_params(class_menu(self.order)))

    @cached_property
    def _levels(self) -> list[str]:
        return levels(self.rows)

    @cached_property
    def _cells(self) -> pd.DataFrame:
        wide = self.rows.pivot_table(index=PAIR, columns="level", values="value", sort=False)
        wide = wide.reindex(columns=self._levels)
        return wide.set_axis([str(k) for k in range(len(self._levels))], axis=1)

    @cached_property
    def _data(self) -> alt.InlineData:
        return embed((self._cells.fillna(0) if self.shares else self._cells).reset_index())

    @property
    def _step(self) -> int:
        """Pixels of a cell."""
        return max(7, min(36, 320 // max(1, len(self.order))))

    def _panel(self, level: str) -> alt.Chart | alt.VConcatChart:
        """The heatmap of the level that an expression names, below the tree."""
        heat = self._drawn(self._measured(level), names=level == json.dumps(self._levels[0]))
        text = alt.ExprRef(level) if len(self._levels) > 1 else ""
        title = alt.TitleParams(text, anchor="middle", frame="group", fontSize=12)
        if self.links is None or self.links.empty:
            return heat.properties(title=title)
        n = len(self.order)
        return alt.vconcat(tree(self.links, n, n * self._step, title, self.joined), heat, spacing=2)

    def _measured(self, level: str) -> alt.Chart:
        """A row for each cell that has a value at this level."""
        cells = alt.Chart(self._data).transform_calculate(level=level)
        place = f"indexof({json.dumps(self._levels)}, datum.level)"
        cells = cells.transform_calculate(value=f"datum[{place}]")
        if not self.shares:
            both = {"one": "[datum.scope, datum.scope_b]", "other": "[datum.scope_b, datum.scope]"}
            return cells.transform_calculate(**both).transform_flatten(["one", "other"], [*PAIR])
        cells = cells.transform_filter("datum.value > 0").transform_calculate(n="datum.value")
        cells = cells.transform_joinaggregate(of_row="sum(n)", groupby=["scope"])
        return cells.transform_calculate(value="datum.n / datum.of_row")

    def _drawn(self, cells: alt.Chart, names: bool) -> alt.Chart:
        """Squares of one panel; `names` is whether they stand beside its rows."""
        (row, column), order = self.nouns, list(self.order)
        tight = alt.Scale(padding=0, domain=order)  # also names that have no square
        of_classes = row.endswith("class")
        axis = alt.Axis(
            labelFontSize=min(11, self._step),
            labelLimit=90 if of_classes else 180,
            labelOverlap=False,
            ticks=False,
        )
        titles = (row, column) if self.shares else (None, None)
        tips = [
            alt.Tooltip("scope:N", title=row),
            alt.Tooltip("scope_b:N", title=column),
            alt.Tooltip("level:N", title=self.words.level),
            alt.Tooltip("value:Q", title=self.title, format=self.number),
        ]
        if self.shares:
            tips.append(alt.Tooltip("n:Q", title="images"))
        # a share of zero has no square of its own
        ground = alt.ExprRef(f"{CLASS} == '' ? '{LOWEST}' : 'transparent'")
        return (
            cells.mark_rect(width={"band": SEAMLESS}, height={"band": SEAMLESS})
            .encode(
                x=alt.X("scope_b:N", title=titles[1], axis=axis, scale=tight),
                y=alt.Y(
                    "scope:N",
                    title=titles[0] if names else None,
                    axis=axis if names else alt.Axis(labels=False, ticks=False),
                    scale=tight,
                ),
                color=self._colour(),
                opacity=opacity(1, 0.15, NOT_OTHER) if of_classes else alt.value(1),
                tooltip=tips,
            )
            .properties(
                width=alt.Step(self._step),
                height=alt.Step(self._step),
                view=alt.ViewBackground(fill=ground if self.shares else "transparent"),
            )
        )

    def _colour(self) -> alt.Color:
        """One scale for all levels, so that a colour means the same at each."""
        known = self._cells.to_numpy(dtype=float)
        fixed = self.shares or np.isnan(known).all()
        domain = [0.0, 1.0] if fixed else [float(np.nanmin(known)), float(np.nanmax(known))]
        legend = alt.Legend(
            orient="bottom",
            direction="horizontal",
            gradientLength=220,
            titleLimit=0,
            format=self.number,
            labelOverlap=True,
            # of a share the tick at 80% would meet that at 100%
            values=[0, 0.25, 0.5, 0.75, 1] if self.shares else alt.Undefined,
        )
        scale = alt.Scale(scheme="viridis", domain=domain)
        return alt.Color("value:Q", title=self.title, scale=scale, legend=legend)
