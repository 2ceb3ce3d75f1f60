"""A few of a study's own images: at every level, and beside their nearest neighbours."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from tdafeat.errors import Missing
from tdafeat.wording import TRAINING, wording

if TYPE_CHECKING:
    from tdafeat.datasets import ImageSet
    from tdafeat.encoders import Preprocessing
    from tdafeat.features import FeatureSet
    from tdafeat.noise import Noise
    from tdafeat.plan import Plan
    from tdafeat.sources import Source
    from tdafeat.store import Store

LEVELS, NEIGHBOURS = "levels", "neighbours"  # kinds of pictures
SHOWN = 4  # images in strips, and queries in galleries: of so many classes
NEAREST = 8  # of each query
SIDE = 56  # pixels of a picture in a gallery, as figures draw them
WINDOW = 112  # pixels of an encoder's input in a strip, at most


def examples(source: Source, plan: Plan, store: Store) -> Iterator[pd.DataFrame]:
    """Rows of the run's table of pictures: strips of all levels, neighbours in each space."""
    from tdafeat.encoders import Preprocessing

    images, first = source.images, plan.groups[0].cells
    assert images is not None
    clean = first[0]
    if clean.noise not in ("", TRAINING):
        words = wording(clean.noise)
        names = [words.named(severity, cell.parameter) for severity, cell in first.items()]
        seen = Preprocessing(**source.describe()[0]["preprocessing"])
        shown = strips(images, source.noise, names, seen, clean.seed)
        yield shown.assign(**clean.columns())
    for group in plan.groups:
        if group.cells[0].seed == clean.seed:
            severity = max(group.cells) if clean.noise == TRAINING else 0
            with contextlib.suppress(Missing):  # of an encoder that failed
                found = neighbours(images, group.clouds[severity].read(store))
                yield found.assign(**group.cells[severity].columns())


def strips(
    images: ImageSet, noise: Noise | None, names: Sequence[str], seen: Preprocessing, seed: int
) -> pd.DataFrame:
    """A few images as an encoder sees them at every level; of a large input the middle.

    Parameters
    ----------
    images : what is shown; where it comes corrupted, its own images of each severity.
    noise : None for images that come corrupted.
    names : of the levels, the clean one first.
    seen : preprocessing of the encoder.
    seed : of the noise.
    """
    rows = []
    for row in _one_of_each(images):
        clean = seen.prepare(images.read(row))
        if noise is not None:
            inputs = _noisy(clean, noise, images.ids[row], seen, seed)
        else:
            own = [seen.prepare(own.read(row)) for own in images.severities.values()]
            inputs = [clean, *own]
        label = images.classes[images.labels[row]]
        for rank, (name, pixels) in enumerate(zip(names, inputs, strict=True)):
            rows.append(_row(LEVELS, label, rank, name, "", _middle(pixels)))
    return pd.DataFrame(rows)


def neighbours(images: ImageSet, features: FeatureSet) -> pd.DataFrame:
    """A few images and those nearest to them by cosine, each a ``"hit"`` or ``"miss"``.

    A hit is of the query's class. No rows where features are not of these images one by one, as
    patch tokens are not.
    """
    if features.ids != images.ids:
        return pd.DataFrame()
    queries = _one_of_each(images)
    points = features.features
    lengths = np.linalg.norm(points, axis=1)
    cosines = points @ points[queries].T / np.where(lengths > 0, lengths, 1)[:, None]
    rows = []
    for query, likeness in zip(queries, cosines.T, strict=True):
        likeness[query] = -np.inf
        nearest = np.argsort(-likeness, kind="stable")[: min(NEAREST, len(points) - 1)]
        label = images.labels[query]
        for rank, row in enumerate([query, *nearest]):
            name = images.classes[images.labels[row]] if rank else "query"
            mark = ("hit" if images.labels[row] == label else "miss") if rank else ""
            pixels = _reduced(images.read(int(row)))
            rows.append(_row(NEIGHBOURS, images.classes[label], rank, name, mark, pixels))
    return pd.DataFrame(rows)


def _one_of_each(images: ImageSet) -> list[int]:
    """The first image of a few classes, spread over the list."""
    present = np.unique(images.labels)
    places = np.linspace(0, len(present) - 1, min(SHOWN, len(present))).astype(int)
    return [int(np.flatnonzero(images.labels == label)[0]) for label in present[places]]


def _noisy(
    clean: np.ndarray, noise: Noise, name: str, seen: Preprocessing, seed: int
) -> list[np.ndarray]:
    """The input at every level, the very pixels that were encoded, (C, H, W) uint8."""
    import torch

    image = torch.from_numpy(clean.copy())[None].to(torch.float32).div_(255)
    mean, std = (torch.tensor(entry).view(-1, 1, 1) for entry in (seen.mean, seen.std))
    if noise.units == "normalised":
        levels = [x * std + mean for _, x in noise.sweep(seen.normalise(image), [name], seed)]
    else:
        levels = [x for _, x in noise.sweep(image, [name], seed)]
    return [level[0].clamp(0, 1).mul(255).round().byte().numpy() for level in levels]


def _middle(pixels: np.ndarray) -> np.ndarray:
    top, left = (max(0, (side - WINDOW) // 2) for side in pixels.shape[1:])
    return pixels[:, top : top + WINDOW, left : left + WINDOW].transpose(1, 2, 0)


def _reduced(image: np.ndarray) -> np.ndarray:
    """The middle of a picture, (SIDE, SIDE, 3); of a small one the pixels stay sharp."""
    from PIL import Image, ImageOps

    picture = Image.fromarray(image).convert("RGB")
    small = max(picture.size) <= SIDE
    way = Image.Resampling.NEAREST if small else Image.Resampling.BICUBIC
    return np.asarray(ImageOps.fit(picture, (SIDE, SIDE), way))


def _row(
    kind: str, label: str, rank: int, caption: str, mark: str, pixels: np.ndarray
) -> dict[str, Any]:
    from PIL import Image

    grey = pixels.shape[2] == 1
    picture = Image.fromarray(pixels[:, :, 0] if grey else pixels)
    buffer = BytesIO()
    (picture if grey else picture.quantize(32)).save(buffer, "PNG", optimize=True)
    about = {"scope": "all", "analysis": "", "kind": kind, "set": label, "rank": rank}
    return {**about, "caption": caption, "mark": mark, "png": buffer.getvalue()}
