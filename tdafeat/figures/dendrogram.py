"""Classes ordered by how alike they are, and the tree that orders them."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd

from tdafeat.figures.frames import embed
from tdafeat.figures.theme import INK


def clustered(pairs: pd.DataFrame) -> tuple[list[str], pd.DataFrame]:
    """Average linkage of the classes: their names in the optimal order of leaves, and the tree.

    Parameters
    ----------
    pairs : rows of ``scope``, ``scope_b`` and their dissimilarity ``value``; one that is missing
        or infinite counts as the largest.

    Returns
    -------
    Names, and the tree's links as lines: ``link``, ``x`` from 0 to the number of classes, ``y``
    the dissimilarity at which two groups join. No links where fewer than three classes are.
    """
    names = list(dict.fromkeys([*pairs["scope"], *pairs["scope_b"]]))
    nothing = pd.DataFrame({"link": [], "x": [], "y": []})
    if len(names) < 3:
        return names, nothing
    matrix = pairs.pivot_table(index="scope", columns="scope_b", values="value", aggfunc="mean")
    square = matrix.reindex(index=names, columns=names).to_numpy()
    square = np.where(np.isnan(square), square.T, square)
    known = square[np.isfinite(square)]
    if known.size == 0:
        return names, nothing
    square = np.where(np.isfinite(square), square, known.max())
    np.fill_diagonal(square, 0.0)
    from scipy.cluster.hierarchy import dendrogram, linkage
    from scipy.spatial.distance import squareform

    condensed = np.maximum(squareform(square, checks=False), 0.0)
    tree = linkage(condensed, method="average", optimal_ordering=True)
    drawn = dendrogram(tree, no_plot=True)
    corners = {"x": np.array(drawn["icoord"]) / 10, "y": np.array(drawn["dcoord"])}
    links = pd.DataFrame({name: values.ravel() for name, values in corners.items()})
    return [names[k] for k in drawn["leaves"]], links.assign(link=links.index // 4)


def tree(
    links: pd.DataFrame, n_classes: int, width: int, title: alt.TitleParams, unit: str
) -> alt.Chart:
    """The dendrogram, to stand above a heatmap of this width."""
    last = float(n_classes)
    joined = links.loc[links["y"] > 0, "y"]
    foot = 0.9 * float(joined.min()) if len(joined) else 0.0  # leaves stand a little below
    return (
        alt.Chart(embed(links.assign(corner=links.index % 4)), title=title)
        .mark_line(color=INK, opacity=0.6, strokeWidth=1)
        .encode(
            x=alt.X("x:Q", axis=None, scale=alt.Scale(domain=[0, last], nice=False)),
            y=alt.Y("y:Q", axis=None, scale=alt.Scale(nice=False, domainMin=foot, clamp=True)),
            detail="link:N",
            order="corner:Q",
            tooltip=[alt.Tooltip("y:Q", title=f"joined at ({unit})", format=".3g")],
        )
        .properties(width=width, height=36)
    )
