"""Training images as tensors: prepared once, split by class, augmented on the fly."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from tdafeat import datasets
from tdafeat.datasets import ImageSet
from tdafeat.encoders import Preprocessing
from tdafeat.progress import Progress


@dataclass(frozen=True)
class Batchable:
    """All images of a set in memory.

    Attributes
    ----------
    pixels : (n, C, H, W) uint8.
    labels : (n,) int64.
    classes : class names.
    description : of the data set, in plain values for model cards.
    """

    pixels: Tensor
    labels: Tensor
    classes: tuple[str, ...]
    description: Mapping[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: Tensor) -> Batchable:
        """These rows."""
        return replace(self, pixels=self.pixels[rows], labels=self.labels[rows])


def prepared(
    name: str, split: str, preprocessing: Preprocessing, seeds: Sequence[int] = (0,)
) -> Batchable:
    """Every image of a data set, resized and cropped.

    Parameters
    ----------
    seeds : for procedural sets, one set of fresh images each; other sets take one seed.

    Raises
    ------
    ValueError if two seeds give the same images; what `tdafeat.datasets.load` raises.

    Examples
    --------
    >>> small = Preprocessing(8, 8, mean=(0.5,), std=(0.5,), channels=1)
    >>> prepared("textures:8", "test", small).pixels.shape[1:]
    torch.Size([1, 8, 8])
    """
    sets = [datasets.load(name, split=split, seed=seed) for seed in seeds]
    if len({images.version for images in sets}) < len(sets):
        raise ValueError(f"seeds must give different images; those of {name} need one seed alone")
    return batchable(sets, preprocessing)


def batchable(sets: Sequence[ImageSet], preprocessing: Preprocessing) -> Batchable:
    """Every image of sets that are of one data set and split, resized and cropped.

    Examples
    --------
    >>> small = Preprocessing(8, 8, mean=(0.5,), std=(0.5,), channels=1)
    >>> len(batchable([datasets.load("textures:8", "test")], small))
    1600
    """
    first = sets[0]
    with Progress(f"{first.split} images", sum(map(len, sets))) as progress:
        pixels = [_pixels(images, preprocessing, progress) for images in sets]
    labels = np.concatenate([images.labels for images in sets])
    description = {
        "name": first.name,
        "split": first.split,
        "versions": [images.version for images in sets],
        "n_images": len(labels),
        "classes": list(first.classes),
    }
    stacked = torch.from_numpy(np.concatenate(pixels))
    return Batchable(stacked, torch.from_numpy(labels), first.classes, description)


def _pixels(images: ImageSet, preprocessing: Preprocessing, progress: Progress) -> np.ndarray:
    ready = []
    for index in range(len(images)):
        ready.append(preprocessing.prepare(images.read(index)))
        progress.advance()
    return np.stack(ready)


def holdout(data: Batchable, fraction: float, seed: int) -> tuple[Batchable, Batchable]:
    """Split off a fraction of every class, at least one image, for validation.

    Returns
    -------
    (train, validation).

    Raises
    ------
    ValueError if a class has fewer than two images.
    """
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(data), generator=generator)
    held = torch.zeros(len(data), dtype=torch.bool)
    for label in range(len(data.classes)):
        rows = order[data.labels[order] == label]
        if len(rows) < 2:
            raise ValueError(
                f"class {data.classes[label]!r} needs at least 2 images to train on; "
                f"it has {len(rows)}"
            )
        held[rows[: max(1, round(fraction * len(rows)))]] = True
    return data.take((~held).nonzero()[:, 0]), data.take(held.nonzero()[:, 0])


def augment(
    images: Tensor, generator: torch.Generator, degrees: float = 10.0, shift: float = 0.1
) -> Tensor:
    """Turn each image by up to `degrees` and move it by up to `shift` of its side.

    Parameters
    ----------
    images : (B, C, H, W) normalised float; what is moved in from outside repeats the border.
    generator : on the CPU; the same state gives the same turns and moves on every device.

    Examples
    --------
    >>> still = augment(torch.eye(4)[None, None], torch.Generator(), degrees=0, shift=0)
    >>> bool(torch.allclose(still, torch.eye(4), atol=1e-5))
    True
    """
    n = len(images)
    angle = (2 * torch.rand(n, generator=generator) - 1) * math.radians(degrees)
    moved = (2 * torch.rand(n, 2, generator=generator) - 1) * 2 * shift  # sides are 2 wide here
    cos, sin = angle.cos(), angle.sin()
    first = torch.stack([cos, -sin, moved[:, 0]], dim=1)
    second = torch.stack([sin, cos, moved[:, 1]], dim=1)
    affine = torch.stack([first, second], dim=1).to(images.device)
    grid = functional.affine_grid(affine, list(images.shape), align_corners=False)
    return functional.grid_sample(images, grid, padding_mode="border", align_corners=False)
