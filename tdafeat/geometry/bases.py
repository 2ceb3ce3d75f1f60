"""Orthonormal bases of what a cloud spans, and the angles between two of them."""

from __future__ import annotations

import numpy as np
import torch

from tdafeat.geometry.scatter import (
    Axes,
    Route,
    axes_of,
    scatter,
    scatter_of,
    smaller_route,
    without_rounding,
)
from tdafeat.sharing import shared

CLEAR = 1e-6  # of the largest squared singular value: smaller ones are read from the SVD


def basis_of(points: torch.Tensor, center: bool, most: int | None) -> torch.Tensor:
    """Orthonormal principal directions in descending order, (r, D).

    r is the numerical rank, or `most` where that is smaller.
    """
    # relative to the points as given: centred constant rows leave rounding, not a direction
    tolerance = max(points.shape) * torch.finfo(points.dtype).eps * float(points.norm())
    if center:
        points = points - points.mean(0)
    if most is not None and most < min(points.shape):
        route = smaller_route(points)
        values, vectors = torch.linalg.eigh(scatter(points, route))
        leading = _leading(points, route, Axes(values.flip(0), vectors.flip(1)), most)
        if leading is not None:
            return leading
    if len(points) > 2 * points.shape[1]:  # the triangle has the same right singular vectors
        points = torch.linalg.qr(points, mode="r").R
    _, values, directions = torch.linalg.svd(points, full_matrices=False)
    return directions[values > tolerance][:most]


@shared
def leading_basis(points: np.ndarray, most: int) -> torch.Tensor:
    """The same of centred rows and at most so many directions, from axes that others share."""
    if most < min(points.shape):
        about = scatter_of(points)
        leading = _leading(about.centred, about.route, axes_of(points), most)
        if leading is not None:
            return leading
    return basis_of(torch.from_numpy(points), True, most)


def basis_of_scatter(
    within: np.ndarray, n: int, mean: np.ndarray, center: bool, most: int | None
) -> torch.Tensor:
    """The same of n rows by their (D, D) scatter about this mean.

    Directions whose singular values are below about 1e-8 of the largest are lost to rounding.
    """
    squares = within if center else within + n * np.outer(mean, mean)
    values, vectors = torch.linalg.eigh(torch.from_numpy(squares))
    shape = (n if center else n + 1, len(mean))  # of centred rows one direction is gone
    kept = without_rounding(values.flip(0), shape, float(np.trace(within) + n * (mean @ mean)))
    return vectors.flip(1).T[: len(kept)][kept > 0][:most]


def _leading(points: torch.Tensor, route: Route, axes: Axes, most: int) -> torch.Tensor | None:
    """The first right singular vectors from the smaller of X'X and XX', in a third of the time.

    None where they are too small beside the largest for that, because squares halve the digits.
    """
    if axes.values[most - 1] <= CLEAR * axes.values[0]:
        return None
    leading = axes.vectors[:, :most]
    if route == "gram":  # orthogonal up to rounding of the largest; QR makes it so
        leading = torch.linalg.qr((leading.T @ points).T).Q
    return leading.T


def angles_of(products: torch.Tensor) -> torch.Tensor:
    """Angles, largest first, from products (..., k, m) of two orthonormal bases."""
    if products.shape[-2] > products.shape[-1]:
        products = products.mT
    squared_cosines = torch.linalg.eigvalsh(products @ products.mT)
    return torch.arccos(squared_cosines.clamp(0, 1).sqrt())
