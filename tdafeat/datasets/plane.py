"""Building blocks of the `textures` patterns: functions of coordinates in the plane."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

Array = np.ndarray


def inside(distance: Array, softness: float | Array = 0.06) -> Array:
    """1 where the signed distance to an edge is negative, 0 where positive, soft between."""
    return np.clip(0.5 - distance / softness, 0.0, 1.0)


def to_line(t: Array) -> Array:
    """Distance to the nearest integer."""
    return np.abs(t - np.round(t))


def waves(rng: Generator, x: Array, y: Array, frequency: float, n_waves: int = 5) -> Array:
    """Smooth random field with unit variance: plane waves near one spatial frequency."""
    total = np.zeros_like(x)
    for _ in range(n_waves):
        angle, phase = rng.uniform(0, 2 * np.pi, 2)
        k = 2 * np.pi * frequency * rng.uniform(0.6, 1.4)
        total += np.sin(k * (np.cos(angle) * x + np.sin(angle) * y) + phase)
    return total * np.sqrt(2 / n_waves)


def lookup(table: Array, *cells: Array) -> Array:
    """Entries of a random table at integer cells, repeating beyond its edge."""
    index = tuple(c.astype(np.int64) % n for c, n in zip(cells, table.shape, strict=True))
    return table[index]


def worley(rng: Generator, x: Array, y: Array, jitter: float) -> tuple[Array, Array, Array]:
    """Distances to the two nearest points of a jittered lattice, and the nearest one's number.

    The number is random in [0, 1), fixed for each point (Worley 1996).
    """
    dx, dy, tag = rng.random((3, 16, 16))
    first, second = np.full_like(x, np.inf), np.full_like(x, np.inf)
    nearest = np.zeros_like(x)
    column, row = np.floor(x), np.floor(y)
    for i in (-1, 0, 1):
        for j in (-1, 0, 1):
            a, b = column + i, row + j
            px = a + 0.5 + jitter * (lookup(dx, a, b) - 0.5)
            py = b + 0.5 + jitter * (lookup(dy, a, b) - 0.5)
            distance = np.hypot(x - px, y - py)
            closer = distance < first
            second = np.where(closer, first, np.minimum(second, distance))
            nearest = np.where(closer, lookup(tag, a, b), nearest)
            first = np.where(closer, distance, first)
    return first, second, nearest


def discs(rng: Generator, x: Array, y: Array, smallest: float, largest: float) -> list[Array]:
    """One disc of random radius and place inside each unit square.

    Returned are the position relative to its centre in radii, the radius, and a random number.
    """
    a, b = np.floor(x), np.floor(y)
    across, down, size, number = (lookup(table, a, b) for table in rng.random((4, 24, 24)))
    radius = smallest + (largest - smallest) * size
    p = (x - a - radius - (1 - 2 * radius) * across) / radius
    q = (y - b - radius - (1 - 2 * radius) * down) / radius
    return [p, q, radius, number]
