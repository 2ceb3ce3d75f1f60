"""Training curves."""

from __future__ import annotations

import altair as alt
import pandas as pd

from tdafeat.figures.encodings import NUMBERS
from tdafeat.figures.frames import checked, embed
from tdafeat.figures.linking import legend_filter, opacity
from tdafeat.figures.theme import COLOURS, themed, wrapped


def training(training: pd.DataFrame) -> alt.TopLevelMixin:
    """Quantities logged in training against the step, a panel for each, a line per variant.

    Several seeds are averaged.

    Parameters
    ----------
    training : rows of ``variant`` (str), ``step`` (int), ``quantity`` (str) and ``value`` (float).

    Raises
    ------
    ValueError where a column is missing, or no value is finite.

    Examples
    --------
    >>> import pandas as pd
    >>> from tdafeat import figures
    >>> losses = pd.DataFrame({"variant": "plain", "step": [0, 10, 20], "value": [2.0, 1.2, 0.9]})
    >>> chart = figures.training(losses.assign(quantity="loss"))
    """
    shown = ["variant", "step", "quantity", "value"]
    training = checked(training, "training", *shown)
    frame = checked(training[training["value"].abs().lt(float("inf"))], "training")
    frame = frame.assign(quantity=frame["quantity"].str.replace("_", " "))
    frame = frame.groupby(shown[:-1], sort=False)["value"].mean().reset_index()
    variants = frame["variant"].drop_duplicates().tolist()
    colours = [COLOURS[k % len(COLOURS)] for k in range(len(variants))]
    domain = alt.Scale(domain=variants, range=colours)
    top = alt.Legend(title="variant", orient="top", columns=3, labelLimit=260)
    legend = top if len(variants) > 1 else None
    picked = legend_filter("variant")
    base = alt.Chart().encode(
        x=alt.X("step:Q", title="step"),
        y=alt.Y("value:Q", title=None, scale=alt.Scale(zero=False), axis=NUMBERS),
        color=alt.Color("variant:N", scale=domain, legend=legend),
        opacity=opacity(1, 0.1, picked),
    )
    tips = [
        *(alt.Tooltip(f"{name}:N") for name in ("variant", "quantity")),
        *(alt.Tooltip(f"{name}:Q", format=".4g") for name in ("step", "value")),
    ]
    points = base.mark_point(size=18).encode(tooltip=tips).properties(name="points")
    layers = [base.mark_line(), points.add_params(picked)]
    panels = alt.layer(*layers, data=embed(frame[shown]))
    facet = alt.Facet("quantity:N", title=None, sort=None)
    return themed(wrapped(panels, facet, frame["quantity"].nunique(), own_scales=True))
