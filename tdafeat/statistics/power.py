"""What a number of units could have shown: correlations detected, and units needed."""

from __future__ import annotations

import math
from bisect import bisect_left
from functools import lru_cache

import numpy as np
from scipy.stats import norm
from scipy.stats import t as student

from tdafeat.checks import check_share
from tdafeat.statistics.coefficients import Method

POWER = 0.8
MOST_UNITS = 10**12  # no data set has more


def critical_correlation(n_units: int, alpha: float, method: Method = "spearman") -> float:
    """Correlation that a two-sided test at level `alpha` just rejects.

    By Student's t, or for Kendall's tau by its normal approximation. 1 or more where no
    correlation of so few units is rejected.

    Raises
    ------
    ValueError for an `alpha` that is not between 0 and 1.

    Examples
    --------
    >>> round(critical_correlation(10, 0.05), 2)
    0.63
    """
    check_share(alpha, "alpha")
    if n_units < 3:
        return 1.0
    if method == "kendall":
        spread = math.sqrt(2 * (2 * n_units + 5) / (9 * n_units * (n_units - 1)))
        return float(norm.isf(alpha / 2) * spread)
    t = student.isf(alpha / 2, n_units - 2)
    return float(t / np.sqrt(n_units - 2 + t * t))


@lru_cache(maxsize=1024)
def detectable_correlation(
    n_units: int,
    n_tests: int = 1,
    alpha: float = 0.05,
    power: float = POWER,
    method: Method = "spearman",
    n_permutations: int | None = None,
) -> float:
    """Smallest correlation that would have been found with this power among so many tests.

    For one level of noise, and Holm's first step, at which the strongest of `n_tests` must reach
    alpha / n_tests; several levels that differ can only make it smaller. The correlation that is
    just rejected, and from there the quantile of the power on Fisher's z scale with variance
    1.06 / (n - 3) (Pearson: 1 / (n - 3), Kendall: 0.437 / (n - 4)).

    Parameters
    ----------
    n_units, n_tests : units, and tests that are corrected for.
    alpha, power : of the test, and with which the correlation would have been found.
    method : the coefficient.
    n_permutations : draws behind the p-values; None for a test that takes all orders.

    Returns
    -------
    In (0, 1); NaN where not even a perfect correlation would be found: two orders of the units
    in n! are as extreme as a perfect one, so no p-value can be below 2 / n!, and of N permutations
    drawn not below about 1 / (N + 1).

    Raises
    ------
    ValueError for an `alpha` or a `power` that is not between 0 and 1.

    References
    ----------
    Fieller, Hartley and Pearson (1957), Tests for rank correlation coefficients.

    Examples
    --------
    >>> round(detectable_correlation(47, n_tests=40), 2)
    0.55
    >>> detectable_correlation(5, n_tests=40)
    nan
    """
    check_share(alpha, "alpha")
    check_share(power, "power")
    level = alpha / max(1, n_tests)
    variance = {"spearman": 1.06, "pearson": 1.0, "kendall": 0.437}[method]
    freedom = n_units - (4 if method == "kendall" else 3)
    critical = critical_correlation(n_units, level, method)
    smallest = 2 / math.factorial(min(n_units, 100))
    if n_permutations is not None:  # the observed order counts among those drawn
        smallest = (1 + n_permutations * smallest) / (1 + n_permutations)
    if freedom < 1 or critical >= 1 or smallest > level:
        return math.nan
    return math.tanh(math.atanh(critical) + norm.ppf(power) * math.sqrt(variance / freedom))


def units_needed(
    correlation: float, n_tests: int = 1, alpha: float = 0.05, power: float = POWER
) -> int | None:
    """Smallest number of units at which Spearman's correlation of this size would be detected.

    None for a correlation of zero, which no number of units detects, and for any other so weak that
    a million million would not.

    Parameters
    ----------
    correlation : in [-1, 1].
    n_tests, alpha, power : as in `detectable_correlation`.

    Raises
    ------
    ValueError for a correlation outside [-1, 1], and as in `detectable_correlation`.

    Examples
    --------
    >>> units_needed(0.55, n_tests=40)
    48
    """
    if not abs(correlation) <= 1:
        raise ValueError(f"correlation must lie in [-1, 1]; got {correlation}")
    size = min(abs(correlation), 0.999)

    def detected(n_units: int) -> bool:
        return detectable_correlation(n_units, n_tests, alpha, power) <= size

    found = 1 + bisect_left(range(1, MOST_UNITS + 1), True, key=detected)
    return found if found <= MOST_UNITS else None
