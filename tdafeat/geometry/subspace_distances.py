"""Distances between two linear subspaces, made of the principal angles between them."""

from __future__ import annotations

from typing import Any

import numpy as np

from tdafeat.checks import as_numbers


def grassmann_distance(angles: Any) -> np.ndarray:
    """Grassmann distance of two k-dimensional subspaces: the length of the geodesic between them.

    Parameters
    ----------
    angles : (..., k) principal angles in radians, as `principal_angles` gives them for one pair or
        `ClassAngles.angles` for all pairs.

    Returns
    -------
    (...) float64, the root of the sum of squared angles, radians in [0, sqrt(k) pi/2].

    References
    ----------
    Edelman, Arias, Smith (1998), The geometry of algorithms with orthogonality constraints;
    Ye, Lim (2016), Schubert varieties and distances between subspaces of different dimensions.

    Examples
    --------
    >>> float(grassmann_distance([0.4, 0.3]))
    0.5
    """
    return np.linalg.norm(_as_angles(angles), axis=-1)


def chordal_distance(angles: Any) -> np.ndarray:
    """Chordal distance: the root of the sum of squared sines of the angles, in [0, sqrt(k)].

    Equals |P - Q| / sqrt(2) in the Frobenius norm, P and Q the projections on the two subspaces.
    Takes angles as `grassmann_distance` does.

    References
    ----------
    Conway, Hardin, Sloane (1996), Packing lines, planes, etc.; Ye, Lim (2016).

    Examples
    --------
    >>> print(chordal_distance([np.pi / 2, np.pi / 2]).round(6))
    1.414214
    """
    return np.linalg.norm(np.sin(_as_angles(angles)), axis=-1)


def projection_distance(angles: Any) -> np.ndarray:
    """Projection distance: the sine of the largest angle, in [0, 1].

    Equals the spectral norm of P - Q, P and Q the projections on the two subspaces. Takes angles
    as `grassmann_distance` does.

    References
    ----------
    Ye, Lim (2016), Schubert varieties and distances between subspaces of different dimensions.

    Examples
    --------
    >>> print(projection_distance([np.pi / 6, 0.1]).round(6))
    0.5
    """
    return np.sin(_as_angles(angles).max(axis=-1))


def _as_angles(angles: Any) -> np.ndarray:
    values = as_numbers(angles, "angles").astype(np.float64, copy=False)
    if values.ndim == 0 or values.shape[-1] == 0:
        raise ValueError(f"angles must be (..., k) with k at least 1; got shape {values.shape}")
    # NaN stands for a subspace with fewer directions
    if ((values < 0) | (values > np.pi / 2 + 1e-12)).any():
        raise ValueError("angles must lie in 0..pi/2, in radians")
    return values
