"""Distances through functions a diagram is turned into: slices, heat, images, landscapes.

All compare the finite bars so, and the essential ones by sorted births: other numbers of them are
infinitely far apart. They take diagrams that have been checked, through `distance_matrix`.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from tdafeat.topology.curves import landscape
from tdafeat.topology.diagrams import essential_births, finite_part


def sliced_wasserstein(a: np.ndarray, b: np.ndarray, n_slices: int = 50) -> float:
    """Mean of W_1 between the diagrams' projections to `n_slices` lines, evenly spread.

    To each diagram the other's bars are added where they are nearest on the diagonal. Essential
    births add their distances.

    References
    ----------
    Carriere, Cuturi and Oudot (2017), "Sliced Wasserstein kernel for persistence diagrams".

    Examples
    --------
    >>> round(sliced_wasserstein(np.array([[0.0, 2.0]]), np.empty((0, 2))), 3)
    0.9
    """
    if not n_slices >= 1:
        raise ValueError(f"n_slices must be at least 1; got {n_slices}")
    gaps = _essential_gaps(a, b)
    a, b = finite_part(a), finite_part(b)
    angles = np.pi * (0.5 + np.arange(n_slices) / n_slices)
    lines = np.stack([np.cos(angles), np.sin(angles)])
    on_diagonal_a, on_diagonal_b = (np.repeat(d.mean(axis=1), 2).reshape(-1, 2) for d in (a, b))
    one = np.sort(np.concatenate([a, on_diagonal_b]) @ lines, axis=0)
    two = np.sort(np.concatenate([b, on_diagonal_a]) @ lines, axis=0)
    return float(abs(one - two).sum() / n_slices + gaps.sum())


def heat_distance(a: np.ndarray, b: np.ndarray, sigma: float = 0.4) -> float:
    """L_2 distance of the diagrams' heat after time `sigma`, held at zero on the diagonal.

    `sigma` is in squared units of the filtration. Essential births add in quadrature.

    References
    ----------
    Reininghaus, Huber, Bauer and Kwitt (2015), "A stable multi-scale kernel for topological
    machine learning".

    Examples
    --------
    >>> round(heat_distance(np.array([[0.0, 2.0]]), np.empty((0, 2))), 3)
    0.302
    """
    _check_sigma(sigma)

    def kernel(x: np.ndarray, y: np.ndarray) -> float:
        mirrored = _gaussian_sum(x, y[:, ::-1], 4 * sigma)
        return (_gaussian_sum(x, y, 4 * sigma) - mirrored) / (8 * np.pi * sigma)

    return _with_essential(a, b, kernel)


def image_distance(a: np.ndarray, b: np.ndarray, sigma: float = 0.1) -> float:
    """L_2 distance of persistence images of unlimited size and resolution.

    The surface of a diagram is the sum of normal densities of standard deviation `sigma` at
    (birth, persistence), weighted by persistence. No grid is chosen, so a table of many diagrams
    is of one metric; `sigma` is in units of the filtration. Essential births add in quadrature.

    References
    ----------
    Adams et al. (2017), "Persistence images: a stable vector representation of persistent
    homology".

    Examples
    --------
    >>> round(image_distance(np.array([[0.0, 2.0]]), np.empty((0, 2))), 3)
    5.642
    """
    _check_sigma(sigma)

    def product(x: np.ndarray, y: np.ndarray) -> float:
        # The product of two normal densities integrates to one of twice the variance.
        x, y = (np.column_stack([d[:, 0], d[:, 1] - d[:, 0]]) for d in (x, y))
        weights = x[:, 1], y[:, 1]
        return _gaussian_sum(x, y, 2 * sigma**2, *weights) / (4 * np.pi * sigma**2)

    return _with_essential(a, b, product)


def landscape_distance(
    a: np.ndarray, b: np.ndarray, order: float = 1.0, n_points: int = 1000
) -> float:
    """L_order distance of the diagrams' landscapes, all of their levels.

    By the trapezoidal rule at `n_points` spread evenly from the first birth to the last death of
    the two. Essential births add to the same power.

    References
    ----------
    Bubenik (2015), "Statistical topological data analysis using persistence landscapes".

    Examples
    --------
    >>> round(landscape_distance(np.array([[0.0, 2.0]]), np.empty((0, 2)), order=2), 3)
    0.816
    """
    if not 1 <= order < math.inf:
        raise ValueError(f"order must be finite and at least 1; got {order}")
    if not n_points >= 2:
        raise ValueError(f"n_points must be at least 2; got {n_points}")
    gaps = _essential_gaps(a, b)
    a, b = finite_part(a), finite_part(b)
    everything = np.concatenate([a, b])
    if len(everything) == 0:
        return float((gaps**order).sum() ** (1 / order))
    points = np.linspace(everything[:, 0].min(), everything[:, 1].max(), n_points)
    n_layers = max(len(a), len(b))
    levels = landscape(a, points, n_layers) - landscape(b, points, n_layers)
    step = points[1] - points[0]
    # Every landscape is zero at both ends, so the trapezoidal rule is a plain sum.
    return float(((abs(levels) ** order).sum() * step + (gaps**order).sum()) ** (1 / order))


def _essential_gaps(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Distances of the essential births, matched in order; [inf] for other numbers of them."""
    births_a, births_b = essential_births(a), essential_births(b)
    if len(births_a) != len(births_b):
        return np.array([math.inf])
    return abs(births_a - births_b)


def _with_essential(
    a: np.ndarray, b: np.ndarray, inner: Callable[[np.ndarray, np.ndarray], float]
) -> float:
    """Norm of the difference of what an inner product is of, the essential births in quadrature."""
    x, y = finite_part(a), finite_part(b)
    square = max(inner(x, x) + inner(y, y) - 2 * inner(x, y), 0.0)  # rounding can bring it below
    return math.sqrt(square + (_essential_gaps(a, b) ** 2).sum())


def _gaussian_sum(
    x: np.ndarray,
    y: np.ndarray,
    variance: float,
    weights_x: np.ndarray | float = 1.0,
    weights_y: np.ndarray | float = 1.0,
) -> float:
    """Sum over all pairs of weights and of exp(-|x - y|^2 / (2 variance))."""
    squares = ((x[:, None] - y[None]) ** 2).sum(axis=-1)
    columns = (np.exp(squares / (-2 * variance)) * weights_y).sum(axis=1)
    return float((columns * weights_x).sum())


def _check_sigma(sigma: float) -> None:
    if not 0 < sigma < math.inf:
        raise ValueError(f"sigma must be positive and finite; got {sigma}")
