"""The sixteen patterns of the `textures` data set, as functions of the plane.

A pattern takes a generator and coordinates (x, y), in units of its own period, and returns a
tone in [0, 1] at each of them. It knows no colour, size, place or orientation: those belong to
`textures`. Names are those of the Describable Textures Dataset (Cimpoi et al. 2014).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.random import Generator

from tdafeat.datasets.plane import Array, discs, inside, lookup, to_line, waves, worley

Paint = Callable[[Generator, Array, Array], Array]


class Pattern(NamedTuple):
    """How to paint one class: the function and its range of periods per image side."""

    paint: Paint
    periods: tuple[float, float]


PATTERNS: dict[str, Pattern] = {}


def pattern(name: str, periods: tuple[float, float]) -> Callable[[Paint], Paint]:
    """Register the decorated function under the name of its class."""

    def register(paint: Paint) -> Paint:
        PATTERNS[name] = Pattern(paint, periods)
        return paint

    return register


# ---- lines -----------------------------------------------------------------------------------


@pattern("banded", periods=(2.5, 5))
def banded(rng: Generator, x: Array, y: Array) -> Array:
    """Wide bands of unequal width, each in its own tone."""
    widths = rng.uniform(0.35, 1.6, 40)
    steps = np.where(rng.random(40) < 0.5, -1, 1) * rng.uniform(0.3, 0.7, 40)
    tones = np.abs(np.cumsum(steps) % 2 - 1)
    edges = np.cumsum(widths) - widths.sum() / 2
    edges = np.repeat(edges, 2) + np.tile([-0.04, 0.04], 40)
    return np.interp(y, edges, np.roll(np.repeat(tones, 2), -1))


@pattern("striped", periods=(6, 13))
def striped(rng: Generator, x: Array, y: Array) -> Array:
    """Narrow stripes of equal width in two tones."""
    return inside(to_line(y) - rng.uniform(0.2, 0.3), 0.12)


@pattern("zigzagged", periods=(3, 6.5))
def zigzagged(rng: Generator, x: Array, y: Array) -> Array:
    """Stripes folded to and fro at sharp corners."""
    fold = rng.uniform(0.7, 1.3) * 2 * to_line(x * rng.uniform(0.6, 0.9))
    return inside(to_line(y + fold) - rng.uniform(0.18, 0.3), 0.1)


@pattern("grid", periods=(3, 7))
def grid(rng: Generator, x: Array, y: Array) -> Array:
    """Thin lines in two perpendicular directions on a plain ground."""
    width = rng.uniform(0.04, 0.1)
    lines = np.minimum(to_line(x * rng.uniform(0.75, 1.0)), to_line(y))
    return inside(lines - width)


@pattern("crosshatched", periods=(9, 16))
def crosshatched(rng: Generator, x: Array, y: Array) -> Array:
    """Many uneven strokes crossing at a slant, as of a pen."""
    paper = np.ones_like(x)
    slant = rng.uniform(0.45, 0.8)
    for angle in (slant, -slant, rng.uniform(-0.2, 0.2) + np.pi / 2):
        across = np.cos(angle) * y - np.sin(angle) * x
        along = np.cos(angle) * x + np.sin(angle) * y
        stroke = np.floor(across)
        shift, weight, tilt = (lookup(table, stroke) for table in rng.random((3, 32)))
        centre = across - stroke - 0.35 - 0.3 * shift - 0.02 * (tilt - 0.5) * along
        pressure = 0.75 + 0.25 * np.sin(0.7 * along + 2 * np.pi * weight)
        if abs(angle) > 1:  # the third direction only darkens some parts
            pressure = pressure * inside(-waves(rng, x, y, 0.05), 1.0)
        paper *= 1 - (0.5 + 0.5 * weight) * pressure * inside(np.abs(centre) - 0.14, 0.2)
    return paper


@pattern("cobwebbed", periods=(1, 1.4))
def cobwebbed(rng: Generator, x: Array, y: Array) -> Array:
    """Threads running out from one point, joined by sagging rings."""
    cx, cy = rng.uniform(-0.25, 0.25, 2)
    radius, angle = np.hypot(x - cx, y - cy), np.arctan2(y - cy, x - cx)
    n_spokes = int(rng.integers(9, 15))
    turn = angle * n_spokes / (2 * np.pi) + 0.25 * np.sin(angle + rng.uniform(0, 6))
    u = turn - np.floor(turn)
    spoke = to_line(turn) * radius * 2 * np.pi / n_spokes
    sag = 1 + rng.uniform(0.12, 0.25) * 4 * u * (1 - u)
    gap = rng.uniform(0.055, 0.09)
    uneven = lookup(rng.uniform(-0.3, 0.3, 64), np.floor(turn) % n_spokes)
    ring = to_line(radius * sag / gap + uneven) * gap
    thread = 0.006
    return np.maximum(inside(spoke - thread, 0.012), 0.9 * inside(ring - thread * 0.8, 0.012))


# ---- cells -----------------------------------------------------------------------------------


@pattern("chequered", periods=(2, 4.5))
def chequered(rng: Generator, x: Array, y: Array) -> Array:
    """Squares in two tones, alternating like a chess board."""
    a, b = (np.clip(3 * np.sin(2 * np.pi * t), -1, 1) for t in (x, y))
    return 0.5 + 0.5 * a * b


@pattern("honeycombed", periods=(4, 8))
def honeycombed(rng: Generator, x: Array, y: Array) -> Array:
    """Hexagonal cells shut in by walls."""
    height = np.sqrt(3)
    best = np.full_like(x, np.inf)
    for shift in (0.0, 0.5):  # the centres of a hexagonal lattice: two rectangular ones
        u = np.abs(x - shift - np.round(x - shift))
        v = np.abs(y / height - shift - np.round(y / height - shift)) * height
        best = np.minimum(best, np.maximum(u, u / 2 + v * height / 2))
    wall = 0.5 - rng.uniform(0.05, 0.12)
    hollow = 0.35 * np.clip(best / wall, 0, 1) ** 2
    return np.maximum(hollow, 1 - inside(best - wall, 0.06))


@pattern("cracked", periods=(3, 6))
def cracked(rng: Generator, x: Array, y: Array) -> Array:
    """Plates of irregular shape parted by thin dark cracks."""
    x = x + 0.05 * waves(rng, x, y, 1.7)
    y = y + 0.05 * waves(rng, x, y, 1.7)
    first, second, tag = worley(rng, x, y, jitter=0.95)
    width = 0.05 + 0.03 * waves(rng, x, y, 0.4)
    plate = 0.72 + 0.28 * tag
    return plate * (1 - inside(second - first - width, 0.08))


@pattern("scaly", periods=(4, 8))
def scaly(rng: Generator, x: Array, y: Array) -> Array:
    """Rows of overlapping round scales."""
    rise = rng.uniform(0.42, 0.55)
    tint = rng.random((16, 16))
    tone, covered = np.zeros_like(x), np.zeros_like(x, dtype=bool)
    for step in (1, 0, -1, -2):  # the nearest row lies on top
        row = np.floor(y / rise) + step
        shift = 0.5 * (row % 2)
        column = np.round(x - shift)
        distance = np.hypot(x - shift - column, y - row * rise) / 0.58
        mine = ~covered & (distance < 1) & (y < row * rise + 0.58)
        shade = 1 - 0.75 * distance**3 - 0.15 * lookup(tint, column, row)
        tone = np.where(mine, shade, tone)
        covered |= mine
    return np.clip(tone, 0, 1)


@pattern("woven", periods=(4, 8))
def woven(rng: Generator, x: Array, y: Array) -> Array:
    """Strands passing over and under one another."""
    other = rng.uniform(0.6, 1.0)
    fibres = int(rng.integers(2, 4))
    across = (np.floor(x) + np.floor(y)) % 2 == 0
    u, v = x - np.floor(x) - 0.5, y - np.floor(y) - 0.5
    side, along = np.where(across, v, u), np.where(across, u, v)
    rounded = 0.25 + 0.75 * np.cos(np.pi * along / 1.15)  # a strand dives under its neighbours
    fibre = 0.72 + 0.28 * np.cos(2 * np.pi * fibres * side / 0.84 + np.pi * (fibres + 1))
    strand = rounded * fibre * inside(np.abs(side) - 0.42, 0.08)
    return np.clip(strand * np.where(across, 1.0, other), 0, 1)


# ---- spots -----------------------------------------------------------------------------------


@pattern("dotted", periods=(6, 11))
def dotted(rng: Generator, x: Array, y: Array) -> Array:
    """Small dots strewn irregularly."""
    p, q, radius, number = discs(rng, x, y, 0.12, 0.24)
    return inside((np.hypot(p, q) - 1) * radius, 0.12) * (number < 0.8)


@pattern("polka-dotted", periods=(2.5, 5))
def polka_dotted(rng: Generator, x: Array, y: Array) -> Array:
    """Equal round dots on a regular lattice."""
    radius = rng.uniform(0.22, 0.33)
    if rng.random() < 0.6:  # staggered rows, the commoner kind
        x = x + 0.5 * (np.round(y) % 2)
    return inside(np.hypot(to_line(x), to_line(y)) - radius)


@pattern("bubbly", periods=(1.6, 3))
def bubbly(rng: Generator, x: Array, y: Array) -> Array:
    """Clear bubbles of many sizes, each with a bright rim and a glint."""
    tone = np.full_like(x, 0.25)
    for layer in (3.0, 2.0, 1.3, 1.0):  # small bubbles behind large ones
        u, v = x * layer + rng.uniform(0, 9), y * layer + rng.uniform(0, 9)
        p, q, _, number = discs(rng, u, v, 0.28, 0.49)
        r = np.hypot(p, q)
        glass = 0.12 + 0.75 * r**5 + inside(np.hypot(p + 0.4, q + 0.4) - 0.18, 0.15)
        mask = inside(r - 0.97, 0.08) * (number < 0.75)
        tone = tone * (1 - mask) + glass * mask
    return np.clip(tone, 0, 1)


# ---- flow ------------------------------------------------------------------------------------


@pattern("marbled", periods=(1.2, 2.6))
def marbled(rng: Generator, x: Array, y: Array) -> Array:
    """Cloudy ground run through with wandering veins."""
    u, v = x, y
    for frequency, strength in ((0.5, 0.22), (1.1, 0.11), (2.3, 0.05)):
        du, dv = (strength * waves(rng, u, v, frequency, 4) for _ in range(2))
        u, v = u + du, v + dv
    veins = np.abs(np.sin(np.pi * (v + 0.5 * waves(rng, u, v, 0.6)))) ** 0.4
    cloud = 0.5 + 0.22 * waves(rng, u, v, 0.5)
    return np.clip(0.65 * veins + 0.5 * cloud - 0.1, 0, 1)


@pattern("swirly", periods=(1.4, 2.4))
def swirly(rng: Generator, x: Array, y: Array) -> Array:
    """Stripes wound up into whirls."""
    dx, dy, spin = rng.random((3, 8, 8))
    u, v = x.copy(), y.copy()
    column, row = np.floor(x), np.floor(y)
    for i in (-1, 0, 1):
        for j in (-1, 0, 1):
            a, b = column + i, row + j
            px = a + 0.5 + 0.4 * (lookup(dx, a, b) - 0.5)
            py = b + 0.5 + 0.4 * (lookup(dy, a, b) - 0.5)
            p, q = x - px, y - py
            turn = (9 * np.sign(lookup(spin, a, b) - 0.5)) * np.exp(-(p**2 + q**2) / 0.09)
            u += p * (np.cos(turn) - 1) - q * np.sin(turn)
            v += p * np.sin(turn) + q * (np.cos(turn) - 1)
    return inside(to_line(v * rng.uniform(2.2, 3.2)) - 0.25, 0.2)


NAMES = tuple(sorted(PATTERNS))
