"""Landmarks: few points that stand for a large cloud, and how far they are from the rest."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np


def farthest_points(
    distances_from: Callable[[int], np.ndarray], n_landmarks: int
) -> tuple[np.ndarray, float]:
    """Farthest-point sampling from the first point on: landmarks and their covering radius.

    Each landmark is the point farthest from those before it (the first of several), so the
    covering radius is at most twice the smallest one possible with as many points. Sampling stops
    early once the radius is zero: all other points are duplicates and change no diagram.

    Parameters
    ----------
    distances_from : index of a point -> its distances to all points, `(n_samples,)`.
    n_landmarks : how many to take, at least 1.

    Returns
    -------
    indices : int64 `(at most n_landmarks,)`, in the order taken.
    covering_radius : largest distance of a point to its nearest landmark. Rips diagrams of the
        landmarks differ from those of the cloud by at most twice that in bottleneck distance.

    References
    ----------
    Gonzalez (1985), "Clustering to minimize the maximum intercluster distance"; de Silva and
    Carlsson (2004), "Topological estimation using witness complexes".

    Examples
    --------
    >>> line = np.array([0.0, 1.0, 2.0, 10.0])
    >>> indices, radius = farthest_points(lambda i: abs(line - line[i]), 2)
    >>> indices.tolist(), float(radius)
    ([0, 3], 2.0)
    """
    indices = [0]
    to_landmarks = distances_from(0)
    while len(indices) < n_landmarks and to_landmarks.max() > 0:
        indices.append(int(to_landmarks.argmax()))
        to_landmarks = np.minimum(to_landmarks, distances_from(indices[-1]))
    return np.array(indices), float(to_landmarks.max())
