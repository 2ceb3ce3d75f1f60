"""Which metric goes with accuracy, and whether more than the noise level itself says so.

Noise lowers accuracy and moves every metric, so over all rows of a study nearly everything
correlates. Three rank correlations are therefore reported side by side:

- within level: Spearman's correlation at each noise level, averaged over the levels;
- level-adjusted: all levels ranked together, the mean rank of each level taken out;
- pooled: all levels ranked together, for comparison.

The unit is the class within an encoder (or the encoder within a data set), with its whole
trajectory over the levels: bootstrap and permutation move units, never single rows.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, Literal

import numpy as np
import pandas as pd

from tdafeat.resampling import ADJUSTMENTS, associate, critical_correlation, holm
from tdafeat.wording import Wording, wording, wording_of

MIN_UNITS = {"class": 5, "encoder": 4}


def associations(
    metrics: pd.DataFrame,
    primary: str,
    unit: Literal["class", "encoder"] = "class",
    n_boot: int = 1000,
    n_permutations: int = 9999,
    random_state: int = 0,
) -> pd.DataFrame:
    """Rank correlation of every metric with the primary accuracy, over classes or encoders.

    Parameters
    ----------
    metrics : a run's metric table, with columns dataset, encoder, layer, noise, severity, scope
        (``"all"`` or a class), metric and value. Rows that differ in seed are averaged first.
    primary : name of the accuracy the study declared beforehand.
    unit : ``"class"``: over the classes of each encoder; ``"encoder"``: over the encoders of each
        data set, on the rows of scope ``"all"``.
    n_boot, n_permutations : draws behind the intervals and the p-values.
    random_state : seed of both.

    Returns
    -------
    One row per group, metric and adjustment; without noise there is nothing to adjust for, and
    ``"within level"`` stands alone. ``value`` lies in [-1, 1]; ``low`` and ``high``
    bound it by a 95 % cluster bootstrap; ``p`` is two-sided, from permuting whole trajectories,
    and valid whatever the distributions; ``p_holm`` corrects it for all metrics of the group and
    adjustment (family-wise). Pooled values have no p: no permutation of units can separate the
    metric from the level. ``n`` counts units. What cannot be estimated is NaN, and ``status`` says
    why: fewer than 5 classes (4 encoders), or no variation. Metrics of the evaluation room are
    left out, since they are accuracies themselves; those that compare with clean are read under
    noise only, where they are not zero by construction.

    Raises
    ------
    ValueError if a column is missing or the primary accuracy is nowhere in the table.

    Examples
    --------
    >>> rows = [
    ...     dict(dataset="d", encoder="e", layer="l", noise="gaussian", severity=s, scope=f"c{c}",
    ...          metric=m, value=sign * c - s)
    ...     for s in (0, 1) for c in range(8) for m, sign in (("accuracy", 1), ("spread", -1))
    ... ]
    >>> table = associations(pd.DataFrame(rows), primary="accuracy")
    >>> table[["metric", "adjustment", "value", "n"]].round(3)
       metric      adjustment  value  n
    0  spread    within level -1.000  8
    1  spread          pooled -0.915  8
    2  spread  level-adjusted -0.999  8
    """
    if unit not in MIN_UNITS:
        raise ValueError(f"unit must be 'class' or 'encoder'; got {unit!r}")
    rows = []
    for key, values in _groups(metrics, primary, unit):
        several = len(values.index.unique("severity")) > 1  # else all three are the same
        for name in _candidates(values, primary):
            trajectories = _trajectories(values, name, primary)
            found = associate(*trajectories, MIN_UNITS[unit], n_boot, n_permutations, random_state)
            n_units = trajectories[0].shape[1]
            about = {"metric": name, "scope_unit": unit, "method": "spearman", "n": n_units}
            for adjustment in ADJUSTMENTS if several else ADJUSTMENTS[:1]:
                rows.append(key | about | {"adjustment": adjustment} | asdict(found[adjustment]))
    table = pd.DataFrame(rows, columns=COLUMNS)
    family = ["dataset", "encoder", "layer", "noise", "adjustment"]
    if not table.empty:
        by_family = table.groupby(family, sort=False, dropna=False)["p"]
        table["p_holm"] = by_family.transform(lambda p: holm(p.to_numpy()))
    return table


COLUMNS = [
    *("dataset", "encoder", "layer", "noise", "metric", "scope_unit", "method", "adjustment"),
    *("value", "low", "high", "p", "p_holm", "n", "status"),
]


def _groups(
    metrics: pd.DataFrame, primary: str, unit: str
) -> Iterator[tuple[dict[str, Any], pd.DataFrame]]:
    """Each group's coordinates, and its values as a table of (metric, severity) by unit."""
    needed = ["dataset", "encoder", "layer", "noise", "severity", "scope", "metric", "value"]
    missing = [column for column in needed if column not in metrics]
    if missing:
        raise ValueError(f"metrics must have the columns {needed}; missing: {missing}")
    if primary not in set(metrics["metric"]):
        raise ValueError(f"the primary accuracy {primary!r} is not in the metric table")
    if unit == "class":
        rows = metrics[metrics["scope"] != "all"]
        by, unit_columns = ["dataset", "encoder", "layer", "noise"], ["scope"]
    else:
        rows = metrics[metrics["scope"] == "all"]
        by, unit_columns = ["dataset", "noise"], ["encoder", "layer"]
    for key, group in rows.groupby(by, sort=False, dropna=False):
        mean = group.groupby(["metric", "severity", *unit_columns], sort=False)["value"].mean()
        coordinates = {"encoder": "all", "layer": "all"} | dict(zip(by, key, strict=True))
        yield coordinates, mean.unstack(unit_columns)  # noqa: PD010


def _candidates(values: pd.DataFrame, primary: str) -> list[str]:
    from tdafeat.record import metrics

    return [
        name
        for name in values.index.unique("metric")
        if name != primary and not (name in metrics and metrics[name].room == "evaluation")
    ]


def _trajectories(values: pd.DataFrame, name: str, primary: str) -> tuple[np.ndarray, np.ndarray]:
    """Metric and accuracy as (levels, units), on levels and units where both were measured."""
    from tdafeat.record import metrics

    x = values.loc[name]
    y = values.loc[primary] if primary in values.index.unique("metric") else x.iloc[:0]
    compares = name in metrics and metrics[name].compares_with_clean
    x, y = x.dropna(how="all"), y.dropna(how="all")
    levels = x.index.intersection(y.index)
    if compares:
        levels = levels[levels > 0]
    x, y = x.loc[levels], y.loc[levels]
    complete = x.notna().all() & y.notna().all()
    return x.loc[:, complete].to_numpy(float), y.loc[:, complete].to_numpy(float)


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


def verdict(associations: pd.DataFrame, primary: str, alpha: float = 0.05) -> list[str]:
    """What the associations say, in sentences a reader can quote.

    Parameters
    ----------
    associations : the table that `associations` returns; may be empty.
    primary : the accuracy it was made for.
    alpha : family-wise error rate that Holm's correction is held to.

    Returns
    -------
    A paragraph per encoder: which metrics go with accuracy within noise levels, with effect sizes,
    intervals and corrected p-values, or that there is no evidence and how strong a correlation
    would have had to be; how many stand after adjusting for the level; and what pooling does.

    Examples
    --------
    >>> verdict(pd.DataFrame(), "probe_accuracy")
    ['Nothing was measured per class, so no metric can be related to linear probe accuracy.']
    """
    outcome = _title(primary)
    if associations.empty:
        return [f"Nothing was measured per class, so no metric can be related to {outcome}."]
    sentences = []
    group = ["dataset", "encoder", "layer", "noise"]
    words = wording_of(associations)
    for (dataset, encoder, layer, noise), rows in associations.groupby(
        group, sort=False, dropna=False
    ):
        space = "across encoders" if encoder == layer == "all" else f"{encoder} ({layer})"
        subject = f"{space} on {dataset}{f', {noise}' * bool(noise)}"
        told = " ".join(_group_verdict(rows, outcome, alpha, words))
        sentences.append(f"{subject}: {told}")
    n_encoders = associations["encoder"].nunique()
    if (associations["scope_unit"] == "class").all() and n_encoders < MIN_UNITS["encoder"]:
        sentences.append(
            f"Across encoders nothing is estimable: {n_encoders} measured, and at least "
            f"{MIN_UNITS['encoder']} are needed."
        )
    return sentences


def _group_verdict(rows: pd.DataFrame, outcome: str, alpha: float, words: Wording) -> list[str]:
    by = {name: rows[rows["adjustment"] == name] for name in ADJUSTMENTS}
    tested = by["within level"].dropna(subset=["p_holm"])
    if tested.empty:
        return [f"{rows['status'].iloc[0]}."]
    tested = tested.sort_values("value", key=np.abs, ascending=False, kind="stable")
    found = tested[tested["p_holm"] <= alpha]
    n_units, units = int(tested["n"].max()), UNIT_NAMES[str(tested["scope_unit"].iloc[0])]
    field = f"{len(tested)} metrics" if len(tested) > 1 else "the one metric"
    several = not by["pooled"].empty  # noise levels
    if found.empty:
        smallest_p = 2 / math.factorial(n_units)  # only two orders are as extreme as a perfect one
        bound = critical_correlation(n_units, alpha / len(tested))
        power = (
            f"To stand out of so many, a correlation would have had to pass about {bound:.2f}."
            if smallest_p * len(tested) <= alpha
            else "With so few of them and so many metrics, not even a perfect one would stand out."
        )
        first = (
            f"no evidence that any of {field} goes with {outcome} over the {n_units} {units}"
            f"{f' at a fixed {words.fixed}' * several}; the strongest is "
            f"{_effect(tested.iloc[0])}. {power}"
        )
    else:
        shown = "; ".join(_effect(row) for _, row in found.head(LISTED).iterrows())
        more = f"; and {len(found) - LISTED} more" if len(found) > LISTED else ""
        first = (
            f"{f'at a fixed {words.fixed}, ' * several}{len(found)} of {field} "
            f"{_go(len(found))} with {outcome} over the {n_units} {units} after Holm's correction"
            f"{_topological(tested, found)}: {shown}{more}."
        )
    if not several:
        return [first]
    adjusted = by["level-adjusted"].dropna(subset=["p_holm"])
    stand = int((adjusted["p_holm"] <= alpha).sum())
    second = f"Adjusted for the level instead, {stand} of {len(adjusted)} {_go(stand)} with it."
    within, pooled = (by[name]["value"].abs().median() for name in ("within level", "pooled"))
    sizes = f"median |rho| {pooled:.2f} pooled, {within:.2f} within levels"
    third = (
        f"Pooling the {words.fixed}s makes metrics look stronger ({sizes}) because the level moves "
        "both; the difference is no evidence about the metric."
        if pooled > within
        else f"Pooling the {words.fixed}s does not make metrics look stronger ({sizes})."
    )
    return [first, second, third]


UNIT_NAMES = {"class": "classes", "encoder": "encoders"}
LISTED = 5  # metrics named in one sentence


def _effect(row: pd.Series) -> str:
    title = wording(row["noise"]).titled(_title(row["metric"]))
    return (
        f"{title} (rho {row['value']:+.2f}, 95 % interval {row['low']:+.2f} to "
        f"{row['high']:+.2f}, corrected p {row['p_holm']:.3g})"
    )


def _go(count: int) -> str:
    return "goes" if count == 1 else "go"


def _topological(tested: pd.DataFrame, found: pd.DataFrame) -> str:
    """How many of the metrics found are topological, where any such was tested."""
    from tdafeat.record import metrics

    among_tested, among_found = (
        sum(name in metrics and metrics[name].room == "topology" for name in rows["metric"])
        for rows in (tested, found)
    )
    return f", {among_found or 'none'} of them topological" if among_tested else ""


def _title(name: str) -> str:
    from tdafeat.record import metrics

    return metrics[name].title if name in metrics else name
