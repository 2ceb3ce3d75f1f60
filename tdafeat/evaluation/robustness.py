"""An accuracy curve over noise severities in one number, three ways.

Severity is the ordinal level, 0 for clean; a noise's own parameter may fall as harm grows.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tdafeat.checks import as_array


def accuracy_area(severities: Any, accuracies: Any) -> float:
    """Mean height of the accuracy curve over severity, by the trapezoid rule.

    Parameters
    ----------
    severities : (L,) distinct levels in any order; accuracies : (L,) at those levels.

    Returns
    -------
    Area divided by the range of severities, between the lowest and the highest accuracy; the
    accuracy itself for a single level.

    Examples
    --------
    >>> accuracy_area([0, 1, 2], [0.9, 0.7, 0.3])
    0.65
    """
    x, y = _curve(severities, accuracies)
    if len(x) == 1:
        return float(y[0])
    return float(np.sum(np.diff(x) * (y[1:] + y[:-1]) / 2) / (x[-1] - x[0]))


def relative_accuracy(severities: Any, accuracies: Any) -> float:
    """Mean accuracy under noise over the clean accuracy; NaN where that is 0.

    Needs severity 0 and at least one other level.

    Examples
    --------
    >>> relative_accuracy([0, 1, 2], [0.8, 0.6, 0.2])
    0.5
    """
    x, y = _curve(severities, accuracies)
    if x[0] != 0 or len(x) < 2:
        raise ValueError("severities must hold 0 (clean) and at least one noisy level")
    return float(y[1:].mean() / y[0]) if y[0] > 0 else float("nan")


def half_severity(severities: Any, accuracies: Any, chance: float) -> float:
    """Severity at which the clean accuracy's excess over chance is first halved.

    Linear between levels; infinite where no level reaches it, NaN where the clean accuracy is at
    or below chance. Needs severity 0.

    Examples
    --------
    >>> half_severity([0, 1, 2], [0.9, 0.7, 0.3], chance=0.1)
    1.5
    """
    x, y = _curve(severities, accuracies)
    if x[0] != 0:
        raise ValueError("severities must hold 0 (clean)")
    if y[0] <= chance:
        return float("nan")
    target = chance + (y[0] - chance) / 2
    below = np.flatnonzero(y <= target)
    if not len(below):
        return float("inf")
    i = below[0]
    return float(x[i - 1] + (y[i - 1] - target) / (y[i - 1] - y[i]) * (x[i] - x[i - 1]))


def _curve(severities: Any, accuracies: Any) -> tuple[np.ndarray, np.ndarray]:
    x = as_array(severities, "severities", 1).astype(np.float64)
    y = as_array(accuracies, "accuracies", 1).astype(np.float64)
    if len(x) != len(y) or not len(x):
        raise ValueError(
            f"severities and accuracies must be equally long; got {len(x)} and {len(y)}"
        )
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ValueError("severities and accuracies must be finite")
    if len(np.unique(x)) < len(x):
        raise ValueError("severities must be distinct")
    order = np.argsort(x)
    return x[order], y[order]
