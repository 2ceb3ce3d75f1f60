"""The guide to every metric, made from the metric records: what a study measures, and what of."""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Iterator

from tdafeat.record import Metric, metrics

ROOMS = {
    "topology": "Persistent homology of the cloud and of each class.",
    "geometry": "Subspaces, spectra, uniformity, collapse, dimension and similarity.",
    "evaluation": "How well the classes can be told, found and clustered. These are outcomes: no "
    "correlation with accuracy is computed for them.",
}
SCOPES = {"all": "the whole cloud", "class": "each class"}
INTRODUCTION = """# Guide to the metrics

Every metric that a study measures, as its record in the code states it. A metric is measured
wherever a cell has the fields it needs; `tdafeat list metrics` prints the same list, with those of
other packages that are installed.

An invariance is a promise that the tests keep: the value stays as it is when the features are
rotated, scaled, shifted or reordered."""


def guide() -> str:
    """The page, in Markdown."""
    parts = [INTRODUCTION]
    for room, about in ROOMS.items():
        parts.append(f"## {room.capitalize()}\n\n{about}")
        parts += [_entry(metric) for _, metric in sorted(metrics.items()) if metric.room == room]
    return "\n\n".join(parts) + "\n"


def _entry(metric: Metric) -> str:
    lines = [f"### {metric.title[:1].upper()}{metric.title[1:]}", _definition(metric)]
    return "\n\n".join([*lines, "\n".join(f"- {fact}" for fact in _facts(metric))])


def _definition(metric: Metric) -> str:
    """What its docstring says before the first section."""
    text = inspect.cleandoc(metric.function.__doc__ or "")
    return re.split(r"\n\n\w+\n---+\n", text)[0]


def _facts(metric: Metric) -> Iterator[str]:
    yield f"in the tables: `{metric.name}`"
    low, high = metric.range
    if math.isfinite(low) or math.isfinite(high):
        yield f"range: {_bound(low)} to {_bound(high)}"
    if metric.better:
        yield f"{metric.better} is better"
    if metric.unit:
        yield f"unit: {metric.unit}"
    scopes = " and ".join(SCOPES[scope] for scope in metric.scopes)
    what = "each pair of classes" if metric.shape == "pairs" else scopes
    yield f"measured of {what}, from {', '.join(f'`{need}`' for need in metric.needs)}"
    if metric.invariant:
        yield f"invariant under {', '.join(sorted(metric.invariant))}"
    yield f"source: {metric.source}"


def _bound(value: float) -> str:
    return f"{value:.4g}" if math.isfinite(value) else ("∞" if value > 0 else "−∞")
