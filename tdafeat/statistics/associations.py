"""Which metric goes with accuracy: the table of correlations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from tdafeat.statistics.coefficients import ADJUSTMENTS, METHODS, Method, correlations
from tdafeat.statistics.corrections import corrected
from tdafeat.statistics.power import detectable_correlation
from tdafeat.statistics.resampling import Association, associate
from tdafeat.statistics.units import (
    GROUP,
    MIN_UNITS,
    Unit,
    Units,
    candidates,
    trajectories,
    units_of,
)

COLUMNS = [
    *(*GROUP, "metric", "scope_unit", "method", "adjustment", "value", "low", "high", "p"),
    *("p_holm", "p_bh", "n", "detectable", "seed_sd", "n_seeds", "status"),
]


def associations(
    metrics: pd.DataFrame,
    primary: str,
    unit: Unit = "class",
    n_boot: int = 1000,
    n_permutations: int = 9999,
    random_state: int = 0,
) -> pd.DataFrame:
    """Correlation of every metric with the primary accuracy, over classes or encoders.

    Parameters
    ----------
    metrics : a run's metric table, with columns dataset, encoder, layer, noise, severity, scope
        (``"all"`` or a class), metric and value, and seed if there are several.
    primary : name of the accuracy the study declared beforehand.
    unit : ``"class"``: over the classes of each encoder; ``"encoder"``: over the encoders of each
        data set, on the rows of scope ``"all"``.
    n_boot, n_permutations : draws behind the intervals and the p-values.
    random_state : seed of both.

    Returns
    -------
    One row per group, metric, method and adjustment; without noise there is nothing to adjust
    for, and ``"within level"`` stands alone. ``method`` ``"spearman"`` is the primary one;
    ``"kendall"`` and ``"pearson"`` are there to check that nothing hangs on that choice.
    ``value`` lies in [-1, 1] and is computed from the mean over seeds; ``low`` and ``high`` bound
    it by a 95 % cluster bootstrap; ``p`` is two-sided, from permuting whole trajectories, and
    valid whatever the distributions. Both are corrected for all metrics of the group, adjustment
    and method: ``p_holm`` bounds the chance of any false discovery, ``p_bh`` the share of false
    ones among the discoveries. Pooled values have no p: no permutation of units can separate the
    metric from the level. ``n`` counts units. ``detectable`` is the smallest correlation that
    would have been found with a power of 80 % after Holm's correction (`detectable_correlation`).
    ``seed_sd`` is the standard deviation, over ``n_seeds`` seeds, of the correlation at each of
    them alone. NaN and infinite values count as not measured: the units and levels at which metric
    and accuracy are both finite stand for all, and ``n`` says of how many units they are. What
    cannot be estimated is NaN, and ``status`` says why: fewer than 5 classes (4 encoders) with
    finite values, or no variation. Metrics of the evaluation room are left out, since they are
    accuracies themselves; those that compare with clean are read under noise only, where they are
    not zero by construction.

    Raises
    ------
    ValueError if a column is missing, a severity is negative or NaN, or the primary accuracy is
    nowhere in the table; TypeError for severities or values that are no numbers.

    Examples
    --------
    >>> rows = [
    ...     dict(dataset="d", encoder="e", layer="l", noise="gaussian", severity=s, scope=f"c{c}",
    ...          metric=m, value=sign * c - s)
    ...     for s in (0, 1) for c in range(8) for m, sign in (("accuracy", 1), ("spread", -1))
    ... ]
    >>> table = associations(pd.DataFrame(rows), primary="accuracy")
    >>> table.loc[table["method"] == "spearman", ["metric", "adjustment", "value", "n"]].round(3)
       metric      adjustment  value  n
    0  spread    within level -1.000  8
    1  spread          pooled -0.915  8
    2  spread  level-adjusted -0.999  8
    """
    rows: list[dict[str, Any]] = []
    for units in units_of(metrics, primary, unit):
        several = len(units.mean.index.unique("severity")) > 1  # else all three are the same
        kept = ADJUSTMENTS if several else ADJUSTMENTS[:1]
        for name, n_units, found in _of_group(
            units, primary, MIN_UNITS[unit], n_boot, n_permutations, random_state
        ):
            spreads = _seed_spread(units, name, primary)
            for (method, adjustment), result in found.items():
                if adjustment in kept:
                    about = {"metric": name, "scope_unit": unit, "n": n_units}
                    kind = {"method": method, "adjustment": adjustment}
                    spread = spreads.get((method, adjustment), np.nan)
                    seeds = {"seed_sd": spread, "n_seeds": len(units.by_seed)}
                    rows.append({**units.key, **about, **kind, **asdict(result), **seeds})
    table = corrected(pd.DataFrame(rows, columns=COLUMNS), [*GROUP, "method", "adjustment"])
    return table.assign(detectable=_detectable(table, n_permutations))


def _of_group(
    units: Units,
    primary: str,
    min_units: int,
    n_boot: int,
    n_permutations: int,
    random_state: int,
) -> Iterator[tuple[str, int, dict[tuple[Method, str], Association]]]:
    """Each metric with its number of units and its correlations.

    Those measured on the same levels and units share the work that concerns the accuracy.
    """
    alike: dict[Any, list[str]] = {}
    tables: dict[str, np.ndarray] = {}
    for name in candidates(units.mean, primary):
        tables[name], levels, which = trajectories(units.mean, name, primary)
        alike.setdefault((tuple(levels), tuple(which)), []).append(name)
    found: dict[str, dict[tuple[Method, str], Association]] = {}
    for names in alike.values():
        xs, y = np.stack([tables[name][0] for name in names]), tables[names[0]][1]
        parts = associate(xs, y, min_units, n_boot, n_permutations, random_state)
        found.update(zip(names, parts, strict=True))
    for name, table in tables.items():
        yield name, table.shape[-1], found[name]


def _seed_spread(units: Units, name: str, primary: str) -> dict[tuple[Method, str], float]:
    """Standard deviation over the seeds of the correlation at each of them alone."""
    if len(units.by_seed) < 2:
        return {}
    values: dict[tuple[Method, str], list[float]] = {}
    for table in units.by_seed:
        if not {name, primary} <= set(table.index.unique("metric")):
            continue
        (x, y), levels, which = trajectories(table, name, primary)
        if not levels or not len(which):
            continue
        for method in METHODS:
            for adjustment, found in correlations(x, y, np.ones((1, x.shape[1])), method).items():
                values.setdefault((method, adjustment), []).append(float(found[0]))
    return {kind: float(np.std(seeds, ddof=1)) for kind, seeds in values.items() if len(seeds) > 1}


def _detectable(table: pd.DataFrame, n_permutations: int) -> pd.Series:
    """The smallest correlation each row's test would have found, among those of its family."""
    family = [*GROUP, "method", "adjustment"]
    if table.empty:
        return pd.Series(dtype=float)
    tested = table.groupby(family, sort=False, dropna=False)["p"].transform("count")
    return pd.Series(
        [
            np.nan
            if np.isnan(p)
            else detectable_correlation(
                int(n), int(m), method=method, n_permutations=n_permutations
            )
            for n, m, method, p in zip(table["n"], tested, table["method"], table["p"], strict=True)
        ],
        index=table.index,
    )
