"""How well a metric of clean features predicts what noise costs an unseen class or encoder."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from tdafeat.scaling import in_units
from tdafeat.statistics.coefficients import correlations
from tdafeat.statistics.corrections import corrected
from tdafeat.statistics.resampling import draws
from tdafeat.statistics.units import (
    GROUP,
    Unit,
    candidates,
    compares_with_clean,
    trajectories,
    units_of,
)
from tdafeat.wording import TRAINING

MIN_PREDICTED = 5  # units: each is predicted from a line through four others at least
PREDICTION_COLUMNS = [
    *(*GROUP, "metric", "scope_unit", "r2", "rho", "error", "error_of_mean"),
    *("p", "p_holm", "p_bh", "n", "status"),
]


def prediction(
    metrics: pd.DataFrame,
    primary: str,
    unit: Unit = "class",
    n_permutations: int = 9999,
    random_state: int = 0,
) -> pd.DataFrame:
    """Predict the accuracy drop of each class or encoder from the others, by one clean metric.

    The drop is clean accuracy less its mean over the noisy levels. A straight line through all
    other units' clean values predicts the unit left out, and is compared with predicting their
    mean drop.

    Parameters
    ----------
    metrics, primary, unit : as `associations` takes them.
    n_permutations, random_state : draws behind the p-values, and their seed.

    Returns
    -------
    One row per group and metric. ``r2`` is 1 less the ratio of the two squared errors: 1 is
    perfect, 0 no better than the mean, negative worse. ``rho`` is Spearman's correlation of
    predicted and true drops, which falls below 0 where there is nothing to predict; ``error`` and
    ``error_of_mean`` are root mean squared errors in accuracy. ``p`` is the share of
    permutations of the drops whose r2 is as large; ``p_holm`` and ``p_bh`` correct it for all
    metrics of the group. The primary accuracy itself stands among the metrics as the reference
    a metric has to beat, and is not counted by the corrections. ``status`` says why a row could
    not be estimated: fewer than 5 units with finite values, or no noise, or no variation, or a
    single unit that decides the line. Empty without noise; the steps of a training are no noise.

    Notes
    -----
    Clean accuracy enters the drop, so its own sampling error makes the two go together a little;
    a metric measured on the same test images may share that.

    Examples
    --------
    >>> rows = [
    ...     dict(dataset="d", encoder="e", layer="l", noise="gaussian", severity=s, scope=f"c{c}",
    ...          metric=m, value=value)
    ...     for s in (0, 1) for c in range(8)
    ...     for m, value in (("accuracy", 0.9 - 0.05 * c * s), ("spread", c + (c == 3)))
    ... ]
    >>> found = prediction(pd.DataFrame(rows), primary="accuracy").set_index("metric")
    >>> found.loc["spread", ["r2", "rho"]].round(2).tolist()
    [0.98, 0.98]
    """
    rows: list[dict[str, Any]] = []
    for units in units_of(metrics, primary, unit):
        severities = units.mean.index.unique("severity")
        if severities.max() == 0 or 0 not in severities or units.key["noise"] == TRAINING:
            continue
        clean = units.mean[units.mean.index.get_level_values("severity") == 0]
        names = [n for n in candidates(units.mean, primary) if not compares_with_clean(n)]
        for name in [*names, primary]:
            x, y = _clean_and_drop(clean, units.mean, name, primary)
            about = {**units.key, "metric": name, "scope_unit": unit, "n": len(y)}
            rows.append(about | _row(x, y, n_permutations, random_state))
    table = pd.DataFrame(rows, columns=PREDICTION_COLUMNS)
    reference = table["metric"] == primary
    counted = corrected(table.assign(p=table["p"].mask(reference)), GROUP)
    return counted.assign(p=table["p"])


def _clean_and_drop(
    clean: pd.DataFrame, values: pd.DataFrame, name: str, primary: str
) -> tuple[np.ndarray, np.ndarray]:
    """The metric on clean features and the accuracy drop, on units that have both: (units,)."""
    known, levels, units = trajectories(clean, name)
    (accuracy,), levels, with_accuracy = trajectories(values, primary)
    both = units.intersection(with_accuracy, sort=False)
    if not len(both) or not known.shape[1] or 0 not in levels or len(levels) < 2:
        return np.empty(0), np.empty(0)
    return known[0, 0, units.get_indexer(both)], drop(accuracy[:, with_accuracy.get_indexer(both)])


def drop(accuracy: np.ndarray) -> np.ndarray:
    """Clean accuracy less its mean over the noisy levels: (levels, units) to (units,).

    Examples
    --------
    >>> drop(np.array([[0.9, 0.8], [0.7, 0.8], [0.5, 0.2]])).round(2)
    array([0.3, 0.3])
    """
    return accuracy[0] - accuracy[1:].mean(axis=0)


def _row(x: np.ndarray, y: np.ndarray, n_permutations: int, random_state: int) -> dict[str, Any]:
    reason = ""
    if len(y) < MIN_PREDICTED:
        reason = f"{len(y)} with finite values, at least {MIN_PREDICTED} needed"
    elif (x == x[0]).all() or (y == y[0]).all():
        reason = "the metric or the accuracy drop is constant"
    elif np.isnan(left_out(x[:, None], y)).any():
        reason = "one unit alone decides the line"
    if reason:
        return {"status": f"not estimable: {reason}"}
    _, permutations = draws(len(y), 1, n_permutations, random_state)
    predicted = left_out(x[:, None], y)
    error, of_mean = _squared_error(predicted, y), _squared_error(left_out(None, y), y)
    drawn = y[permutations]
    reached = np.count_nonzero(_squared_error(left_out(x[:, None], drawn), drawn) <= error + 1e-15)
    ranked = correlations(predicted[None], y[None], np.ones((1, len(y))))["within level"][0]
    return {
        "r2": float(1 - error / of_mean),
        "rho": float(ranked),
        "error": float(np.sqrt(error)),
        "error_of_mean": float(np.sqrt(of_mean)),
        "p": (1 + reached) / (1 + n_permutations),
        "status": "ok",
    }


def left_out(x: np.ndarray | None, y: np.ndarray) -> np.ndarray:
    """Each unit as a least-squares line through all others predicts it.

    Parameters
    ----------
    x : (units, predictors), or None to predict the mean of the others.
    y : (..., units), one or many outcomes.

    Returns
    -------
    (..., units); NaN where a unit alone decides a coefficient, so that nothing predicts it.

    References
    ----------
    Allen (1974), The relationship between variable selection and data augmentation: the residual
    of a unit left out is its residual divided by one minus its leverage.

    Examples
    --------
    >>> left_out(None, np.array([0.0, 3, 6]))
    array([4.5, 3. , 1.5])
    >>> left_out(np.arange(4.0)[:, None], 2 * np.arange(4.0) + 1).round(9)
    array([1., 3., 5., 7.])
    """
    n_units = y.shape[-1]
    ones = np.full((n_units, 1), 1 / np.sqrt(n_units))
    if x is None:
        basis = ones
    else:
        x = in_units(x, axis=0)
        # what is left of a constant by rounding is no direction
        basis = np.hstack([ones, basis_of(np.where(np.ptp(x, axis=0) > 0, x - x.mean(axis=0), 0))])
    rest = 1 - np.square(basis).sum(axis=1)
    residual = y - (y @ basis) @ basis.T
    predictable = rest > 1e-9
    return np.where(predictable, y - residual / np.where(predictable, rest, 1), np.nan)


def basis_of(columns: np.ndarray) -> np.ndarray:
    """Orthonormal basis of the span of centred columns, (units, rank)."""
    lengths = np.linalg.norm(columns, axis=0)
    u, s, _ = np.linalg.svd(columns[:, lengths > 0] / lengths[lengths > 0], full_matrices=False)
    return u[:, s > 1e-9]


def _squared_error(predicted: np.ndarray, true: np.ndarray) -> np.ndarray:
    return np.square(predicted - true).mean(axis=-1)
