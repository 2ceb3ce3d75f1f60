"""Persistence diagrams by level."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd

from tdafeat.figures.theme import (
    COLOURS,
    INK,
    embed,
    level_facet,
    levels,
    themed,
    with_names,
    wrapped,
)
from tdafeat.wording import wording_of


def thin(diagrams: pd.DataFrame, most: int = 400) -> pd.DataFrame:
    """At most `most` finite bars of each diagram and degree, evenly spaced by persistence.

    The longest and the shortest bar stay, and so do all essential ones.

    Examples
    --------
    >>> bars = {"encoder": "a", "layer": "", "severity": 0, "seed": 0, "scope": "all", "degree": 0}
    >>> frame = pd.DataFrame({"birth": 0.0, "death": np.arange(1.0, 100.0), **bars})
    >>> thin(frame, most=3)["death"].tolist()
    [1.0, 50.0, 99.0]
    """
    keys = ["encoder", "layer", "severity", "seed", "scope", "degree"]
    length = diagrams["death"] - diagrams["birth"]
    finite = diagrams[np.isfinite(length)]
    finite = finite.assign(_length=length).sort_values("_length", kind="stable")
    groups = finite.groupby(keys, sort=False)["_length"]
    rank, size = groups.cumcount(), groups.transform("size")
    step = np.maximum((size - 1) / max(1, most - 1), 1.0)
    nearest = np.round(np.round(rank / step) * step)
    kept = finite.index[nearest == rank]
    return diagrams[diagrams.index.isin(kept) | ~np.isfinite(length)]


def diagrams(diagrams: pd.DataFrame) -> alt.TopLevelMixin:
    """Birth-death diagrams, a panel for each level, H0 and H1 by colour.

    Bars that never die are triangles at the top edge. Pass one feature space, since the
    panels share their axes; several spaces become rows.
    """
    words, frame = wording_of(diagrams), with_names(diagrams)
    order = levels(frame)
    essential = ~np.isfinite(frame["death"])
    finite = frame.loc[~essential, ["birth", "death"]].to_numpy()
    top = 1.06 * float(finite.max()) if finite.size and finite.max() > 0 else 1.0
    frame = frame.assign(
        homology=frame["degree"].map("H{}".format),
        y=frame["death"].where(~essential, top),
        dies=np.where(essential, "never", frame["death"].map("{:.4g}".format)),
    )
    degrees = sorted(frame["homology"].unique())
    shown = ["space", "level", "scope", "homology", "birth", "y", "dies"]
    scale = alt.Scale(domain=[0, top], nice=False)
    points = alt.Chart().encode(
        x=alt.X("birth:Q", title="birth", scale=scale),
        y=alt.Y("y:Q", title="death", scale=scale),
        color=alt.Color(
            "homology:N",
            title="degree",
            scale=alt.Scale(domain=degrees, range=list(COLOURS[: len(degrees)])),
            legend=alt.Legend(orient="top"),
        ),
        tooltip=[
            alt.Tooltip("homology:N", title="degree"),
            alt.Tooltip("scope:N", title="class"),
            alt.Tooltip("level:N", title=words.level),
            alt.Tooltip("birth:Q", format=".4g"),
            alt.Tooltip("dies:N", title="death"),
        ],
    )
    corner = pd.DataFrame({"a": [0.0], "b": [top]})
    diagonal = alt.Chart(embed(corner)).mark_rule(color=INK, opacity=0.4)
    layers = [
        diagonal.encode(x=alt.X("a:Q", scale=scale), y=alt.Y("a:Q", scale=scale), x2="b", y2="b"),
        points.transform_filter("datum.dies != 'never'").mark_point(size=16, opacity=0.7),
        points.transform_filter("datum.dies == 'never'").mark_point(
            size=70, shape="triangle-up", opacity=1
        ),
    ]
    panels = alt.layer(*layers, data=embed(frame[shown]))
    spaces = frame["space"].drop_duplicates().tolist()
    if len(spaces) > 1:
        row = alt.Row("space:N", title=None, sort=spaces)
        panels = panels.properties(width=160, height=160)
        column = alt.Column("level:N", sort=order, title=words.level)
        return themed(panels.facet(row=row, column=column))
    return themed(wrapped(panels, level_facet(order, words.level), len(order), square=True))
