"""What a topological metric adds to simpler ones that are measured anyway."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import norm

from tdafeat.statistics.coefficients import correlations, level_scores, mean_over_levels
from tdafeat.statistics.corrections import corrected
from tdafeat.statistics.prediction import basis_of, drop, left_out
from tdafeat.statistics.resampling import bootstrap_interval, draws
from tdafeat.statistics.units import GROUP, MIN_UNITS, Unit, candidates, trajectories, units_of
from tdafeat.wording import TRAINING

BEYOND: dict[str, tuple[str, ...]] = {
    "displacement": ("displacement",),
    "spread": ("total_variance",),
}
ADDED_COLUMNS = [
    *(*GROUP, "metric", "beyond", "scope_unit", "alone", "shared", "value", "low", "high"),
    *("p", "p_holm", "p_bh", "r2_beyond", "r2_both", "n", "status"),
]


def added_value(
    metrics: pd.DataFrame,
    primary: str,
    unit: Unit = "class",
    of: Sequence[str] | None = None,
    beyond: Mapping[str, Sequence[str]] = BEYOND,
    n_boot: int = 1000,
    n_permutations: int = 9999,
    random_state: int = 0,
) -> pd.DataFrame:
    """Whether a metric still goes with accuracy once simpler metrics are taken out of both.

    Parameters
    ----------
    metrics, primary, unit, n_boot, n_permutations, random_state : as `associations` takes them.
    of : the metrics in question; all topological ones if None. A feature space that lacks one, or
        a metric of a set of `beyond`, has no row of it.
    beyond : names of sets of simple metrics, and the one or two metrics in each: by default how far
        noise moves the features (``displacement``), and the total variance of a class (``spread``).

    Returns
    -------
    One row per group, metric and set. ``alone`` is the metric's Spearman correlation with
    accuracy within levels; ``shared`` the part of its rank variance that the simple metrics
    explain, in [0, 1]; ``value`` the partial correlation, the simple metrics regressed out of both
    at each level, averaged over levels, of ranks put as quantiles of the normal distribution;
    ``low`` and ``high`` bound it by a 95 % cluster bootstrap. ``p`` is from permuting residuals of
    whole trajectories (Freedman and Lane), once of these ranks and once of the values themselves,
    and the larger of the two; ``p_holm`` and ``p_bh`` correct it for all metrics of group and set.
    ``r2_beyond`` is
    how well the simple metrics predict the accuracy drop of a class or encoder left out (see
    `prediction`; here their means over the noisy levels), ``r2_both`` with the metric added.
    ``status`` says why a row could not be estimated. Trainings are left out.

    Notes
    -----
    A simple metric is taken out completely only where metric and accuracy depend on it along a
    straight line. Ranks of few units bend that line, and values may be bent by nature; the larger
    p holds where either is straight. In simulations of 10 and 20 units with one and two simple
    metrics that drive both, 4 % of p-values or fewer fell below 0.05. Where two drive nearly all of
    a metric and of accuracy along curves, as of log-normal values, half and more did: see
    ``shared``. The correlation and its interval, of ranks alone, are drawn towards what the simple
    metrics do to both.

    Raises
    ------
    ValueError for a set of `beyond` of none or of more than two names, for one asked for in `of` or
    `beyond` of which the table has no row, and as of `associations`.

    References
    ----------
    Freedman and Lane (1983), A nonstochastic interpretation of reported significance levels.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> simple, other = rng.normal(size=(2, 30))
    >>> columns = {"accuracy": simple + other, "loops": other, "size": simple}
    >>> rows = [
    ...     dict(dataset="d", encoder="e", layer="l", noise="gaussian", severity=s, scope=f"c{c}",
    ...          metric=m, value=v - s * (m == "accuracy"))
    ...     for s in (0, 1) for m, values in columns.items() for c, v in enumerate(values)
    ... ]
    >>> found = added_value(pd.DataFrame(rows), "accuracy", of=["loops"], beyond={"s": ["size"]})
    >>> found[["alone", "value", "p_holm"]].round(2).to_numpy().tolist()
    [[0.62, 0.96, 0.0]]
    """
    for title, simple in beyond.items():
        if isinstance(simple, str) or len(simple) not in (1, 2) or len(set(simple)) < len(simple):
            raise ValueError(
                f"beyond must hold one or two names of metrics for {title!r}; got {simple!r}"
            )
    if isinstance(of, str):
        raise ValueError(f"of must be a list of names of metrics; got {of!r}")
    all_units = list(units_of(metrics, primary, unit))
    named = () if beyond == BEYOND else [name for simple in beyond.values() for name in simple]
    if missing := {*(of or ()), *named} - set(metrics["metric"]):
        raise ValueError(f"metrics must hold what of and beyond name; it has no {min(missing)!r}")
    rows: list[dict[str, Any]] = []
    for units in all_units:
        if units.key["noise"] == TRAINING:
            continue
        present = candidates(units.mean, primary)
        names = _topological(present) if of is None else [n for n in of if n in present]
        for title, simple in beyond.items():
            if not set(simple) <= set(present):
                continue
            for name in names:
                if name in simple:
                    continue
                tables, levels, which = trajectories(units.mean, name, primary, *simple)
                clean = levels[:1] == [0]
                drops = drop(tables[1]) if clean and len(levels) > 1 else None
                if drops is None:
                    drops = _drops(units.mean, primary, which)
                about = {"metric": name, "beyond": title, "scope_unit": unit, "n": len(which)}
                noisy = tables[:, 1:] if clean else tables
                rows.append(
                    {**units.key, **about}
                    | _partial(tables, MIN_UNITS[unit], n_boot, n_permutations, random_state)
                    | _gain(noisy, drops)
                )
    return corrected(pd.DataFrame(rows, columns=ADDED_COLUMNS), [*GROUP, "beyond"])


def _topological(names: Sequence[str]) -> list[str]:
    from tdafeat.record import metrics

    return [name for name in names if name in metrics and metrics[name].room == "topology"]


def _drops(values: pd.DataFrame, primary: str, which: pd.Index) -> np.ndarray | None:
    """The accuracy drop of these units, where clean and noisy accuracy are known."""
    (accuracy,), levels, units = trajectories(values, primary)
    if levels[:1] != [0] or len(levels) < 2 or not which.isin(units).all():
        return None
    return drop(accuracy[:, units.get_indexer(which)])


def _partial(
    tables: np.ndarray, min_units: int, n_boot: int, n_permutations: int, random_state: int
) -> dict[str, Any]:
    """The partial correlation of table 0 with table 1 given the others, (tables, levels, units)."""
    n_tables, n_levels, n_units = tables.shape
    reason = ""
    if n_levels == 0:
        reason = "metric, accuracy and simple metrics have finite values at no common level"
    elif n_units < min_units + n_tables - 2:
        reason = f"{n_units} with finite values, at least {min_units + n_tables - 2} needed"
    if reason:
        return {"status": f"not estimable: {reason}"}
    weights, permutations = draws(n_units, n_boot, n_permutations, random_state)
    values = partial_correlation(tables, weights)
    if np.isnan(values[0]):
        reason = "nothing is left once the simple metrics are taken out"
        return {"status": f"not estimable: {reason}"}
    low, high = bootstrap_interval(float(values[0]), values[1:], n_units, n_covariates=n_tables - 2)
    ranks = _ranks(tables)
    left, whole = (np.square(part[0]).sum(axis=1) for part in (_residuals(ranks), ranks))
    varies = whole > 1e-9  # a level at which the metric is constant has nothing to share
    explained = 1 - left[varies] / whole[varies]
    alone = correlations(tables[0], tables[1], np.ones((1, n_units)))["within level"][0]
    return {
        "alone": float(alone),
        "shared": float(explained.clip(0, 1).mean()),
        "value": float(values[0]),
        "low": low,
        "high": high,
        "p": partial_p(tables, permutations),
        "status": "ok",
    }


def partial_correlation(tables: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Partial rank correlation of the first two tables given the rest, averaged over levels.

    Parameters
    ----------
    tables : (2 + covariates, levels, units).
    weights : (draws, units), how often each unit occurs.

    Returns
    -------
    (draws,), in [-1, 1]; NaN where a covariate leaves nothing at any level.

    Examples
    --------
    >>> x, y, z = np.array([[1.0, 2, 3, 4, 5]]), np.array([[2.0, 1, 3, 5, 4]]), np.eye(1, 5)
    >>> partial_correlation(np.stack([x, y, z]), np.ones((1, 5))).round(3)
    array([0.741])
    """
    w = weights / weights.sum(axis=1, keepdims=True)
    ranks = np.stack([_normal_scores(table, weights) for table in tables])
    ranks = ranks - (w * ranks).sum(axis=-1, keepdims=True)  # (tables, levels, draws, units)
    products = np.einsum("ilbn,jlbn->lbij", ranks * w, ranks, optimize=True)
    spread = np.sqrt(np.diagonal(products, axis1=-2, axis2=-1))
    scale = spread[..., :, None] * spread[..., None, :]
    matrix = products / np.where(scale > 1e-9, scale, 1)
    regular = (spread > 1e-5).all(axis=-1) & (np.abs(np.linalg.det(matrix)) > 1e-9)
    matrix[~regular] = np.eye(len(tables))
    inverse = np.linalg.inv(matrix)
    value = -inverse[..., 0, 1] / np.sqrt(inverse[..., 0, 0] * inverse[..., 1, 1])
    return mean_over_levels(np.where(regular, value, np.nan))


def partial_p(tables: np.ndarray, permutations: np.ndarray) -> float:
    """Two-sided p of what metric and accuracy share beyond the covariates, at every level alike.

    The larger of two, of ranks and of values: where one of them is straight in the covariates and
    the other bends, only the other finds what is left of these in both.

    Parameters
    ----------
    tables : (2 + covariates, levels, units): metric, accuracy, and what is taken out of them.
    permutations : (draws, units).
    """
    return max(_permuted(scores, permutations) for scores in (_ranks(tables), _values(tables)))


def _permuted(scores: np.ndarray, permutations: np.ndarray) -> float:
    """Two-sided p of the partial correlation of scores, permuting residuals of the accuracy.

    The residuals of whole trajectories are handed from unit to unit, and the covariates are taken
    out once more: by Freedman and Lane, close to exact, where no exact test exists.
    """
    of_x, of_y = _residuals(scores)
    bases = [basis_of(covariates.T) for covariates in scores[2:].swapaxes(0, 1)]
    orders = np.concatenate([np.arange(scores.shape[2])[None], permutations])
    statistic = np.zeros(len(orders))
    for x, y, basis in zip(of_x, of_y, bases, strict=True):
        drawn = y[orders]
        drawn = drawn - (drawn @ basis) @ basis.T
        length = np.linalg.norm(drawn, axis=1) * np.linalg.norm(x)
        varies = length > 1e-9
        statistic += np.where(varies, drawn @ x / np.where(varies, length, 1), 0)
    statistic = np.abs(statistic)
    reached = np.count_nonzero(statistic[1:] >= statistic[0] - 1e-12)
    return (1 + reached) / (1 + len(permutations))


def _normal_scores(table: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Mid-ranks at each level as quantiles of the normal distribution: (levels, draws, units).

    Ranks themselves would leave residuals that shrink towards both ends, in metric and accuracy
    alike, and a test of them that finds too much.
    """
    n_units = table.shape[1]
    share = level_scores(table, weights, "spearman") / n_units
    return norm.ppf(share.clip(0.25 / n_units, 1 - 0.25 / n_units))


def _ranks(tables: np.ndarray) -> np.ndarray:
    """Centred normal scores at each level, (tables, levels, units)."""
    one = np.ones((1, tables.shape[2]))
    ranks = np.stack([_normal_scores(table, one)[:, 0] for table in tables])
    return ranks - ranks.mean(axis=-1, keepdims=True)


def _values(tables: np.ndarray) -> np.ndarray:
    """Values at each level, centred and of spread 1, (tables, levels, units)."""
    one = np.ones((1, tables.shape[2]))
    return np.stack([level_scores(table, one, "pearson")[:, 0] for table in tables])


def _residuals(scores: np.ndarray) -> np.ndarray:
    """Scores of metric and accuracy less what the covariates explain: (2, levels, units)."""
    left = np.empty_like(scores[:2])
    for level in range(scores.shape[1]):
        basis = basis_of(scores[2:, level].T)
        left[:, level] = scores[:2, level] - (scores[:2, level] @ basis) @ basis.T
    return left


def _gain(noisy: np.ndarray, drops: np.ndarray | None) -> dict[str, float]:
    """Out-of-sample r2 of the drop by the simple metrics, and by them and the metric."""
    n_predictors = len(noisy) - 1
    known = drops is not None and noisy.shape[1] > 0  # a level but the clean one has all metrics
    if drops is None or not known or len(drops) < n_predictors + 4 or np.ptp(drops) == 0:
        return {}
    means = noisy.mean(axis=1)  # (tables, units)
    of_mean = np.square(left_out(None, drops) - drops).mean()

    def r2(predictors: np.ndarray) -> float:
        return float(1 - np.square(left_out(predictors.T, drops) - drops).mean() / of_mean)

    return {"r2_beyond": r2(means[2:]), "r2_both": r2(np.vstack([means[2:], means[:1]]))}
