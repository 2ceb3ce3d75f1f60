"""From a run's metric table to units: the class within an encoder, the encoder within a data set.

A unit carries its whole trajectory over the levels of noise; its rows are never taken apart.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

Unit = Literal["class", "encoder"]
UNITS: tuple[Unit, ...] = ("class", "encoder")
MIN_UNITS = {"class": 5, "encoder": 4}
GROUP = ["dataset", "encoder", "layer", "noise"]  # columns of one group of units


@dataclass(frozen=True)
class Units:
    """The units of one group.

    Attributes
    ----------
    key : the group's coordinates; encoder and layer read ``"all"`` where encoders are the units.
    mean : values averaged over seeds, indexed by (metric, severity), a column for each unit.
    by_seed : the same of each seed alone.
    """

    key: dict[str, Any]
    mean: pd.DataFrame
    by_seed: tuple[pd.DataFrame, ...]


def units_of(metrics: pd.DataFrame, primary: str, unit: Unit) -> Iterator[Units]:
    """The groups of a run's metric table.

    Parameters
    ----------
    metrics : columns dataset, encoder, layer, noise, severity, scope, metric, value; rows of
        several seeds are told apart by the column seed, where there is one. Severities are numbers,
        0 where clean, whole or not; values that are not finite count as not measured.
    primary : the accuracy, which must be in the table.
    unit : what a unit is.

    Raises
    ------
    TypeError for severities or values that are no numbers; ValueError for another unit, a missing
    column, a severity that is negative or NaN, or a primary accuracy that is not in the table.
    """
    if unit not in MIN_UNITS:
        raise ValueError(f"unit must be 'class' or 'encoder'; got {unit!r}")
    needed = [*GROUP, "severity", "scope", "metric", "value"]
    missing = [column for column in needed if column not in metrics]
    if missing:
        raise ValueError(f"metrics must have the columns {needed}; missing: {missing}")
    for column in ("severity", "value"):
        try:
            numbers = pd.to_numeric(metrics[column])  # None, where a frame holds it, is NaN
        except (TypeError, ValueError):
            raise TypeError(
                f"metrics must hold numbers in the column {column!r}; got {metrics[column].dtype}"
            ) from None
        metrics = metrics.assign(**{column: numbers})
    known = metrics["severity"] >= 0
    if not known.all():
        wrong = metrics.loc[~known, "severity"].iloc[0]
        raise ValueError(f"metrics must have severities of at least 0, which is clean; got {wrong}")
    if primary not in set(metrics["metric"]):
        raise ValueError(f"the primary accuracy {primary!r} is not in the metric table")
    metrics = metrics.assign(value=metrics["value"].where(np.isfinite(metrics["value"])))
    if unit == "class":
        rows, by, columns = metrics[metrics["scope"] != "all"], GROUP, ["scope"]
    else:
        rows, by = metrics[metrics["scope"] == "all"], ["dataset", "noise"]
        columns = ["encoder", "layer"]
    for key, group in rows.groupby(by, sort=False, dropna=False):
        seeds = [part for _, part in group.groupby("seed", sort=False)] if "seed" in group else []
        index = ["metric", "severity", *columns]
        means = [part.groupby(index, sort=False)["value"].mean() for part in (group, *seeds)]
        tables = [mean.unstack(columns) for mean in means]  # noqa: PD010
        coordinates = {"encoder": "all", "layer": "all"} | dict(zip(by, key, strict=True))
        yield Units(coordinates, tables[0], tuple(tables[1:] or tables))


def candidates(values: pd.DataFrame, primary: str) -> list[str]:
    """Metrics that may go with the accuracy: all but those that are accuracies themselves."""
    from tdafeat.record import metrics

    return [
        name
        for name in values.index.unique("metric")
        if name != primary and not (name in metrics and metrics[name].room == "evaluation")
    ]


def compares_with_clean(name: str) -> bool:
    """Whether a metric relates noisy to clean features, and so is constant at severity 0."""
    from tdafeat.record import metrics

    return name in metrics and metrics[name].compares_with_clean


def trajectories(values: pd.DataFrame, *names: str) -> tuple[np.ndarray, list[float], pd.Index]:
    """Metrics on the levels and units at which all of them have finite values.

    Returns
    -------
    (metrics, levels, units) float64, the severities, and the units. Severity 0 is left out where
    one of the metrics compares with clean.

    Examples
    --------
    >>> index = pd.MultiIndex.from_tuples([("m", 0), ("m", 1), ("a", 1)])
    >>> values = pd.DataFrame([[1.0, 2.0], [3.0, 4.0], [0.5, np.nan]], index, ["x", "y"])
    >>> found, levels, units = trajectories(values, "m", "a")
    >>> found.tolist(), levels, list(units)
    ([[[3.0]], [[0.5]]], [1], ['x'])
    """
    metric = values.index.get_level_values(0).to_numpy()
    severity = values.index.get_level_values(1).tolist()
    table = values.to_numpy(float)
    finite = np.isfinite(table)
    measured = finite.any(axis=1)
    rows = [
        {severity[row]: row for row in np.flatnonzero((metric == name) & measured)}
        for name in names
    ]
    levels = sorted(set.intersection(*map(set, rows)))
    if any(compares_with_clean(name) for name in names):
        levels = [level for level in levels if level > 0]
    chosen = np.array([[own[level] for level in levels] for own in rows], int)
    complete = finite[chosen].all(axis=(0, 1))
    return table[chosen][:, :, complete], levels, values.columns[complete]


def per_class(pairs: pd.DataFrame) -> pd.DataFrame:
    """A run's table of class pairs as rows of its metric table: each class's mean over the others.

    Parameters
    ----------
    pairs : columns scope and scope_b (two classes, each pair once), metric, value, and the
        cell's coordinates.

    Returns
    -------
    The same columns without scope_b, one row per class and metric; NaN pairs are left out.

    Examples
    --------
    >>> pairs = pd.DataFrame({"scope": ["a", "a", "b"], "scope_b": ["b", "c", "c"],
    ...                       "metric": "class_angle_mean", "value": [1.0, 2.0, 4.0]})
    >>> per_class(pairs)[["scope", "value"]]
      scope  value
    0     a    1.5
    1     b    2.5
    2     c    3.0
    """
    swapped = pairs.assign(scope=pairs["scope_b"])
    both = pd.concat([pairs, swapped], ignore_index=True).drop(columns="scope_b")
    keys = [column for column in both if column != "value"]
    return both.groupby(keys, sort=False, dropna=False)["value"].mean().reset_index()
