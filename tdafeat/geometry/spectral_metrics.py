"""The numbers of a spectrum that a study measures, each with its record.

RankMe alone looks at the raw, uncentred features, as its authors defined it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from tdafeat.checks import as_cloud
from tdafeat.geometry.moments import Moments
from tdafeat.geometry.scatter import scatter_of
from tdafeat.geometry.spectra import (
    collapsed_dimensions,
    condition_number,
    effective_rank,
    n_components_for,
    participation_ratio,
    power_law,
    spectrum,
    stable_rank,
)
from tdafeat.record import metric

RANKME_EPS = 1e-7  # part of RankMe's definition: 1e-5 would give other numbers

_SPECTRAL: dict[str, Any] = {
    "room": "geometry",
    "needs": ("features",),
    "invariant": ("rotation", "scale", "translation", "permutation"),
}
_COUNT = (1.0, float("inf"))


@metric(
    "rankme",
    title="RankMe",
    version=2,
    room="geometry",
    needs=("features",),
    range=_COUNT,
    invariant=("rotation", "scale", "permutation"),
    source="Garrido et al. 2023",
)
def rankme(features: Any) -> float:
    """RankMe: exponential of the entropy of the singular values of the raw, uncentred features.

    From 1 to min(n, D), which the eps = 1e-7 of its definition lets it exceed by as much; NaN where
    all entries are 0.
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
        values = _singular_values(as_cloud(features))
    if values[0] == 0:
        return float("nan")
    share = values / values.sum() + RANKME_EPS
    return max(1.0, float(torch.exp(-(share * share.log()).sum())))


def _singular_values(points: np.ndarray) -> torch.Tensor:
    """Descending; from the smaller of X'X and XX' where none is so small that squares lose it."""
    if len(points) > 1:
        squared = torch.linalg.eigvalsh(_raw_products(points)).flip(0)
        if squared[-1] > 1e-6 * squared[0]:
            return squared.sqrt()
    return torch.linalg.svdvals(torch.from_numpy(points))


def _raw_products(points: np.ndarray) -> torch.Tensor:
    """The smaller of X'X and XX', from the scatter about the mean."""
    about = scatter_of(points)
    products = about.matrix * (len(points) - 1)
    if about.route == "covariance":
        return products + len(points) * torch.outer(about.mean, about.mean)
    along = about.centred @ about.mean + about.mean.square().sum() / 2
    return products + along[:, None] + along


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
_register("condition_number", "condition number", condition_number, "Golub & Van Loan 2013")
_register(
    "collapsed_dimensions",
    "collapsed dimensions",
    collapsed_dimensions,
    "after Jing et al. 2022",
    range=(0.0, 1.0),
)


def _ranks(features: Any) -> str:
    fit = power_law(spectrum(features))
    return f"fitted to ranks {fit.first} to {fit.last}"


_register(
    "power_law_exponent",
    "power-law exponent",
    lambda values: power_law(values).exponent,
    "Agrawal et al. 2022",
    range=(0.0, float("inf")),
    note=_ranks,
)
_register(
    "power_law_r_squared",
    "R² of the power law",
    lambda values: power_law(values).r_squared,
    "Agrawal et al. 2022",
    range=(0.0, 1.0),
    note=_ranks,
)
