"""Mean of the curves of many diagrams, with a band for the whole of it at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tdafeat.checks import as_count, as_generator, check_share
from tdafeat.topology.curves import as_curves


@dataclass(frozen=True)
class MeanBand:
    """A mean curve and its band; arrays of the shape of one curve."""

    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray


def mean_band(
    curves: Any, alpha: float = 0.05, n_boot: int = 1000, random_state: int = 0
) -> MeanBand:
    """Mean of curves and a uniform confidence band, by the multiplier bootstrap.

    The band covers the expected curve at all its values together with probability 1 - alpha, as
    the number of curves grows, if the curves are independent draws of one distribution: those of
    independent clouds or of `disjoint_diagrams`. Curves of `subsample_diagrams` are independent
    given their cloud, and the band then covers the expected curve of a sample of that cloud, not
    of the distribution behind it.

    Parameters
    ----------
    curves : one summary of each diagram, all of one shape: `(n, k)` Betti curves or silhouettes,
        `(n, layers, k)` landscapes, `(n, rows, columns)` images.
    alpha : the band misses with this probability, in (0, 1).
    n_boot : bootstrap draws behind its width.
    random_state : their seed.

    Returns
    -------
    MeanBand in the units of the curves; of the same width everywhere.

    Raises
    ------
    ValueError for fewer than two curves, curves that are not finite or not of one shape, an alpha
    outside (0, 1), or no draws.

    References
    ----------
    Chazal, Fasy, Lecci, Rinaldo and Wasserman (2014), "Stochastic convergence of persistence
    landscapes and silhouettes".

    Examples
    --------
    >>> band = mean_band([[0.0, 1.0], [0.0, 3.0], [0.0, 2.0]])
    >>> band.mean.tolist(), bool((band.low < band.mean).all())
    ([0.0, 2.0], True)
    """
    check_share(alpha, "alpha")
    as_count(n_boot, "n_boot")
    stacked = as_curves(curves, "curves")
    n = len(stacked)
    if n < 2:
        raise ValueError(f"curves must be at least two; got {n}")
    mean = stacked.mean(axis=0)
    deviations = (stacked - mean).reshape(n, -1)
    multipliers = as_generator(random_state).standard_normal((n_boot, n))
    # n - 1: deviations from the mean itself are too small by its degree of freedom
    largest = np.abs(multipliers @ deviations).max(axis=1) / np.sqrt(n * (n - 1))
    half = np.quantile(largest, 1 - alpha)
    return MeanBand(mean, mean - half, mean + half)
