"""Rank correlations of two (levels, units) tables, and what resampling the units says of them.

Everything is done for all draws at once: under unit weights the mid-rank of an entry is the
weight of the entries below it, which makes ranks one matrix product instead of a sort per draw.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.stats import norm
from scipy.stats import t as student

ADJUSTMENTS = ("within level", "pooled", "level-adjusted")
POOLED_STATUS = "no p-value: the noise level moves both"
MIN_DRAWS = 100  # fewer bootstrap draws with any variation give no interval


@dataclass(frozen=True)
class Association:
    """One correlation with its 95 % interval and p-value; NaN where `status` says why."""

    value: float = np.nan
    low: float = np.nan
    high: float = np.nan
    p: float = np.nan
    status: str = "ok"


def associate(
    x: np.ndarray,
    y: np.ndarray,
    min_units: int,
    n_boot: int,
    n_permutations: int,
    random_state: int,
) -> dict[str, Association]:
    """Correlations of two (levels, units) tables, by adjustment."""
    n_levels, n_units = x.shape
    reason = ""
    if n_levels == 0:
        reason = "metric and accuracy were measured at no common level"
    elif n_units < min_units:
        reason = f"{n_units} measured, at least {min_units} needed"
    elif (y == y.flat[0]).all() or (x == x.flat[0]).all():
        reason = "the metric or the accuracy is constant"
    if reason:
        return dict.fromkeys(ADJUSTMENTS, Association(status=f"not estimable: {reason}"))

    weights, permutations = _draws(n_units, n_boot, n_permutations, random_state)
    results = {}
    for adjustment, values in correlations(x, y, weights).items():
        if np.isnan(values[0]):
            status = "not estimable: the metric or the accuracy is constant within every level"
            results[adjustment] = Association(status=status)
            continue
        low, high = bootstrap_interval(values[0], values[1:], n_units)
        pooled = adjustment == "pooled"
        p = np.nan if pooled else permutation_p(x, y, adjustment, permutations)
        results[adjustment] = Association(
            float(values[0]), low, high, p, POOLED_STATUS if pooled else "ok"
        )
    return results


@lru_cache(maxsize=4)
def _draws(
    n_units: int, n_boot: int, n_permutations: int, random_state: int
) -> tuple[np.ndarray, np.ndarray]:
    """Unit weights (each once, then bootstrap) and permutations, the same for all metrics."""
    rng = np.random.default_rng([random_state, n_units])
    drawn = rng.multinomial(n_units, np.full(n_units, 1 / n_units), size=n_boot)
    permutations = rng.permuted(np.tile(np.arange(n_units), (n_permutations, 1)), axis=1)
    return np.concatenate([np.ones((1, n_units)), drawn]), permutations


def correlations(x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> dict[str, np.ndarray]:
    """The three correlations under each row of unit weights (draws, units): (draws,) each."""
    w = weights / weights.sum(axis=1, keepdims=True)
    at_level = _correlation(_level_ranks(x, weights), _level_ranks(y, weights), w)  # (L, draws)
    estimable = ~np.isnan(at_level)
    count = estimable.sum(axis=0)
    total = np.where(estimable, at_level, 0).sum(axis=0)
    within = np.where(count > 0, total / np.maximum(count, 1), np.nan)

    n_levels = len(x)
    rank_x, rank_y = _pooled_ranks(x, weights), _pooled_ranks(y, weights)  # (L, draws, units)
    everywhere = np.concatenate([w] * n_levels, axis=1) / n_levels
    pooled = _correlation(_rows(rank_x), _rows(rank_y), everywhere)
    residual_x, residual_y = (r - (w * r).sum(axis=-1, keepdims=True) for r in (rank_x, rank_y))
    adjusted = _correlation(_rows(residual_x), _rows(residual_y), everywhere)
    return dict(zip(ADJUSTMENTS, (within, pooled, adjusted), strict=True))


def _rows(ranks: np.ndarray) -> np.ndarray:
    """(L, draws, units) to (draws, L * units)."""
    return np.concatenate(list(ranks), axis=1)


def _order(x: np.ndarray, other: np.ndarray) -> np.ndarray:
    """1 where an entry of `x` (columns) exceeds one of `other` (rows), 1/2 where they tie."""
    return (other[:, None] < x) + 0.5 * (other[:, None] == x)


def _level_ranks(x: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Mid-ranks of the units at each level when unit i occurs weights[i] times: (L, draws, units).

    The rank of a unit is the weight of the units below it: one matrix product for all draws.
    """
    return np.stack([weights @ _order(row, row) for row in x])


def _pooled_ranks(x: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The same among all entries of all levels together."""
    return np.stack([weights @ sum(_order(row, other) for other in x) for row in x])


def _correlation(x: np.ndarray, y: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Weighted Pearson correlation along the last axis; NaN where either does not vary."""
    x = x - (w * x).sum(axis=-1, keepdims=True)
    y = y - (w * y).sum(axis=-1, keepdims=True)
    scale = np.sqrt((w * x * x).sum(axis=-1) * (w * y * y).sum(axis=-1))
    varies = scale > 1e-9  # ranks are multiples of 1/2
    return np.where(varies, (w * x * y).sum(axis=-1) / np.where(varies, scale, 1), np.nan)


def bootstrap_interval(value: float, draws: np.ndarray, n_units: int) -> tuple[float, float]:
    """95 % interval of a correlation from its bootstrap draws; NaN among them are left out.

    A normal interval on Fisher's z scale, its width from the draws and corrected for their
    missing degree of freedom. With 10 units it covers 93 to 98 % in simulations, where
    percentile and BCa intervals are too short.
    """
    draws = draws[~np.isnan(draws)]
    if len(draws) < MIN_DRAWS:
        return np.nan, np.nan
    # Fisher's z of 1 is infinite: cut off at the largest rank correlation below it
    largest = 1 - 12 / (n_units**3 - n_units)
    z = np.arctanh(np.clip(draws, -largest, largest))
    half = norm.ppf(0.975) * z.std(ddof=1) * np.sqrt(n_units / (n_units - 1))
    centre = np.arctanh(np.clip(value, -largest, largest))
    low, high = np.tanh([centre - half, centre + half])
    return float(min(low, value)), float(max(high, value))


def permutation_p(x: np.ndarray, y: np.ndarray, adjustment: str, permutations: np.ndarray) -> float:
    """Two-sided p of handing each unit's whole metric trajectory to another unit at random."""
    one = np.ones((1, x.shape[1]))
    ranks = _level_ranks if adjustment == "within level" else _pooled_ranks
    residuals = [
        r - r.mean(axis=1, keepdims=True) for r in (ranks(x, one)[:, 0], ranks(y, one)[:, 0])
    ]
    if adjustment == "within level":
        norms = [np.linalg.norm(r, axis=1, keepdims=True) for r in residuals]
        residuals = [r / np.where(n > 0, n, 1) for r, n in zip(residuals, norms, strict=True)]
    products = residuals[0].T @ residuals[1]  # metric of unit i with accuracy of unit j
    observed = abs(np.trace(products))
    drawn = np.abs(products[permutations, np.arange(x.shape[1])].sum(axis=1))
    reached = np.count_nonzero(drawn >= observed * (1 - 1e-12))
    return (1 + reached) / (1 + len(permutations))


def critical_correlation(n_units: int, alpha: float) -> float:
    """Rank correlation that a two-sided test at level `alpha` just rejects, by Student's t.

    Examples
    --------
    >>> round(critical_correlation(10, 0.05), 2)
    0.63
    """
    t = student.ppf(1 - alpha / 2, n_units - 2)
    return float(t / np.sqrt(n_units - 2 + t * t))


def holm(p: Sequence[float] | np.ndarray) -> np.ndarray:
    """Holm's step-down correction of p-values for their number; NaN stay NaN and do not count.

    References
    ----------
    Holm (1979), A simple sequentially rejective multiple test procedure.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03])
    array([0.03, 0.06, 0.06])
    """
    values = np.asarray(p, dtype=np.float64)
    adjusted = np.full(values.shape, np.nan)
    tested = np.flatnonzero(~np.isnan(values))
    order = tested[np.argsort(values[tested], kind="stable")]
    steps = np.arange(len(order), 0, -1) * values[order]
    adjusted[order] = np.minimum(1, np.maximum.accumulate(steps))
    return adjusted
