"""Principal components of the train images: the linear baseline, fitted anew in every study."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from functools import cache
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

    def unfitted(images: Tensor) -> Tensor:
        raise ValueError(f"{name} must be fitted on train images first: encoder.fit(images)")

    def fit(images: ImageSet) -> Encoder:
        return _fitted(raw, name, int(count), images)

    return replace(
        raw,
        name=name,
        version="unfitted",
        dimension=int(count),
        function=unfitted,
        fit=fit,
        image_shape=None,
    )


def _fitted(raw: Encoder, name: str, n_components: int, images: ImageSet) -> Encoder:
    """Components of these images; computed when first used, since their version is known before."""
    if len(images) <= n_components:
        raise ValueError(
            f"{name} needs more than {n_components} train images to be fitted on; "
            f"{images.name} has {len(images)}"
        )

    @cache
    def components() -> tuple[Tensor, Tensor]:
        return _components(raw, name, n_components, images)

    def project(batch: Tensor) -> Tensor:
        mean, axes = (part.to(batch.device) for part in components())
        return (batch.flatten(start_dim=1) - mean) @ axes.T

    seen = [FITTING, images.name, images.version, images.split, list(images.ids)]
    version = hashlib.sha256(json.dumps(seen).encode()).hexdigest()[:16]
    remark = f"{name} was fitted on the clean train images of each seed ({len(images)})."
    return replace(
        raw,
        name=name,
        version=version,
        dimension=n_components,
        function=project,
        remark=remark,
        image_shape=None,
    )


def _components(
    raw: Encoder, name: str, n_components: int, images: ImageSet
) -> tuple[Tensor, Tensor]:
    """Mean (D,) and components (n_components, D) of the images' pixels in [0, 1]."""
    from tdafeat.geometry import principal_components

    rows = np.stack([raw.preprocessing.prepare(images.read(i)).ravel() for i in range(len(images))])
    found = principal_components(rows / 255, n_components)
    if len(found.components) < n_components:
        raise ValueError(
            f"{name} cannot be fitted: the train images of {images.name} vary in no more than "
            f"{len(found.components)} directions"
        )
    return torch.from_numpy(found.mean).float(), torch.from_numpy(found.components).float()
