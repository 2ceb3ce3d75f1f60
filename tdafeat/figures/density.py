"""Many bars of one diagram: the density of all of them, and the longest one by one."""

from __future__ import annotations

import numpy as np
import pandas as pd

CELLS = 40  # along each axis
DIAGRAM = ["space", "severity", "level", "homology"]


def density(frame: pd.DataFrame, top: float, most: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Bars to draw one by one, and the cells of the diagrams that have too many.

    Parameters
    ----------
    frame : bars by space, level and homology, with their birth and death.
    top : where the axes end.
    most : finite bars of a diagram drawn one by one; of more, only the longest tenth of `most`.

    Returns
    -------
    The bars that are drawn, and cells: their corners, how many bars each holds, and its share of
    the fullest on a logarithmic scale.
    """
    length = frame["death"] - frame["birth"]
    finite = frame[np.isfinite(length)]
    many = finite.groupby(DIAGRAM)["birth"].transform("size") > most
    crowded = finite[many]
    rank = (
        length[crowded.index]
        .groupby([crowded[k] for k in DIAGRAM])
        .rank(method="first", ascending=False)
    )
    drawn = frame.drop(crowded.index[rank > max(1, most // 10)])
    cell = top / CELLS
    column = np.minimum(crowded["birth"] // cell, CELLS - 1)
    row = np.minimum(crowded["death"] // cell, CELLS - 1)
    places = crowded[DIAGRAM].assign(birth=column * cell, y=row * cell)
    sizes = places.groupby([*DIAGRAM, "birth", "y"], sort=False).size()
    cells = sizes.rename("bars").reset_index()
    fullest = cells.groupby(DIAGRAM)["bars"].transform("max")
    return drawn, cells.assign(
        birth_to=cells["birth"] + cell,
        y_to=cells["y"] + cell,
        share=np.log1p(cells["bars"]) / np.log1p(fullest),
    )
