"""What the eigenvalues of the covariance say: how many directions a cloud uses, and how evenly.

`spectrum` gives the eigenvalues; the other functions are numbers read off them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from tdafeat.checks import as_array, as_cloud, as_count, as_number, check_share
from tdafeat.geometry.moments import Moments
from tdafeat.geometry.scatter import eigenvalues_of, without_rounding
from tdafeat.sharing import shared

LARGEST = 1e150  # beyond it, or below its inverse, ratios leave float64's range


@shared
def spectrum(features: Any) -> np.ndarray:
    """Eigenvalues of the covariance (the PCA spectrum), in descending order.

    Parameters
    ----------
    features : (n, D) array-like or torch tensor, n >= 2; or `Moments` of such.

    Returns
    -------
    (min(n - 1, D),) float64, non-negative, squared units of the features; the covariance divides
    by n - 1 (ddof = 1) and its other eigenvalues are 0. Their sum is the total variance. Computed
    from the covariance or from the Gram matrix of the samples, whichever is smaller; eigenvalues
    below max(n, D) * 2e-16 of the largest are rounding and returned as 0.

    Raises
    ------
    ValueError with fewer than two rows.

    Examples
    --------
    >>> spectrum([[2.0, 0], [-2, 0], [0, 1], [0, -1]]).round(6)
    array([2.666667, 0.666667])
    """
    if isinstance(features, Moments):
        return _spectrum_of(features)
    points = as_cloud(features, min_samples=2)
    squares = float(np.vdot(points, points))
    return without_rounding(eigenvalues_of(points), points.shape, squares).numpy()


def _spectrum_of(moments: Moments) -> np.ndarray:
    if moments.n < 2:
        raise ValueError(f"moments must be of at least 2 rows; got {moments.n}")
    values = torch.linalg.eigvalsh(torch.from_numpy(moments.scatter)).flip(0) / (moments.n - 1)
    shape = (moments.n, moments.means.shape[1])
    return without_rounding(values, shape, float(np.trace(moments.raw))).numpy()


def explained_variance_ratio(eigenvalues: Any) -> np.ndarray:
    """Each eigenvalue's share of the total variance; NaN where there is no variance.

    Examples
    --------
    >>> explained_variance_ratio([3.0, 1.0])
    array([0.75, 0.25])
    """
    values = _as_eigenvalues(eigenvalues)
    total = values.sum()
    return values / total if total > 0 else np.full_like(values, np.nan)


def cumulative_variance(eigenvalues: Any) -> np.ndarray:
    """Share of the total variance that the first 1, 2, ... directions explain; NaN where none is.

    Examples
    --------
    >>> cumulative_variance([3.0, 1.0])
    array([0.75, 1.  ])
    """
    return np.cumsum(explained_variance_ratio(eigenvalues))


def condition_number(eigenvalues: Any) -> float:
    """Condition number: the largest eigenvalue over the smallest positive one, at least 1.

    Of the covariance within the subspace that the cloud spans: eigenvalues of 0, as n <= D leaves
    them, are not counted. NaN where there is no variance.

    References
    ----------
    Golub, Van Loan (2013), Matrix computations, section 2.6.

    Examples
    --------
    >>> condition_number([8.0, 2.0, 0.0])
    4.0
    """
    values = _as_eigenvalues(eigenvalues)
    positive = values[values > 0]
    return float(positive[0] / positive[-1]) if len(positive) else float("nan")


def collapsed_dimensions(eigenvalues: Any, threshold: float = 1e-4) -> float:
    """Dimensional collapse: share of the directions that hold next to no variance, from 0 to 1.

    Those whose eigenvalue is below `threshold` of the largest; a standard deviation below 1 % of
    the largest, by default. NaN where there is no variance.

    References
    ----------
    Jing, Vincent, LeCun, Tian (2022), Understanding dimensional collapse in contrastive
    self-supervised learning, who look for the drop in the spectrum; the threshold is ours.

    Examples
    --------
    >>> collapsed_dimensions([4.0, 1.0, 1e-5, 0.0])
    0.5
    """
    check_share(threshold, "threshold")
    values = _as_eigenvalues(eigenvalues)
    return float(np.mean(values < threshold * values[0])) if values[0] > 0 else float("nan")


def participation_ratio(eigenvalues: Any) -> float:
    """Participation ratio, (sum of eigenvalues)^2 / sum of their squares, between 1 and D.

    NaN where there is no variance.

    Examples
    --------
    >>> participation_ratio([1.0, 1.0, 1.0])
    3.0
    """
    values = explained_variance_ratio(eigenvalues)
    return float(1 / np.square(values).sum())


def effective_rank(eigenvalues: Any) -> float:
    """Exponential of the entropy of the normalised covariance eigenvalues, between 1 and D.

    Not RankMe, which takes singular values of uncentred features. NaN where there is no variance.

    References
    ----------
    Roy, Vetterli (2007), The effective rank: a measure of effective dimensionality.

    Examples
    --------
    >>> round(effective_rank([1.0, 1.0, 0.0]), 6)
    2.0
    """
    share = explained_variance_ratio(eigenvalues)
    share = share[share != 0]  # 0 log 0 = 0; NaN stays
    return float(np.exp(-(share * np.log(share)).sum()))


def stable_rank(eigenvalues: Any) -> float:
    """Total variance over the largest eigenvalue, between 1 and D; NaN where there is none.

    References
    ----------
    Rudelson, Vershynin (2007), Sampling from large matrices.

    Examples
    --------
    >>> stable_rank([2.0, 1.0, 1.0])
    2.0
    """
    return float(1 / explained_variance_ratio(eigenvalues)[0])


def n_components_for(eigenvalues: Any, fraction: float) -> float:
    """Smallest number of components that explain `fraction` of the variance.

    NaN where there is no variance. A fraction outside (0, 1] is a ValueError.

    Examples
    --------
    >>> n_components_for([6.0, 3.0, 1.0], 0.9)
    2.0
    """
    if not 0 < as_number(fraction, "fraction") <= 1:
        raise ValueError(f"fraction must lie in (0, 1]; got {fraction}")
    cumulative = cumulative_variance(eigenvalues)
    if np.isnan(cumulative[0]):
        return float("nan")
    return float(1 + np.count_nonzero(cumulative < fraction - 1e-12))  # 0.6 + 0.3 reaches 0.9


@dataclass(frozen=True)
class PowerLaw:
    """Fit of eigenvalue = constant * rank^-exponent over the ranks first..last (from 1)."""

    exponent: float
    r_squared: float
    first: int
    last: int


def power_law(eigenvalues: Any, first: int = 1, last: int | None = None) -> PowerLaw:
    """Least squares of log eigenvalue on log rank: the decay exponent alpha of alpha-ReQ.

    Parameters
    ----------
    eigenvalues : descending, as `spectrum` returns them.
    first, last : range of ranks, from 1 and inclusive. The default ends at half of the positive
        eigenvalues, because the tail of a spectrum estimated from few samples bends down.

    Returns
    -------
    `PowerLaw` with its range and R^2; NaN where fewer than three positive eigenvalues are in it.

    References
    ----------
    Agrawal et al. (2022), alpha-ReQ: assessing representation quality in self-supervised learning.

    Examples
    --------
    >>> fit = power_law([1.0, 1 / 4, 1 / 9, 1 / 16, 1 / 25], last=5)
    >>> round(fit.exponent, 6), round(fit.r_squared, 6)
    (2.0, 1.0)
    """
    as_count(first, "first")
    if last is not None:
        as_count(last, "last", least=first)
    values = _as_eigenvalues(eigenvalues)
    positive = int(np.count_nonzero(values > 0))
    stop = min(positive, last if last is not None else max(3, positive // 2))
    if stop - first < 2:
        return PowerLaw(np.nan, np.nan, first, stop)
    x = np.log(np.arange(first, stop + 1))
    y = np.log(values[first - 1 : stop])
    x, y = x - x.mean(), y - y.mean()
    slope = (x @ y) / (x @ x)
    flat = y @ y <= 1e-20 * len(y)  # equal eigenvalues: exponent 0, nothing left to explain
    r_squared = 1.0 if flat else float(slope * (x @ y) / (y @ y))
    return PowerLaw(float(-slope), r_squared, first, stop)


def _as_eigenvalues(values: Any) -> np.ndarray:
    array = as_array(values, "eigenvalues", 1).astype(np.float64)
    told = (array == 0) | ((array >= 1 / LARGEST) & (array <= LARGEST))
    if array.size == 0 or not told.all():
        raise ValueError(
            f"eigenvalues must be at least one, each 0 or between {1 / LARGEST:g} and {LARGEST:g}"
        )
    if (np.diff(array) > 0).any():
        raise ValueError("eigenvalues must be in descending order")
    return array
