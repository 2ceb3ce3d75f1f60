"""Rows as directions: points of the unit sphere."""

from __future__ import annotations

from typing import Any

import numpy as np

from tdafeat.checks import as_cloud
from tdafeat.sharing import shared


def unit_rows(features: Any, name: str = "features", min_samples: int = 1) -> np.ndarray:
    """Each row divided by its length, (n, D) float64. A row of zeros is a ValueError.

    Examples
    --------
    >>> unit_rows([[3.0, 4.0]])
    array([[0.6, 0.8]])
    """
    points = as_cloud(features, name, min_samples)
    rows = directions_of(points)
    if rows is None:
        row = int(np.flatnonzero(~points.any(axis=1))[0])
        raise ValueError(f"{name} must have a direction in every row; row {row} is all zeros")
    return rows


@shared
def directions_of(points: np.ndarray) -> np.ndarray | None:
    """Unit rows of an (n, D) float64 array, or None where one has no direction."""
    largest = np.abs(points).max(axis=1, keepdims=True)
    if not largest.all():
        return None
    points = points / largest  # the square of a tiny or huge entry would leave float64's range
    return points / np.linalg.norm(points, axis=1, keepdims=True)
