"""Persistence images: where in a diagram the long bars lie."""

from __future__ import annotations

from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from tdafeat.figures.encodings import level_facet
from tdafeat.figures.frames import checked, embed, levels, with_names
from tdafeat.figures.linking import PANEL, level_menu, only_shown
from tdafeat.figures.theme import LOWEST, by_space, themed
from tdafeat.wording import wording_of

SPREAD = 1.5  # pixels along the finer axis: standard deviation of a bar's hill


def persistence_images(
    diagrams: pd.DataFrame, degree: int = 1, pixels: int = 20
) -> alt.TopLevelMixin:
    """Persistence images: births across, lifetimes up, a panel for each level.

    A bar is a Gaussian hill weighted by its lifetime, of 1.5 pixels of the finer axis. Panels of
    one feature space share their axes and scale; shares are of its brightest pixel.

    Parameters
    ----------
    diagrams : rows of ``degree`` (int), ``birth`` and ``death`` (float, in units of the features;
        infinite deaths are those of bars that never die), of one scope.
    degree : of homology; H0, whose births are all 0, is one column.
    pixels : along each axis.

    Raises
    ------
    ValueError where a column is missing, there is no bar of the degree that dies, or for fewer than
    two pixels.

    Examples
    --------
    >>> import numpy as np
    >>> from tdafeat import figures
    >>> from tdafeat.topology import persistence
    >>> circle = np.column_stack([np.cos(range(40)), np.sin(range(40))])
    >>> chart = figures.persistence_images(persistence(circle).table(), pixels=10)
    """
    diagrams = checked(diagrams, "diagrams", "birth", "death", "degree")
    if pixels < 2:
        raise ValueError(f"pixels must be at least 2; got {pixels}")
    words, frame = wording_of(diagrams), with_names(diagrams)
    frame = frame[(frame["degree"] == degree) & np.isfinite(frame["death"])]
    checked(frame, f"diagrams of degree {degree}")
    table = pd.concat([_images(own, pixels) for _, own in frame.groupby("space", sort=False)])
    order = levels(table)
    shared = alt.Chart().encode(
        x2="birth_to:Q",
        y2="lifetime_to:Q",
        color=alt.Color(
            "value:Q",
            title="share of the brightest pixel",
            scale=alt.Scale(scheme="viridis", domain=[0, 1]),
            legend=alt.Legend(orient="bottom", direction="horizontal", format=".0%", titleLimit=0),
        ),
        tooltip=[
            alt.Tooltip("level:N", title=words.level),
            alt.Tooltip("birth:Q", title="birth from", format=".4g"),
            alt.Tooltip("lifetime:Q", title="lifetime from", format=".4g"),
            alt.Tooltip("value:Q", format=".1%"),
        ],
    )
    side = min(150, 520 // max(1, len(order)))

    def row(part: pd.DataFrame, place: int) -> alt.FacetChart:
        panel = shared.mark_rect().encode(
            x=_axis("birth", part["birth"], part["birth_to"]),
            y=_axis("lifetime", part["lifetime"], part["lifetime_to"]),
        )
        data = embed(part.drop(columns=["space", "severity"]))
        panel = panel.properties(data=data, width=side, height=side, name=f"{PANEL}_{place}")
        panel = panel.properties(view=alt.ViewBackground(fill=LOWEST))  # no seams between pixels
        facet = level_facet(order, None if place else words.level)
        return only_shown(panel.facet(facet, columns=len(order)))

    return themed(by_space(table, row).add_params(level_menu(order, words.level)))


def _axis(name: str, low: pd.Series, high: pd.Series) -> Any:
    """One axis of the pixels, the same at every level."""
    scale = alt.Scale(domain=[float(low.min()), float(high.max())], nice=False, zero=False)
    channel = alt.X if name == "birth" else alt.Y
    return channel(f"{name}:Q", title=name, scale=scale, axis=alt.Axis(grid=False))


def _images(bars: pd.DataFrame, pixels: int) -> pd.DataFrame:
    """One feature space: a row for every pixel of every level, on common axes."""
    from tdafeat.topology import persistence_image

    lifetimes = bars["death"] - bars["birth"]
    births = np.linspace(bars["birth"].min(), _beyond(bars["birth"]), pixels + 1)
    rise = np.linspace(0, _beyond(lifetimes, 0.0), pixels + 1)
    if bars["birth"].min() == bars["birth"].max():
        births = births[[0, -1]]
        across = np.array([-np.inf, np.inf])
    else:
        across = births
    step = min(rise[1], births[1] - births[0]) if across is births else rise[1]
    images = {
        key: persistence_image(own[["birth", "death"]], across, rise, SPREAD * step)
        for key, own in bars.groupby(["space", "severity", "level"], sort=False)
    }
    brightest = max(image.max() for image in images.values()) or 1.0
    low, up = np.meshgrid(births[:-1], rise[:-1], indexing="ij")
    low_to, up_to = np.meshgrid(births[1:], rise[1:], indexing="ij")
    pixel = {"birth": low, "birth_to": low_to, "lifetime": up, "lifetime_to": up_to}
    places = {name: values.ravel() for name, values in pixel.items()}
    return pd.concat(
        pd.DataFrame({"space": space, "severity": severity, "level": level, **places}).assign(
            value=image.ravel() / brightest
        )
        for (space, severity, level), image in images.items()
    )


def _beyond(values: pd.Series, start: float | None = None) -> float:
    """An end of the axis a little beyond the largest value, and beyond its start."""
    first = float(values.min()) if start is None else start
    extent = float(values.max()) - first
    return first + (1.05 * extent or 1.0)
