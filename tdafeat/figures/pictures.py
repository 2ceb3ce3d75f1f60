"""Grids of small pictures: eigen-images, centroids, search results."""

from __future__ import annotations

import json
from base64 import b64encode

import altair as alt
import pandas as pd

from tdafeat.figures.frames import checked
from tdafeat.figures.theme import COLOURS, INK, themed

COLUMNS = 10  # pictures in a row; more go on below
SIDE = 56  # of a picture, at most
HITS, HUES = ["hit", "miss"], list(COLOURS[:2])
CAPTION = 13  # height of a line of text
LETTER = 5.5  # its width for each character


def pictures(pictures: pd.DataFrame) -> alt.TopLevelMixin:
    """A row for each set, its pictures by rank, each above its caption.

    Captions that are the same in every row stand once, above the first. Pixels are drawn as
    squares, however few there are. A picture marked as a hit has a whole blue frame, a miss a
    broken orange one.

    Parameters
    ----------
    pictures : rows of ``set`` (str, beside the row), ``rank`` (int, its place there), ``caption``
        (str) and ``png`` (bytes), and where pictures are marked ``mark`` (``"hit"``, ``"miss"`` or
        ``""``).

    Raises
    ------
    ValueError where a column is missing, or there is no picture.

    Examples
    --------
    >>> import io
    >>> import numpy as np
    >>> import pandas as pd
    >>> from PIL import Image
    >>> from tdafeat import figures
    >>> file = io.BytesIO()
    >>> Image.fromarray(np.eye(8, dtype=np.uint8) * 255).save(file, format="png")
    >>> found = pd.DataFrame({"set": "shirt", "rank": [0, 1], "caption": ["query", "coat"]})
    >>> chart = figures.pictures(found.assign(png=file.getvalue(), mark=["", "miss"]))
    """
    pictures = checked(pictures, "pictures", "set", "rank", "caption", "png", mark="")
    frame = pictures.sort_values("rank", kind="stable")
    sets = list(dict.fromkeys(pictures["set"]))
    widest = int(frame["set"].value_counts().max())
    columns = -(-widest // -(-widest // COLUMNS))  # as even as can be
    captions = frame.groupby("rank")["caption"]
    headed = len(sets) > 1 and widest <= COLUMNS and captions.nunique().max() == 1

    names, cells = [], []
    for name in sets:
        for place, row in enumerate(frame[frame["set"] == name].itertuples(index=False)):
            mark = row.mark
            if place % columns == 0:
                names.append("" if place else name)
            told = row.caption if not headed or len(names) == 1 else ""
            cells.append(
                {
                    "row": len(names) - 1,
                    "column": place % columns,
                    "caption": told,
                    "url": "data:image/png;base64," + b64encode(row.png).decode(),
                    "description": ", ".join(filter(None, (name, row.caption, mark))),
                    "mark": mark,
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
    marked = any(cell["mark"] for cell in cells)
    text = base.mark_text(
        color=INK,
        fontSize=10,
        dy=-side // 2 - 4 if headed else side // 2 + 2,
        baseline="bottom" if headed else "top",
        limit=side + 4 if marked else 0,  # names of classes may be long
    ).encode(text="caption:N")
    # a heading must not run into the next one
    heading = LETTER * max(map(len, frame["caption"])) if headed else 0
    width, height = alt.Step(max(side, heading) + 4), alt.Step(side + 4 + CAPTION * below)
    layers: list[alt.Chart] = [shown, text]
    if marked:
        hue = alt.Color("mark:N", scale=alt.Scale(domain=HITS, range=HUES), legend=None)
        dash = alt.Scale(domain=HITS, range=[[1, 0], [4, 3]])
        layers.append(
            base.transform_filter("datum.mark != ''")
            .mark_point(shape="square", size=side**2, filled=False, strokeWidth=2, opacity=1)
            .encode(color=hue, strokeDash=alt.StrokeDash("mark:N", scale=dash, legend=None))
        )
    return themed(alt.layer(*layers).properties(width=width, height=height))
