"""Spearman's, Pearson's and Kendall's correlation of two (levels, units) tables, by adjustment.

Noise moves every metric and every accuracy, so three questions are told apart:

- within level: the correlation at each level, averaged over the levels;
- level-adjusted: over all levels, the level itself taken out. Of ranks (Spearman) and values
  (Pearson) the mean of each level is subtracted; of Kendall's pairs only those of one level count;
- pooled: everything at once, for comparison.

All draws of a bootstrap are computed at once, as weights of the units: under weights the mid-rank
of an entry is the weight of the entries below it, one matrix product for all draws, and Kendall's
tau is a quadratic form in the weights.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

Method = Literal["spearman", "kendall", "pearson"]
METHODS: tuple[Method, ...] = ("spearman", "kendall", "pearson")  # the first is the primary one
ADJUSTMENTS = ("within level", "pooled", "level-adjusted")


def correlations(
    x: np.ndarray, y: np.ndarray, weights: np.ndarray, method: Method = "spearman"
) -> dict[str, np.ndarray]:
    """The three correlations under each row of unit weights, by adjustment.

    Parameters
    ----------
    x, y : (levels, units), finite.
    weights : (draws, units), how often each unit occurs.
    method : ``"spearman"``, ``"kendall"`` (tau-b) or ``"pearson"``.

    Returns
    -------
    (draws,) each, in [-1, 1]; NaN where either side does not vary.

    Examples
    --------
    >>> x = np.array([[1.0, 2, 3, 4], [5, 6, 7, 8]])
    >>> found = correlations(x, x[::-1] ** 2, np.ones((1, 4)), "kendall")
    >>> {name: round(float(value[0]), 2) for name, value in found.items()}
    {'within level': 1.0, 'pooled': -0.14, 'level-adjusted': 1.0}
    """
    if method == "kendall":
        return _kendall(x, y, weights)
    w = weights / weights.sum(axis=1, keepdims=True)
    at_level = _correlation(level_scores(x, weights, method), level_scores(y, weights, method), w)
    everywhere = np.concatenate([w] * len(x), axis=1) / len(x)
    of_x, of_y = (pooled_scores(z, weights, method) for z in (x, y))  # (L, draws, units)
    pooled = _correlation(_rows(of_x), _rows(of_y), everywhere)
    of_x, of_y = (scores - (w * scores).sum(axis=-1, keepdims=True) for scores in (of_x, of_y))
    adjusted = _correlation(_rows(of_x), _rows(of_y), everywhere)
    return dict(zip(ADJUSTMENTS, (mean_over_levels(at_level), pooled, adjusted), strict=True))


def mean_over_levels(at_level: np.ndarray) -> np.ndarray:
    """Mean along the first axis of what is not NaN; NaN where all are.

    Examples
    --------
    >>> mean_over_levels(np.array([[0.5, np.nan], [np.nan, np.nan], [0.7, np.nan]]))
    array([0.6, nan])
    """
    known = ~np.isnan(at_level)
    count = known.sum(axis=0)
    total = np.where(known, at_level, 0).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def level_scores(x: np.ndarray, weights: np.ndarray, method: Method) -> np.ndarray:
    """What is correlated at each level, (L, draws, units): mid-ranks, or values of spread 1.

    The rank of a unit is the weight of the units below it: one matrix product for all draws.
    """
    if method == "spearman":
        return np.stack([weights @ _order(row, row) for row in x])
    scaled = np.stack([_standardised(row) for row in x])
    return np.broadcast_to(scaled[:, None], (len(x), *weights.shape))


def pooled_scores(x: np.ndarray, weights: np.ndarray, method: Method) -> np.ndarray:
    """The same among all entries of all levels together."""
    if method == "spearman":
        return np.stack([weights @ sum(_order(row, other) for other in x) for row in x])
    scaled = _standardised(x)
    return np.broadcast_to(scaled[:, None], (len(x), *weights.shape))


def signs(x: np.ndarray) -> np.ndarray:
    """1, 0 or -1 for every pair of units at each level: (levels, units, units)."""
    first, second = x[:, :, None], x[:, None, :]
    return (first > second).astype(np.float64) - (first < second)  # differences could overflow


def _order(x: np.ndarray, other: np.ndarray) -> np.ndarray:
    """1 where an entry of `x` (columns) exceeds one of `other` (rows), 1/2 where they tie."""
    return (other[:, None] < x) + 0.5 * (other[:, None] == x)


def _standardised(x: np.ndarray) -> np.ndarray:
    """Mean 0 and spread 1; all 0 where nothing varies."""
    largest = np.abs(x).max()
    centred = x / largest if largest > 0 else x
    centred = centred - centred.mean()
    spread = centred.std()
    return centred / spread if spread > 1e-12 else np.zeros_like(centred)


def _rows(scores: np.ndarray) -> np.ndarray:
    """(L, draws, units) to (draws, L * units)."""
    return np.concatenate(list(scores), axis=1)


def _correlation(x: np.ndarray, y: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Weighted Pearson correlation along the last axis; NaN where either does not vary."""
    x = x - (w * x).sum(axis=-1, keepdims=True)
    y = y - (w * y).sum(axis=-1, keepdims=True)
    scale = np.sqrt((w * x * x).sum(axis=-1) * (w * y * y).sum(axis=-1))
    varies = scale > 1e-9  # ranks are multiples of 1/2, values have spread 1
    return np.where(varies, (w * x * y).sum(axis=-1) / np.where(varies, scale, 1), np.nan)


def _kendall(x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> dict[str, np.ndarray]:
    """Kendall's tau-b: a unit drawn twice ties with itself, which the diagonal of 0 says."""
    of_x, of_y = signs(x), signs(y)
    agree, untied_x, untied_y = (
        np.stack([_form(part, weights) for part in table])
        for table in (of_x * of_y, np.abs(of_x), np.abs(of_y))
    )
    n_levels, n_units = x.shape
    every_x, every_y = signs(x.reshape(1, -1))[0], signs(y.reshape(1, -1))[0]
    shape = n_levels, n_units, n_levels, n_units
    everywhere = (
        _form(table.reshape(shape).sum(axis=(0, 2)), weights)
        for table in (every_x * every_y, np.abs(every_x), np.abs(every_y))
    )
    return {
        "within level": mean_over_levels(_tau(agree, untied_x, untied_y)),
        "pooled": _tau(*everywhere),
        "level-adjusted": _tau(agree.sum(axis=0), untied_x.sum(axis=0), untied_y.sum(axis=0)),
    }


def _form(table: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The quadratic form of a (units, units) table in each row of weights."""
    return ((weights @ table) * weights).sum(axis=1)


def _tau(agreement: np.ndarray, untied_x: np.ndarray, untied_y: np.ndarray) -> np.ndarray:
    scale = np.sqrt(untied_x * untied_y)
    varies = scale > 1e-9
    return np.where(varies, agreement / np.where(varies, scale, 1), np.nan)
