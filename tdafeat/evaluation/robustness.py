"""An accuracy curve over noise severities in one number, three ways, and how sure each is.

Severity is the ordinal level, 0 for clean; a noise's own parameter may fall as harm grows.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from tdafeat.checks import as_array, as_count, as_names, as_number
from tdafeat.record import Estimate

CHUNK = 100  # resamples averaged at a time
UNDEFINED = 0.025  # share of resamples without a value above which there is no interval


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
    return float(_area(x, y))


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
    return float(_relative(y))


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
    _check_chance(chance)
    return float(_half(x, y, chance))


def robustness(
    correct: Any,
    severities: Any,
    chance: float,
    images: Any = None,
    n_boot: int = 1000,
    random_state: int = 0,
) -> dict[str, Estimate]:
    """The three summaries of one predictor, each with a 95 % interval by resampling test images.

    An image is drawn with its outcomes at every severity, because they belong together: what is
    hard at one level is hard at the next. The same number of images and `random_state` give the
    same draws, so that predictors asked about the same images are resampled alike.

    Parameters
    ----------
    correct : (n, L), whether each sample was predicted rightly at each severity.
    severities : (L,) distinct levels, in the order of the columns; 0 and at least one other.
    chance : accuracy of guessing, in [0, 1).
    images : (n,) which image each row is of, by name or whole number, where several are of one,
        such as patch tokens: they are drawn together. Each row is one of its own by default.
    n_boot : resamples.
    random_state : of the draws.

    Returns
    -------
    ``accuracy_area``, ``half_severity`` and ``relative_accuracy``, as the functions of these
    names give them. The interval is the bootstrap's percentile one, its tails cut for small
    samples as Student's t is wider than the normal. It is NaN where the value is, where more than
    2.5 % of the resamples have no value, and where all images fared alike: resampling then has
    nothing to say.

    Raises
    ------
    ValueError if shapes do not fit, an outcome is not 0 or 1, severity 0 or another is missing,
    or chance is not in [0, 1).

    References
    ----------
    Efron, Tibshirani (1993), An introduction to the bootstrap; Hesterberg (2015), What teachers
    should know about the bootstrap.

    Examples
    --------
    >>> outcomes = [[1, 1, 0]] * 20 + [[1, 0, 0]] * 20 + [[1, 1, 1]] * 10
    >>> found = robustness(outcomes, [0, 1, 2], chance=0.1)["accuracy_area"]
    >>> round(found.value, 2), round(found.low, 2), round(found.high, 2)
    (0.6, 0.52, 0.69)
    """
    x, sums, sizes = _outcomes(correct, severities, images)
    _check_chance(chance)
    as_count(n_boot, "n_boot")
    as_count(random_state, "random_state", least=0)
    whole = sums.sum(axis=0) / sizes.sum()
    drawn = _resampled(sums, sizes, n_boot, random_state)
    curves = np.vstack([whole, drawn])
    found = {
        "accuracy_area": _area(x, curves),
        "half_severity": _half(x, curves, chance),
        "relative_accuracy": _relative(curves),
    }
    return {name: _estimate(v[0], v[1:], len(sums)) for name, v in found.items()}


def _outcomes(correct: Any, severities: Any, images: Any) -> tuple[np.ndarray, ...]:
    """Severities ascending, (images, L) numbers of right rows, and (images,) of all rows."""
    table = as_array(correct, "correct", 2).astype(np.float64)
    if not table.size or not np.isin(table, (0, 1)).all():
        raise ValueError(
            f"correct must hold True or False (1 or 0), at least one; got shape {table.shape}"
        )
    x, order = _levels(severities)
    if len(x) != table.shape[1]:
        raise ValueError(
            f"severities must have one entry per column of correct, {table.shape[1]}; got {len(x)}"
        )
    if x[0] != 0 or len(x) < 2:
        raise ValueError("severities must hold 0 (clean) and at least one noisy level")
    names = np.arange(len(table)) if images is None else as_names(images, "images")
    if len(names) != len(table):
        raise ValueError(
            f"images must have one entry per row of correct, {len(table)}; got {len(names)}"
        )
    _, index = np.unique(names, return_inverse=True)
    sums = np.zeros((index.max() + 1, len(x)))
    np.add.at(sums, index.reshape(-1), table[:, order])
    return x, sums, np.bincount(index.reshape(-1)).astype(np.float64)


def _resampled(sums: np.ndarray, sizes: np.ndarray, n_boot: int, random_state: int) -> np.ndarray:
    """Accuracy curves of the resamples, (n_boot, L)."""
    times = _draws(len(sums), n_boot, random_state)
    parts = []
    for start in range(0, n_boot, CHUNK):
        weights = times[start : start + CHUNK].astype(np.float64)
        parts.append((weights @ sums) / (weights @ sizes)[:, None])
    return np.concatenate(parts)


@lru_cache(maxsize=4)
def _draws(n_images: int, n_boot: int, random_state: int) -> np.ndarray:
    """How often each image is drawn: (n_boot, n_images)."""
    rng = np.random.default_rng([random_state, n_images])
    even = np.full(n_images, 1 / n_images)
    return rng.multinomial(n_images, even, size=n_boot).astype(np.uint16)


def _estimate(value: float, draws: np.ndarray, n_images: int) -> Estimate:
    nothing = Estimate(float(value), np.nan, np.nan)
    defined = draws[~np.isnan(draws)]
    if np.isnan(value) or len(defined) < (1 - UNDEFINED) * len(draws) or n_images < 2:
        return nothing
    if (defined == defined[0]).all():
        return nothing
    from scipy.stats import norm, t

    stretch = np.sqrt(n_images / (n_images - 1))
    tail = norm.cdf(-stretch * t.ppf(0.975, n_images - 1))
    # no interpolation between draws: some may be infinite
    low, high = np.quantile(defined, [tail, 1 - tail], method="inverted_cdf")
    return Estimate(float(value), float(min(low, value)), float(max(high, value)))


def _area(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Of curves (..., L) over ascending severities; so are the two below."""
    if len(x) == 1:
        return y[..., 0]
    return (np.diff(x) * (y[..., 1:] + y[..., :-1]) / 2).sum(axis=-1) / (x[-1] - x[0])


def _relative(y: np.ndarray) -> np.ndarray:
    clean = np.where(y[..., 0] > 0, y[..., 0], np.nan)
    return y[..., 1:].mean(axis=-1) / clean


def _half(x: np.ndarray, y: np.ndarray, chance: float) -> np.ndarray:
    clean = y[..., :1]
    target = chance + (clean - chance) / 2
    below = y <= target
    i = np.maximum(below.argmax(axis=-1), 1)[..., None]  # first level at or under the target
    before, after = (np.take_along_axis(y, j, axis=-1)[..., 0] for j in (i - 1, i))
    fall = np.where(before > after, before - after, np.nan)
    i = i[..., 0]
    met = x[i - 1] + (before - target[..., 0]) / fall * (x[i] - x[i - 1])
    met = np.where(below.any(axis=-1), met, np.inf)
    return np.where(clean[..., 0] > chance, met, np.nan)


def _check_chance(chance: float) -> None:
    if not 0 <= as_number(chance, "chance") < 1:
        raise ValueError(f"chance must lie in [0, 1); got {chance}")


def _levels(severities: Any) -> tuple[np.ndarray, np.ndarray]:
    """Severities ascending, and the order that makes them so."""
    x = as_array(severities, "severities", 1).astype(np.float64)
    if not len(x) or not np.isfinite(x).all():
        raise ValueError("severities must be finite, and at least one")
    if len(np.unique(x)) < len(x):
        raise ValueError("severities must be distinct")
    order = np.argsort(x)
    return x[order], order


def _curve(severities: Any, accuracies: Any) -> tuple[np.ndarray, np.ndarray]:
    x, order = _levels(severities)
    y = as_array(accuracies, "accuracies", 1).astype(np.float64)
    if len(x) != len(y):
        raise ValueError(
            f"severities and accuracies must be equally long; got {len(x)} and {len(y)}"
        )
    if not ((y >= 0) & (y <= 1)).all():
        raise ValueError("accuracies must lie in [0, 1]")
    return x, y[order]
