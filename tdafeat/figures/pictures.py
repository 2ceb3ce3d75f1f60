"""Grids of small pictures: eigen-images, centroids, search results."""

from __future__ import annotations

import json
from base64 import b64encode

import altair as alt
import pandas as pd

from tdafeat.figures.theme import INK, themed

COLUMNS = 10  # pictures in a row; more go on below
SIDE = 56  # of a picture, at most
CAPTION = 13  # height of a line of text


def pictures(pictures: pd.DataFrame) -> alt.TopLevelMixin:
    """A row for each set, its pictures by rank, each above its caption.

    Captions that are the same in every row stand once, above the first. Pixels are drawn as
    squares, however few there are.

    Parameters
    ----------
    pictures : the run's table of pictures, of one kind, scope and feature space.
    """
    frame = pictures.sort_values("rank", kind="stable")
    sets = list(dict.fromkeys(pictures["set"]))
    widest = int(frame["set"].value_counts().max())
    columns = -(-widest // -(-widest // COLUMNS))  # as even as can be
    captions = frame.groupby("rank")["caption"]
    headed = len(sets) > 1 and widest <= COLUMNS and captions.nunique().max() == 1

    names, cells = [], []
    for name in sets:
        for place, row in enumerate(frame[frame["set"] == name].itertuples(index=False)):
            if place % columns == 0:
                names.append("" if place else name)
            told = row.caption if not headed or len(names) == 1 else ""
            cells.append(
                {
                    "row": len(names) - 1,
                    "column": place % columns,
                    "caption": told,
                    "url": "data:image/png;base64," + b64encode(row.png).decode(),
                    "description": ", ".join(part for part in (name, row.caption) if part),
                }
            )
    pixels = max(1, *(int.from_bytes(png[16:20], "big") for png in frame["png"]))  # widths
    side = SIDE // pixels * pixels or SIDE  # every pixel as wide as the others
    below = any(frame["caption"]) and not headed
    labels = alt.Axis(
        labelExpr=f"{json.dumps(names)}[datum.value]",
        ticks=False,
        domain=False,
        labelPadding=6,
        title=None,
    )
    base = alt.Chart(alt.InlineData(values=cells)).encode(
        x=alt.X("column:O", axis=None, scale=alt.Scale(padding=0)),
        y=alt.Y("row:O", axis=labels if any(names) else None, scale=alt.Scale(padding=0)),
    )
    shown = base.mark_image(width=side, height=side, smooth=False).encode(
        url="url:N", description="description:N", tooltip=alt.Tooltip("description:N", title=" ")
    )
    text = base.mark_text(
        color=INK,
        fontSize=10,
        dy=-side // 2 - 4 if headed else side // 2 + 2,
        baseline="bottom" if headed else "top",
    ).encode(text="caption:N")
    width, height = alt.Step(side + 4), alt.Step(side + 4 + CAPTION * below)
    return themed(alt.layer(shown, text).properties(width=width, height=height))
