"""Rows as directions: points of the unit sphere."""

from __future__ import annotations

from typing import Any

import numpy as np

from tdafeat.checks import as_cloud
from tdafeat.sharing import shared

SHORT = 1e-100  # squares of shorter rows lose digits, or are 0
LIFT = 2.0**600  # exact, and takes the shortest there is to a length whose square is not


def unit_rows(features: Any, name: str = "features", min_samples: int = 1) -> np.ndarray:
    """Each row divided by its length, (n, D) float64. A row of zeros is a ValueError.

    Examples
    --------
    >>> unit_rows([[3.0, 4.0]])
    array([[0.6, 0.8]])
    """
    points = as_cloud(features, name, min_samples)
    pointing = points.any(axis=1)
    if not pointing.all():
        row = int(pointing.argmin())
        raise ValueError(f"{name} must have a direction in every row; row {row} is all zeros")
    return directions(points)


@shared
def directions(points: np.ndarray) -> np.ndarray:
    """Unit rows of an (n, D) float64 array; a row of zeros, which has no direction, stays.

    Examples
    --------
    >>> directions(np.array([[3e-200, 4e-200], [0.0, 0.0]]))
    array([[0.6, 0.8],
           [0. , 0. ]])
    """
    lengths = np.linalg.norm(points, axis=1, keepdims=True)
    if lengths.min() < SHORT:
        points = points * np.where(lengths < SHORT, LIFT, 1.0)
        lengths = np.linalg.norm(points, axis=1, keepdims=True)
    return points / np.where(lengths > 0, lengths, 1.0)
