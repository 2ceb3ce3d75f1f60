"""The error of what some of all rows say, by leaving groups of them out.

A bootstrap would ask the same row twice, and every statistic of pairs would take that for a
coincidence of two rows; leaving rows out does not.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.stats import t

from tdafeat.record import Estimate

N_GROUPS = 25


def jackknife(
    statistic: Callable[[np.ndarray], float], n_asked: int, n_samples: int, rng: np.random.Generator
) -> Estimate:
    """A statistic of the rows asked, with a 95 % interval for that of all rows.

    Parameters
    ----------
    statistic : takes the positions of the rows asked that count, (m,) ascending.
    n_asked : number of rows asked, drawn from `n_samples` without replacement: of all of them
        nothing is uncertain, and the interval is empty.
    rng : puts the rows into 25 groups.

    Returns
    -------
    NaN throughout where the statistic is NaN once some group is left out.

    References
    ----------
    Shao, Tu (1995), The jackknife and bootstrap.

    Examples
    --------
    >>> values = np.arange(100.0)
    >>> whole = jackknife(lambda rows: values[rows].mean(), 100, 100, np.random.default_rng(0))
    >>> print(whole.low, whole.value, whole.high)
    49.5 49.5 49.5
    """
    value = statistic(np.arange(n_asked))
    if n_asked == n_samples:
        return Estimate(value, value, value)
    n_groups = min(N_GROUPS, n_asked)
    group = rng.permutation(n_asked) % n_groups
    without = np.array([statistic(np.flatnonzero(group != g)) for g in range(n_groups)])
    error = np.sqrt((n_groups - 1) * without.var() * (1 - n_asked / n_samples))
    if not np.isfinite(error):  # the rows are too few for the statistic to be defined
        return Estimate(float("nan"), float("nan"), float("nan"))
    reach = float(t.ppf(0.975, n_groups - 1) * error)
    return Estimate(value, value - reach, value + reach)
