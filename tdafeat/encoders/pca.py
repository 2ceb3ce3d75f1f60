"""Principal components of the train images: the linear baseline, fitted anew in every study."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from tdafeat.encoders import pixels
from tdafeat.encoders.base import Encoder, refuse_checkpoint

if TYPE_CHECKING:
    from tdafeat.datasets import ImageSet

FITTING = 1  # version: raise it whenever the same images give other components


def load(detail: str, layer: str | None, checkpoint: str | None) -> Encoder:
    """Principal components of pixels, fitted on the study's train images: pca:64, pca:64/28#grey.

    ``pca:K`` sees what ``pixels`` sees, ``pca:K/SIDE`` what ``pixels:SIDE`` sees; layers rgb,
    grey. As it stands here it cannot encode: a study fits it on the clean train images of each
    seed, and `Encoder.fit` does the same elsewhere (Turk & Pentland 1991, eigenfaces).

    Raises
    ------
    ValueError for a number of components that is not at least 1 and below that of pixels.
    """
    refuse_checkpoint("pca", checkpoint)
    count, _, side = detail.partition("/")
    raw = pixels.load(side, layer, None)
    n_values = raw.dimension or 0
    if not (count.isdigit() and 1 <= int(count) < n_values):
        raise ValueError(
            f"pca:K takes from 1 to {n_values - 1} components of {n_values} pixel values; "
            f"got {count!r}"
        )
    name = f"pca:{detail}"

    def refuse(images: Tensor) -> Tensor:
        raise ValueError(f"{name} must be fitted on train images first: encoder.fit(images)")

    unfitted = replace(
        raw,
        name=name,
        version="unfitted",
        dimension=int(count),
        function=refuse,
        image_shape=None,
    )
    return replace(unfitted, fit=partial(_fitted, unfitted))


def _fitted(unfitted: Encoder, images: ImageSet) -> Encoder:
    """Components of these images; computed when first used, since their version is known before."""
    if len(images) <= (unfitted.dimension or 0):
        raise ValueError(
            f"{unfitted.name} needs more than {unfitted.dimension} train images to be fitted on; "
            f"{images.name} has {len(images)}"
        )
    components = cache(partial(_components, unfitted, images))

    def project(batch: Tensor) -> Tensor:
        mean, axes = (part.to(batch.device) for part in components())
        return (batch.flatten(start_dim=1) - mean) @ axes.T

    seen = [FITTING, images.name, images.version, images.split, list(images.ids)]
    return replace(
        unfitted,
        version=hashlib.sha256(json.dumps(seen).encode()).hexdigest()[:16],
        function=project,
        remark=f"{unfitted.name} was fitted on the clean train images of each seed "
        f"({len(images)}).",
    )


def _components(unfitted: Encoder, images: ImageSet) -> tuple[Tensor, Tensor]:
    """Mean (D,) and components (K, D) of the images' pixels in [0, 1]."""
    from tdafeat.geometry import principal_components

    prepare = unfitted.preprocessing.prepare
    rows = np.stack([prepare(images.read(position)).ravel() for position in range(len(images))])
    found = principal_components(rows / 255, unfitted.dimension)
    if len(found.components) < (unfitted.dimension or 0):
        raise ValueError(
            f"{unfitted.name} cannot be fitted: the train images of {images.name} vary in no more "
            f"than {len(found.components)} directions"
        )
    return torch.from_numpy(found.mean).float(), torch.from_numpy(found.components).float()
