"""Persistence images: a diagram as a picture, births across and lifetimes up."""

from __future__ import annotations

from typing import Any

import numpy as np

from tdafeat.checks import as_array, check_positive
from tdafeat.topology.diagrams import as_diagram, check_length, finite_part


def persistence_image(
    diagram: Any, birth_edges: Any, lifetime_edges: Any, sigma: float, power: float = 1.0
) -> np.ndarray:
    """Persistence image: bars as Gaussian hills weighted by lifetime^power, summed in each pixel.

    A pixel holds the exact integral over its square, not the value at its centre. For H0, where
    all births are 0, one pixel across is enough: ``birth_edges=[-inf, inf]``.

    Parameters
    ----------
    diagram : `(n, 2)` array-like; essential bars are left out.
    birth_edges, lifetime_edges : where pixels begin and end, ascending, `(k + 1,)` and `(m + 1,)`.
    sigma : standard deviation of a hill, a positive length.
    power : of the lifetime in the weight; above 0, so that bars near the diagonal count for
        nothing and the image is stable.

    Returns
    -------
    `(k, m)` float64; row: birth, column: lifetime. In units of the filtration to the `power`.

    Raises
    ------
    ValueError for edges that do not ascend, a sigma that is no positive length, or a power that
    is not positive, or too high for lifetimes to stay finite.

    References
    ----------
    Adams et al. (2017), "Persistence images: a stable vector representation of persistent
    homology".

    Examples
    --------
    >>> persistence_image([[1, 3]], [0, 1, 2], [-np.inf, 2, np.inf], sigma=0.1).round(3).tolist()
    [[0.5, 0.5], [0.5, 0.5]]
    """
    check_length(sigma, "sigma")
    check_positive(power, "power")
    births, deaths = finite_part(as_diagram(diagram)).T
    lengths = deaths - births
    with np.errstate(over="ignore"):  # refused below
        weights = lengths**power
    if not np.isfinite(weights).all():
        raise ValueError(
            f"power must leave lifetimes finite; the longest, {lengths.max():g}, to the power "
            f"{power} is not"
        )
    across = _shares(births, _as_edges(birth_edges, "birth_edges"), sigma)
    up = _shares(lengths, _as_edges(lifetime_edges, "lifetime_edges"), sigma)
    return (across * weights) @ up.T


def _as_edges(values: Any, name: str) -> np.ndarray:
    edges = as_array(values, name, 1).astype(np.float64)
    if len(edges) < 2 or not (edges[:-1] < edges[1:]).all():
        raise ValueError(f"{name} must be at least two values that ascend; got {edges}")
    return edges


def _shares(centres: np.ndarray, edges: np.ndarray, sigma: float) -> np.ndarray:
    """Mass of a Gaussian at each centre between neighbouring edges, `(pixels, n)`."""
    from scipy.special import ndtr

    return np.diff(ndtr((edges[:, None] - centres) / sigma), axis=0)
