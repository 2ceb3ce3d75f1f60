"""Metrics against severity in small multiples; the distances from clean to noisy among them."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping, Sequence

import altair as alt
import pandas as pd

from tdafeat.figures.encodings import NUMBERS, severity_axis, space_colour, space_shape
from tdafeat.figures.frames import checked, embed, levels, with_names
from tdafeat.figures.linking import legend_filter, level_menu, level_rule, opacity
from tdafeat.figures.theme import themed, wrapped
from tdafeat.wording import wording_of

DISTANCES = ("wasserstein", "bottleneck")
LINE = 32  # characters of a title above a panel


def curves(
    metrics: pd.DataFrame,
    names: Sequence[str] | None = None,
    titles: Mapping[str, str] | None = None,
) -> alt.TopLevelMixin:
    """Metrics of the whole cloud against severity, a panel for each, a line for each space.

    Parameters
    ----------
    metrics : rows of ``metric`` (str) and ``value`` (float, in the metric's own units); several
        seeds are averaged. A column ``nothing`` (float), where there is one, is drawn as a dashed
        line beside the value.
    names : the metrics to draw, in this order; all of them if None.
    titles : what stands above a panel, by metric; its name if left out.

    Raises
    ------
    ValueError where a column is missing, or the metrics have no value for the whole cloud.

    Examples
    --------
    >>> import pandas as pd
    >>> from tdafeat import figures
    >>> koleo = pd.DataFrame({"metric": "koleo", "severity": [0, 1, 2], "value": [1.0, 1.4, 1.9]})
    >>> chart = figures.curves(koleo, titles={"koleo": "KoLeo"})
    """
    metrics = checked(metrics, "metrics", "metric", "value")
    words = wording_of(metrics)
    rows = metrics[(metrics["scope"] == "all") & metrics["value"].abs().lt(float("inf"))]
    names = list(rows["metric"].drop_duplicates() if names is None else names)
    rows = rows[rows["metric"].isin(names)]
    rows = with_names(checked(rows, "metrics of the whole cloud"))
    known = {name: _lines((titles or {}).get(name, name.replace("_", " "))) for name in names}
    rows = rows.assign(title=rows["metric"].map(known))
    keys = ["title", "space", "severity", "level"]
    drawn = [column for column in ("value", "nothing") if column in rows]
    rows = rows.groupby(keys, sort=False)[drawn].mean().reset_index()
    x = severity_axis(rows, words)
    base = alt.Chart().encode(
        x=x,
        y=alt.Y("value:Q", title=None, scale=alt.Scale(zero=False), axis=NUMBERS),
    )
    tips = [
        alt.Tooltip("title:N", title="metric"),
        alt.Tooltip("space:N", title="feature space"),
        alt.Tooltip("level:N", title=words.level),
        alt.Tooltip("value:Q", format=".4g"),
    ]
    picked = legend_filter("space")
    lines = base.encode(color=space_colour(rows), opacity=opacity(1, 0.1, picked))
    points = lines.mark_point().encode(shape=space_shape(rows), tooltip=tips)
    points = points.properties(name="points").add_params(picked)
    layers = [level_rule(x), lines.mark_line(), points]
    if "nothing" in drawn:
        y = alt.Y("nothing:Q", title=None, scale=alt.Scale(zero=False), axis=NUMBERS)
        layers.append(lines.encode(y=y).mark_line(strokeDash=[4, 4], strokeWidth=1.5))
    panels = alt.layer(*layers, data=embed(rows))
    order = [known[name] for name in names]
    header = alt.Header(labelExpr="split(datum.label, '\\n')", labelLineHeight=14)
    facet = alt.Facet("title:N", title=None, sort=order, header=header)
    chart = wrapped(panels, facet, len(names), own_scales=True)
    return themed(chart.add_params(level_menu(levels(rows), words.level)))


def distances(metrics: pd.DataFrame, titles: Mapping[str, str] | None = None) -> alt.TopLevelMixin:
    """Wasserstein and bottleneck distances from the clean to the noisy diagrams.

    Severity 0 is left out: there the distance is zero by definition.

    Parameters
    ----------
    metrics : rows of ``metric`` (str, those that begin with ``wasserstein`` or ``bottleneck`` are
        drawn), ``value`` (float, at least 0, in units of the features) and ``severity`` (int).
    titles : as `curves` takes them.

    Raises
    ------
    ValueError where a column is missing, or no level but the clean one has a distance.

    Examples
    --------
    >>> import pandas as pd
    >>> from tdafeat import figures
    >>> far = pd.DataFrame({"metric": "wasserstein_h0", "severity": [1, 2], "value": [3.0, 5.0]})
    >>> chart = figures.distances(far)
    """
    metrics = checked(metrics, "metrics", "metric", "value", "severity")
    names = [n for n in metrics["metric"].drop_duplicates() if n.startswith(DISTANCES)]
    noisy = checked(metrics[metrics["severity"] > 0], "metrics of severity 1 and above")
    return curves(noisy, sorted(names), titles)


def _lines(title: str) -> str:
    """A long title in two lines of about the same length; an arrow stays with its word."""
    title = re.sub(" (?=[↑↓])", "\u00a0", title)
    return "\n".join(textwrap.wrap(title, max(LINE, len(title) // 2 + 4), max_lines=2))
