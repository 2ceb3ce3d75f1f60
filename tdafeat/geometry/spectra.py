"""What the eigenvalues of the covariance say: how many directions a cloud uses, and how evenly.

`spectrum` gives the eigenvalues; the other functions are numbers read off them. RankMe alone
looks at the raw, uncentred features, as its authors defined it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch

from tdafeat.checks import as_array, as_cloud
from tdafeat.geometry.moments import Moments
from tdafeat.geometry.sharing import shared
from tdafeat.record import metric

RANKME_EPS = 1e-7  # part of RankMe's definition: 1e-5 would give other numbers


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
    points = torch.from_numpy(as_cloud(features, min_samples=2))
    small = scatter(points - points.mean(0), smaller_route(points))
    values = torch.linalg.eigvalsh(small).flip(0)
    return without_rounding(values, tuple(points.shape), float(points.square().sum())).numpy()


def _spectrum_of(moments: Moments) -> np.ndarray:
    if moments.n < 2:
        raise ValueError(f"moments must be of at least 2 rows; got {moments.n}")
    values = torch.linalg.eigvalsh(torch.from_numpy(moments.scatter)).flip(0) / (moments.n - 1)
    shape = (moments.n, moments.means.shape[1])
    return without_rounding(values, shape, float(np.trace(moments.raw))).numpy()


def smaller_route(points: torch.Tensor) -> Literal["covariance", "gram"]:
    """Which of the two scatter matrices of an (n, D) cloud is the smaller one."""
    n_samples, n_features = points.shape
    return "covariance" if n_features < n_samples else "gram"


def scatter(centred: torch.Tensor, route: Literal["covariance", "gram"]) -> torch.Tensor:
    """The covariance (D, D) of centred rows, or their Gram matrix (n, n) divided by n - 1.

    Both have the same positive eigenvalues, since X'X and XX' do.
    """
    product = centred.T @ centred if route == "covariance" else centred @ centred.T
    return product / (len(centred) - 1)


def without_rounding(values: torch.Tensor, shape: tuple[int, ...], squares: float) -> torch.Tensor:
    """The first min(n - 1, D) of descending eigenvalues, 0 where rounding alone made them.

    What rounding leaves, of the largest eigenvalue or of constant features, is not variance.
    The cloud had this `shape`, (n, D), and this sum of squared entries.
    """
    n_samples, n_features = shape
    values = values[: min(n_samples - 1, n_features)].clamp(min=0)
    eps = torch.finfo(values.dtype).eps
    floor = max(shape) * eps * max(float(values[0]), eps * squares)
    return torch.where(values > floor, values, 0.0)


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
    if not 0 < fraction <= 1:
        raise ValueError(f"fraction must lie in (0, 1]; got {fraction}")
    cumulative = np.cumsum(explained_variance_ratio(eigenvalues))
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
    values = _as_eigenvalues(eigenvalues)
    positive = int(np.count_nonzero(values > 0))
    stop = min(positive, last if last is not None else max(3, positive // 2))
    if first < 1 or (last is not None and last < first):
        raise ValueError(f"first and last must satisfy 1 <= first <= last; got {first} and {last}")
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
    if array.size == 0 or not np.isfinite(array).all() or (array < 0).any():
        raise ValueError("eigenvalues must be finite, non-negative and at least one")
    if (np.diff(array) > 0).any():
        raise ValueError("eigenvalues must be in descending order")
    return array


_SPECTRAL: dict[str, Any] = {
    "room": "geometry",
    "needs": ("features",),
    "invariant": ("rotation", "scale", "translation", "permutation"),
}
_COUNT = (1.0, float("inf"))


@metric(
    "rankme",
    title="RankMe",
    room="geometry",
    needs=("features",),
    range=_COUNT,
    invariant=("rotation", "scale", "permutation"),
    source="Garrido et al. 2023",
)
def rankme(features: Any) -> float:
    """RankMe: exponential of the entropy of the singular values of the raw, uncentred features.

    Between 1 and min(n, D), up to the eps = 1e-7 of its definition; NaN where all entries are 0.
    Of `Moments`, singular values below about 1e-8 of the largest are lost to rounding.

    Examples
    --------
    >>> round(rankme([[1.0, 0], [0, 1]]), 3)
    2.0
    """
    if isinstance(features, Moments):
        squared = torch.linalg.eigvalsh(torch.from_numpy(features.raw)).flip(0).clamp(min=0)
        values = squared[: features.n].sqrt()
    else:
        values = torch.linalg.svdvals(torch.from_numpy(as_cloud(features)))
    if values[0] == 0:
        return float("nan")
    share = values / values.sum() + RANKME_EPS
    return float(torch.exp(-(share * share.log()).sum()))


@metric(
    "total_variance",
    title="total variance",
    source="trace of the covariance",
    unit="squared units of the features",
    range=(0.0, float("inf")),
    **(_SPECTRAL | {"invariant": ("rotation", "translation", "permutation")}),
)
def total_variance(features: Any) -> float:
    """Trace of the covariance (ddof = 1): how far the cloud spreads about its mean.

    Examples
    --------
    >>> total_variance([[0.0, 0], [2, 0]])
    2.0
    """
    if isinstance(features, Moments):
        return float(spectrum(features).sum())
    points = as_cloud(features, min_samples=2)
    return float(points.var(axis=0, ddof=1).sum())


def _register(
    name: str, title: str, read: Callable[[np.ndarray], float], source: str, **record: Any
) -> None:
    """A metric of features that reads one number off their spectrum."""

    def measure(features: Any) -> float:
        return read(spectrum(features))

    measure.__doc__ = f"{title[0].upper()}{title[1:]} of the covariance eigenvalues."
    metric(name, title=title, source=source, **(_SPECTRAL | {"range": _COUNT} | record))(measure)


_register("participation_ratio", "participation ratio", participation_ratio, "Gao et al. 2017")
_register("effective_rank", "effective rank", effective_rank, "Roy & Vetterli 2007")
_register("stable_rank", "stable rank", stable_rank, "Rudelson & Vershynin 2007")
for _percent in (90, 95, 99):
    _register(
        f"n_components_{_percent}",
        f"components for {_percent} % of the variance",
        lambda values, fraction=_percent / 100: n_components_for(values, fraction),  # type: ignore[misc]
        "Jolliffe 2002",
    )
_register(
    "power_law_exponent",
    "power-law exponent",
    lambda values: power_law(values).exponent,
    "Agrawal et al. 2022",
    range=(0.0, float("inf")),
)
_register(
    "power_law_r_squared",
    "R² of the power law",
    lambda values: power_law(values).r_squared,
    "Agrawal et al. 2022",
    range=(0.0, 1.0),
)
