"""Rows of features that may be a memory map, whose pages are given back once they are read."""

from __future__ import annotations

import mmap
from typing import Any

import numpy as np

from tdafeat.checks import as_cloud

AT_ONCE = 128  # rows read of a map: with each the system may bring in a megabyte around it


def taken(features: Any, rows: np.ndarray, name: str = "features") -> np.ndarray:
    """Some rows of features that may be a memory map, checked, (m, D) float64.

    Examples
    --------
    >>> taken(np.arange(6).reshape(3, 2), np.array([2, 0]))
    array([[4., 5.],
           [0., 1.]])
    """
    if not isinstance(features, np.memmap):
        return np.array(as_cloud(features[rows], name))
    parts = []
    for start in range(0, len(rows), AT_ONCE):
        parts.append(np.array(features[rows[start : start + AT_ONCE]]))
        give_back(features)
    return as_cloud(np.concatenate(parts), name)


def give_back(features: Any) -> None:
    """Drop the pages of a memory map from this process: the file still holds what they held."""
    if not (isinstance(features, np.memmap) and features.mode in ("r", "r+")):
        return
    base: Any = features
    while base is not None and not isinstance(base, mmap.mmap):
        base = getattr(base, "base", None)
    if base is not None and hasattr(mmap, "MADV_DONTNEED"):
        base.madvise(mmap.MADV_DONTNEED)
