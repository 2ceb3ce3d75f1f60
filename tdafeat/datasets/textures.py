"""The embedded data set: procedural textures, no file and no network needed.

Sixteen classes of the Describable Textures Dataset's vocabulary, each image painted with its own
scale, orientation, place, tilt, warp, colours, contrast and light, so that a class is known by
its structure and by nothing else. An image is a function of (seed, split, class, number),
the same picture at any size.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.random import Generator

from tdafeat.datasets.imageset import ImageSet
from tdafeat.datasets.patterns import NAMES, PATTERNS
from tdafeat.datasets.plane import waves

CLASSES = NAMES
PER_CLASS = {"train": 200, "test": 100}
GENERATOR = 1  # version: raise it whenever a change alters any pixel
COLOURS = {
    "black": (0.07, 0.07, 0.08),
    "white": (0.95, 0.94, 0.92),
    "grey": (0.52, 0.52, 0.53),
    "red": (0.76, 0.13, 0.14),
    "orange": (0.93, 0.52, 0.14),
    "yellow": (0.95, 0.83, 0.25),
    "green": (0.18, 0.52, 0.24),
    "blue": (0.16, 0.32, 0.70),
    "purple": (0.44, 0.20, 0.54),
    "pink": (0.94, 0.58, 0.70),
    "brown": (0.42, 0.27, 0.15),
}
_LUMA = np.array([0.299, 0.587, 0.114])
_SUPERSAMPLING = 2


@dataclass(frozen=True)
class Look:
    """Everything about an image but its pattern.

    Attributes
    ----------
    colours : names of the two colours, of tone 0 and of tone 1.
    rgb : (2, 3), these colours as painted, in [0, 1].
    periods : periods of the pattern per image side.
    angle : of the pattern, in radians, in [0, pi).
    offset : (2,), place of the pattern, in periods.
    tilt : (2,), perspective of the plane.
    warp : displacement, in periods.
    light : (2,), strength and direction (radians) of the fall of light.
    gamma, grain : exponent of the tones; standard deviation of the grain, in [0, 1].
    """

    colours: tuple[str, str]
    rgb: np.ndarray
    periods: float
    angle: float
    offset: np.ndarray
    tilt: np.ndarray
    warp: float
    light: np.ndarray
    gamma: float
    grain: float


def _generator(seed: int, split: str, label: int, number: int) -> Generator:
    stream = np.random.SeedSequence((seed, list(PER_CLASS).index(split), label, number))
    return np.random.Generator(np.random.Philox(stream))


def _draw_look(rng: Generator, name: str) -> Look:
    names = list(COLOURS)
    while True:  # two colours a colour-blind reader could tell apart
        first, second = rng.choice(len(names), 2, replace=False)
        pair = (names[first], names[second])
        rgb = np.array([COLOURS[pair[0]], COLOURS[pair[1]]]) + rng.uniform(-0.06, 0.06, (2, 3))
        if abs((rgb[0] - rgb[1]) @ _LUMA) > 0.25:
            break
    contrast = rng.uniform(0.55, 1.0)
    rgb = rgb.mean(axis=0) + contrast * (rgb - rgb.mean(axis=0))
    low, high = PATTERNS[name].periods
    return Look(
        colours=pair,
        rgb=np.clip(rgb, 0, 1),
        periods=float(np.exp(rng.uniform(np.log(low), np.log(high)))),
        angle=float(rng.uniform(0, np.pi)),
        offset=rng.uniform(0, 8, 2) if name != "cobwebbed" else np.zeros(2),
        tilt=rng.uniform(-0.25, 0.25, 2),
        warp=float(rng.uniform(0.0, 0.07)),
        light=np.array([rng.uniform(0.0, 0.45), rng.uniform(0, 2 * np.pi)]),
        gamma=float(np.exp(rng.uniform(-0.3, 0.3))),
        grain=float(rng.uniform(0.0, 0.04)),
    )


def render(
    name: str, number: int, *, split: str = "test", seed: int = 0, size: int = 64
) -> np.ndarray:
    """Paint one image.

    Parameters
    ----------
    name : one of `CLASSES`.
    number : of the image within its class and split, from 0.
    size : side of the image in pixels.

    Returns
    -------
    (size, size, 3) uint8.

    Examples
    --------
    >>> render("grid", 0, size=32).shape
    (32, 32, 3)
    """
    rng = _generator(seed, split, CLASSES.index(name), number)
    look = _draw_look(rng, name)
    n = size * _SUPERSAMPLING
    axis = (np.arange(n) + 0.5) / n - 0.5
    px, py = np.meshgrid(axis, axis)
    depth = 1 + look.tilt[0] * px + look.tilt[1] * py
    cos, sin = np.cos(look.angle), np.sin(look.angle)
    x = (cos * px + sin * py) / depth * look.periods
    y = (cos * py - sin * px) / depth * look.periods
    slow = 1.0 / look.periods
    dx, dy = waves(rng, x, y, slow, 3), waves(rng, x, y, slow, 3)
    x = x + look.offset[0] + look.warp * dx
    y = y + look.offset[1] + look.warp * dy

    tone = PATTERNS[name].paint(rng, x, y)[..., None] ** look.gamma
    image = (1 - tone) * look.rgb[0] + tone * look.rgb[1]
    strength, direction = look.light
    fall = 1 + strength * 2 * (np.cos(direction) * px + np.sin(direction) * py)
    image = image * (fall * (1 - 0.25 * strength))[..., None]
    image = image.reshape(size, _SUPERSAMPLING, size, _SUPERSAMPLING, 3).mean(axis=(1, 3))
    image = image + look.grain * rng.standard_normal((size, size, 1))
    return (np.clip(image, 0, 1) * 255 + 0.5).astype(np.uint8)


def attributes(name: str, number: int, *, split: str = "test", seed: int = 0) -> dict[str, str]:
    """How a person would describe an image beside its pattern, in words.

    Returns
    -------
    ``ground`` and ``colour`` (names in `COLOURS`, of tone 0 and tone 1), ``scale`` (fine,
    medium, coarse: within the class's own range) and ``orientation`` (level, rising, upright,
    falling: of the pattern's first axis).

    Examples
    --------
    >>> sorted(attributes("grid", 0))
    ['colour', 'ground', 'orientation', 'scale']
    """
    look = _draw_look(_generator(seed, split, CLASSES.index(name), number), name)
    low, high = np.log(PATTERNS[name].periods)
    third = int(3 * (np.log(look.periods) - low) / (high - low))
    eighth = round(look.angle / (np.pi / 4)) % 4  # image rows run downwards
    return {
        "ground": look.colours[0],
        "colour": look.colours[1],
        "scale": ("coarse", "medium", "fine")[min(third, 2)],
        "orientation": ("level", "falling", "upright", "rising")[eighth],
    }


def _read(index: int, *, split: str, seed: int, size: int) -> np.ndarray:
    label, number = divmod(index, PER_CLASS[split])
    return render(CLASSES[label], number, split=split, seed=seed, size=size)


def load(detail: str, split: str, root: Path | None, seed: int) -> ImageSet:
    """Paint sixteen textures, 64 pixels a side: ``textures``; 32 a side: ``textures:32``.

    Raises
    ------
    ValueError if the size is not a whole number from 8 to 1024.
    """
    if not (detail or "64").isdecimal() or not 8 <= int(detail or 64) <= 1024:
        raise ValueError(f"textures takes a side of 8 to 1024 pixels; got {detail!r}")
    size, n = int(detail or 64), PER_CLASS[split]
    return ImageSet(
        name=f"textures:{detail}" if detail else "textures",
        split=split,
        ids=tuple(f"{name}/{split}-{seed}-{k:03d}" for name in CLASSES for k in range(n)),
        labels=np.repeat(np.arange(len(CLASSES)), n),
        classes=CLASSES,
        version=f"generator {GENERATOR}, seed {seed}, size {size}",
        read=partial(_read, split=split, seed=seed, size=size),
    )
