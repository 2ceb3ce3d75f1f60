"""PCA spectra by level."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd

from tdafeat.figures.encodings import level_colour, space_facet
from tdafeat.figures.frames import checked, embed, levels, with_names
from tdafeat.figures.linking import IS_SHOWN, hover_points, legend_filter, level_menu, opacity
from tdafeat.figures.theme import themed, wrapped
from tdafeat.wording import wording_of

BELOW = "2 - 12 * datum.up"  # where the exponent of a level stands, in pixels from the lower left
SMALLEST = 1e-7  # of the total variance; below it lies the rounding of float32 features
POWER = (  # powers of ten as 10 with its exponent raised
    "'10' + replace(join([substring('⁰¹²³⁴⁵⁶⁷⁸⁹', abs(k), abs(k) + 1)], ''), /^/, k < 0 ? '⁻' : '')"
).replace("k", "round(log(datum.value) / LN10)")


def spectra(spectra: pd.DataFrame) -> alt.TopLevelMixin:
    """Share of the variance by rank on logarithmic axes, a line for each level.

    Shares below 1e-7 are rounding and left out; of ranks above 30 a logarithmically even
    choice is drawn. The thin dashed line is the power law that gives the exponent α, written in
    the corner: fitted by least squares to the first half of the positive eigenvalues.

    Parameters
    ----------
    spectra : rows of ``rank`` (int, from 1) and ``value`` (float, an eigenvalue of the covariance,
        at least 0); those of whole clouds are drawn.

    Raises
    ------
    ValueError where a column is missing, or there is no spectrum of a whole cloud.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from tdafeat import figures
    >>> ranks = np.arange(1, 65)
    >>> chart = figures.spectra(pd.DataFrame({"rank": ranks, "value": ranks**-1.5}))
    """
    spectra = checked(spectra, "spectra", "rank", "value")
    words = wording_of(spectra)
    frame = with_names(spectra[spectra["scope"] == "all"])
    checked(frame, "spectra of the whole cloud")
    cell = ["space", "level", "seed"]
    frame = frame.assign(share=frame["value"] / frame.groupby(cell)["value"].transform("sum"))
    frame = pd.concat([_fitted(own) for _, own in frame.groupby(cell, sort=False)])
    last = int(frame["rank"].max())
    ranks = np.unique(np.round(np.geomspace(1, max(last, 2), 150)).astype(int))
    keep = (frame["share"] > SMALLEST) & ((frame["rank"] <= 30) | frame["rank"].isin(ranks))
    order = levels(frame)
    frame = frame.assign(up=[len(order) - order.index(level) for level in frame["level"]])
    frame = frame.loc[keep, ["space", "level", "rank", "share", "seed", "fit", "exponent", "up"]]
    picked = legend_filter("level")
    base = alt.Chart().encode(
        x=alt.X("rank:Q", title="rank of the eigenvalue", scale=alt.Scale(type="log", nice=False)),
        y=alt.Y(
            "share:Q",
            title="share of the variance",
            scale=alt.Scale(type="log"),
            axis=alt.Axis(labelExpr=POWER, tickCount=5),
        ),
        color=level_colour(order, words.level),
        detail="seed:N",
    )
    lines = base.encode(opacity=opacity(1, 0.1, IS_SHOWN, picked))
    tips = [
        alt.Tooltip("space:N", title="feature space"),
        alt.Tooltip("level:N", title=words.level),
        alt.Tooltip("rank:Q"),
        alt.Tooltip("share:Q", title="share of the variance", format=".3~%"),
        alt.Tooltip("exponent:Q", title="exponent of the power law", format=".2f"),
    ]
    layers = [
        lines.transform_filter("isValid(datum.fit)")
        .mark_line(strokeWidth=1, strokeDash=[4, 3])
        .encode(y="fit:Q"),
        lines.mark_line(strokeWidth=1.8).properties(name="lines").add_params(picked),
        hover_points(base, tips, 60),
        lines.transform_filter("datum.rank == 1 && isValid(datum.exponent)")
        .transform_calculate(text="'α ' + format(datum.exponent, '.2f')")
        .mark_text(align="left", fontSize=10, dy=alt.ExprRef(BELOW))
        .encode(x=alt.value(6), y=alt.value("height"), text="text:N"),
    ]
    panels = alt.layer(*layers, data=embed(frame))
    chart = wrapped(panels, space_facet(frame), frame["space"].nunique())
    return themed(chart.add_params(level_menu(order, words.level)))


def _fitted(spectrum: pd.DataFrame) -> pd.DataFrame:
    """One spectrum with its power law over the ranks it is fitted to."""
    positive = np.count_nonzero(spectrum["value"] > 0)
    within = (spectrum["rank"] <= max(3, positive // 2)) & (spectrum["value"] > 0)
    if within.sum() < 3:
        return spectrum.assign(fit=np.nan, exponent=np.nan)
    x, y = np.log(spectrum["rank"][within]), np.log(spectrum["share"][within])
    slope, height = np.polyfit(x, y, 1)
    line = np.exp(height + slope * np.log(spectrum["rank"]))
    return spectrum.assign(fit=line.where(within), exponent=-slope)
