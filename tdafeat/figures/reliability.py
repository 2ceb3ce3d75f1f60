"""Reliability diagrams: how often predictions are right, by how sure they were."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from tdafeat.figures.encodings import level_colour, space_facet
from tdafeat.figures.frames import checked, embed, levels, with_names
from tdafeat.figures.linking import IS_SHOWN, level_menu, opacity
from tdafeat.figures.theme import INK, themed, wrapped
from tdafeat.wording import wording_of


def reliability(
    predictions: pd.DataFrame, method: str = "probe", n_bins: int = 10
) -> alt.TopLevelMixin:
    """Accuracy by confidence: a panel for each feature space, a line for each level.

    The area of a point is the number of predictions in its bin, the vertical line the Wilson 95 %
    interval of their accuracy. On the dashed diagonal probabilities mean what they say; below it
    the predictor is surer than it is right.

    Parameters
    ----------
    predictions : a row for each image, of ``method`` (str), ``label`` and ``prediction`` (str) and
        ``confidence`` (float, from 0 to 1: the probability of what was predicted), of one seed.
    method : a predictor whose scores are probabilities: ``"probe"``, ``"knn"`` or ``"head"``.
    n_bins : intervals of confidence of equal width; those without predictions are left out.

    Raises
    ------
    ValueError where a column is missing, or no prediction of the method has a confidence.

    Examples
    --------
    >>> import pandas as pd
    >>> from tdafeat import figures
    >>> said = pd.DataFrame({"label": list("aabb"), "prediction": list("abbb"), "method": "probe"})
    >>> chart = figures.reliability(said.assign(confidence=[0.9, 0.6, 0.7, 0.95]), n_bins=5)
    """
    from tdafeat.evaluation import reliability as binned

    columns = ("method", "confidence", "prediction", "label")
    predictions = checked(predictions, "predictions", *columns)
    kept = (predictions["method"] == method) & predictions["confidence"].notna()
    rows = checked(predictions[kept], f"predictions of {method} with a confidence")
    words, rows = wording_of(rows), with_names(rows)
    parts = []
    for (space, severity, level), own in rows.groupby(["space", "severity", "level"], sort=False):
        bins = binned(own["confidence"], own["prediction"] == own["label"], n_bins)
        about: dict[str, Any] = {"space": space, "severity": severity, "level": level}
        parts.append(bins[bins["n"] > 0].assign(**about))
    table = pd.concat(parts, ignore_index=True)
    order = levels(table)
    share = alt.Scale(domain=[0, 1])
    axis = alt.Axis(format="%", tickCount=5)
    base = alt.Chart().encode(
        x=alt.X("confidence:Q", title="confidence", scale=share, axis=axis),
        y=alt.Y("accuracy:Q", title="accuracy", scale=share, axis=axis),
        color=level_colour(order, words.level),
        opacity=opacity(0.85, 0.08, IS_SHOWN),
    )
    tips = [
        alt.Tooltip("level:N", title=words.level),
        alt.Tooltip("n:Q", title="predictions"),
        alt.Tooltip("confidence:Q", title="mean confidence", format=".1%"),
        alt.Tooltip("accuracy:Q", title="accuracy", format=".1%"),
        alt.Tooltip("accuracy_low:Q", title="95 % from", format=".1%"),
        alt.Tooltip("accuracy_high:Q", title="to", format=".1%"),
    ]
    area = alt.Size(
        "n:Q",
        title="predictions in the bin",
        scale=alt.Scale(domain=[0, int(table["n"].max())], range=[0, 220]),
        legend=alt.Legend(
            orient="top",
            values=_counts(int(table["n"].max())),
            symbolFillColor=INK,
            symbolStrokeWidth=0,
        ),
    )
    ends = alt.Chart(embed(pd.DataFrame({"confidence": [0, 1], "accuracy": [0, 1]})))
    panel = alt.layer(
        ends.mark_line(color=INK, opacity=0.4, strokeDash=[4, 4], strokeWidth=1).encode(
            x="confidence:Q", y="accuracy:Q"
        ),
        base.mark_rule(strokeWidth=1).encode(y="accuracy_low:Q", y2="accuracy_high:Q"),
        base.mark_line(strokeWidth=1.4),
        base.mark_point().encode(size=area, tooltip=tips),
        data=embed(table),
    )
    chart = wrapped(panel, space_facet(table), table["space"].nunique(), square=True)
    return themed(chart.add_params(level_menu(order, words.level)))


def _counts(most: int) -> list[int]:
    """Round numbers of predictions for the legend, up to the most of any bin."""
    steps = [k * 10**e for e in range(12) for k in (1, 2, 5)]
    fitting = [step for step in steps if step <= most]
    return fitting[-5::2] if len(fitting) > 2 else fitting
