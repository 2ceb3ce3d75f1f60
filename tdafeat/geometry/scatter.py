"""The scatter of a cloud about its mean, in the smaller of its two forms, and its axes.

Spectra, leading directions and likeness all read the same small matrix, so that it is made and
decomposed once where they share their work.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import torch

from tdafeat.sharing import is_sharing, shared

Route = Literal["covariance", "gram"]


class Scatter(NamedTuple):
    """A cloud of n rows about its mean.

    Attributes
    ----------
    mean : (D,); centred : (n, D), the rows less their mean.
    matrix : the covariance (D, D), or where that is larger the Gram matrix (n, n) over n - 1.
    route : which of the two.
    """

    mean: torch.Tensor
    centred: torch.Tensor
    matrix: torch.Tensor
    route: Route


class Axes(NamedTuple):
    """Eigenvalues of a scatter matrix, descending, and its eigenvectors in columns."""

    values: torch.Tensor
    vectors: torch.Tensor


@shared
def scatter_of(points: np.ndarray) -> Scatter:
    """Scatter of (n, D) float64 rows, two or more."""
    rows = torch.from_numpy(points)
    mean = rows.mean(0)
    centred, route = rows - mean, smaller_route(rows)
    return Scatter(mean, centred, scatter(centred, route), route)


@shared
def axes_of(points: np.ndarray) -> Axes:
    """Axes of the scatter of (n, D) float64 rows, two or more."""
    values, vectors = torch.linalg.eigh(scatter_of(points).matrix)
    return Axes(values.flip(0), vectors.flip(1))


def eigenvalues_of(points: np.ndarray) -> torch.Tensor:
    """The descending eigenvalues alone; with the axes where others may ask for them."""
    if is_sharing():
        return axes_of(points).values
    return torch.linalg.eigvalsh(scatter_of(points).matrix).flip(0)


def smaller_route(points: torch.Tensor) -> Route:
    """Which of the two scatter matrices of an (n, D) cloud is the smaller one."""
    n_samples, n_features = points.shape
    return "covariance" if n_features < n_samples else "gram"


def scatter(centred: torch.Tensor, route: Route) -> torch.Tensor:
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
