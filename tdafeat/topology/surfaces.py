"""Distances through functions a diagram is turned into: slices, heat, images, landscapes.

All compare the finite bars so, and the essential ones by sorted births: other numbers of them are
infinitely far apart. They take diagrams that have been checked, through `distance_matrix`.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from tdafeat.checks import as_count, check_positive
from tdafeat.topology.diagrams import essential_births, finite_part
from tdafeat.topology.wasserstein import check_exponent, wasserstein

_CANCELLED = 1e-4  # share of a sum of squares below which their difference is taken with care

Hills = tuple[np.ndarray, np.ndarray]  # where they stand, `(n, 2)`, and their weights


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
    as_count(n_slices, "n_slices")
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
    check_positive(sigma, "sigma")

    def hills(bars: np.ndarray) -> Hills:
        """Held at zero on the diagonal: each hill with its mirror image, of weight -1."""
        return np.concatenate([bars, bars[:, ::-1]]), np.repeat([1.0, -1.0], len(bars))

    def differences(x: np.ndarray, y: np.ndarray) -> tuple[Hills, Hills]:
        (x, y), only_x, only_y = _paired(x, y)
        up = np.concatenate([x, y[:, ::-1], only_x, only_y[:, ::-1]])
        down = np.concatenate([y, x[:, ::-1], only_x[:, ::-1], only_y])
        return (up, np.ones(len(up))), (down, np.ones(len(up)))

    square = _squared_distance(finite_part(a), finite_part(b), hills, differences, 4 * sigma)
    return math.hypot(math.sqrt(square / (16 * np.pi * sigma)), *_essential_gaps(a, b))


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
    check_positive(sigma, "sigma")

    def hills(bars: np.ndarray) -> Hills:
        lifetimes = bars[:, 1] - bars[:, 0]
        return np.column_stack([bars[:, 0], lifetimes]), lifetimes

    def differences(x: np.ndarray, y: np.ndarray) -> tuple[Hills, Hills]:
        (x, y), only_x, only_y = _paired(x, y)
        of_x, of_y = (
            hills(np.concatenate([x, only_x, only_y])),
            hills(np.concatenate([y, only_x, only_y])),
        )
        of_x[1][len(x) + len(only_x) :] = 0
        of_y[1][len(x) : len(x) + len(only_x)] = 0
        return of_x, of_y

    square = _squared_distance(finite_part(a), finite_part(b), hills, differences, 2 * sigma**2)
    # The product of two normal densities integrates to one of twice the variance.
    return math.hypot(math.sqrt(square / (4 * np.pi * sigma**2)), *_essential_gaps(a, b))


def landscape_distance(a: np.ndarray, b: np.ndarray, order: float = 1.0) -> float:
    """L_order distance of the diagrams' landscapes, all of their levels, exact.

    For order inf the largest difference. Essential births add to the same power.

    References
    ----------
    Bubenik (2015), "Statistical topological data analysis using persistence landscapes".

    Examples
    --------
    >>> round(landscape_distance(np.array([[0.0, 2.0]]), np.empty((0, 2)), order=2), 3)
    0.816
    """
    check_exponent(order, "order")
    from tdafeat.topology.levels import landscape_difference

    gaps = _essential_gaps(a, b)
    a, b = (d[np.argsort(d[:, 0])] for d in (finite_part(a), finite_part(b)))
    largest = max(landscape_difference(a, b, math.inf, 1.0), gaps.max(initial=0.0))
    if order == math.inf or largest in (0, math.inf):
        return float(largest)
    # In the largest difference, so that no power of one overflows.
    total = landscape_difference(a, b, order, largest) + ((gaps / largest) ** order).sum()
    return float(largest * total ** (1 / order))


def _essential_gaps(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Distances of the essential births, matched in order; [inf] for other numbers of them."""
    births_a, births_b = essential_births(a), essential_births(b)
    if len(births_a) != len(births_b):
        return np.array([math.inf])
    return abs(births_a - births_b)


def _squared_distance(
    a: np.ndarray,
    b: np.ndarray,
    hills: Callable[[np.ndarray], Hills],
    differences: Callable[[np.ndarray, np.ndarray], tuple[Hills, Hills]],
    variance: float,
) -> float:
    """Squared distance of the hills of two diagrams, which are also a sum of few `differences`."""
    from tdafeat.topology.hills import product_of_sums, square_of_differences

    p, q = hills(a), hills(b)
    first = product_of_sums(*p, *p, variance)
    second = product_of_sums(*q, *q, variance)
    square = first + second - 2 * product_of_sums(*p, *q, variance)
    if square > _CANCELLED * (first + second):
        return square
    p, q = differences(a, b)
    return max(square_of_differences(*p, *q, variance), 0.0)  # rounding can bring it below


def _paired(
    a: np.ndarray, b: np.ndarray
) -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray, np.ndarray]:
    """Bars matched with each other that are not the same, and the bars without a partner."""
    pairs = wasserstein(a, b, order=2.0, internal_p=2.0, matching=True)[1]
    both = pairs[(pairs >= 0).all(axis=1)]
    first, second = a[both[:, 0]], b[both[:, 1]]
    moved = (first != second).any(axis=1)
    alone = a[pairs[pairs[:, 1] < 0, 0]], b[pairs[pairs[:, 0] < 0, 1]]
    return (first[moved], second[moved]), *alone
