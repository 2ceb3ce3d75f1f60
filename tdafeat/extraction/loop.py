"""The one loop from images to features."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from torch import Tensor

from tdafeat.datasets.imageset import ImageSet
from tdafeat.extraction.compute import Compute, Precision
from tdafeat.extraction.decoded import Decoded
from tdafeat.extraction.forward import Forward, moved
from tdafeat.extraction.tables import Tables
from tdafeat.features import FeatureSet
from tdafeat.noise import Noise

if TYPE_CHECKING:
    from tdafeat.encoders import Encoder

Progress = Callable[[int, int], None]
"""Called with (images encoded so far, images to encode), over all severities."""


def extract(
    images: ImageSet,
    encoder: Encoder,
    noise: Noise | None = None,
    seed: int = 0,
    *,
    device: str | torch.device = "cpu",
    precision: Precision = "float32",
    batch_size: int | Literal["auto"] = "auto",
    compile: bool = False,
    workers: int | Literal["auto"] = "auto",
    progress: Progress | None = None,
) -> dict[int, FeatureSet]:
    """Features of the clean images and of every severity, row by row the same images.

    An encoder of patch tokens gives 16 rows per image, named ``ID#POSITION``: those of smallest
    hash, so that an image shows the same positions at every severity and in every set.

    Each image is decoded and resized once; every level is applied to its pixels on the device.
    Images that come already corrupted (`ImageSet.severities`) are read from their own files.

    Parameters
    ----------
    noise : None for clean features, or for images that come already corrupted.
    seed : of the noise.
    device, precision, batch_size, compile, workers : as `Compute` explains them.
    progress : called with (images encoded so far, images to encode), over all severities.

    Returns
    -------
    Severity -> `FeatureSet`, 0 being clean. Provenance holds data set, encoder, preprocessing,
    noise, parameter, seed, batch size, precision and device.

    Raises
    ------
    ValueError for no images, a bad device, precision, batch size or workers, noise on top of
    corrupted images, or an encoder that gives another shape than (images, D), or (images, T, D)
    if it is one of tokens, or a non-finite number;
    UnreadableData for an image that cannot be decoded;
    OutOfMemory where not even one image fits beside the encoder.

    Examples
    --------
    >>> from tdafeat import datasets, encoders, noise
    >>> images = datasets.load("textures:32", limit=1)
    >>> clouds = extract(images, encoders.load("pixels"), noise.load("gaussian", levels=(0.1,)))
    >>> sorted(clouds), len(clouds[1])
    ([0, 1], 16)
    """
    compute = Compute(device, precision, batch_size, compile, workers)
    with Decoded(images, [encoder.preprocessing], compute.threads, compute.ahead) as decoded:
        return extract_decoded(decoded, Forward(encoder, compute), noise, seed, progress)


def extract_decoded(
    decoded: Decoded,
    forward: Forward,
    noise: Noise | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> dict[int, FeatureSet]:
    """The same for images that are being decoded and an encoder that is ready, of many uses each.

    `decoded` must hold the view of the encoder's preprocessing.
    """
    images, view = decoded.images, forward.encoder.preprocessing
    if len(images) == 0:
        raise ValueError(f"{images.name} has no {images.split} image to extract features from")
    if noise is not None and images.severities:
        raise ValueError(f"{images.name} comes already corrupted; noise must be None")
    n_levels = len(noise.levels) + 1 if noise else len(decoded.sets)
    tables = Tables(images.ids, forward)
    done = 0

    def encode(first: int, offset: int, pixels: Tensor, start: int, stop: int) -> None:
        nonlocal done
        rows = slice(offset + start, offset + stop)
        steps = []
        for step, inputs in _levels(pixels[start:stop], images.ids[rows], forward, noise, seed):
            tables.put(first + step, rows, forward(inputs))
            steps.append(first + step)
        tables.check(steps, rows)
        done += len(steps) * (stop - start)
        if progress:
            progress(done, n_levels * len(images))

    with torch.inference_mode():
        for first in decoded.sets:
            offset = 0
            for pixels in moved(decoded.blocks(first, view, forward.batch_size), forward.device):
                forward.in_batches(len(pixels), partial(encode, first, offset, pixels))
                offset += len(pixels)
        tables.check_last()
    names = tables.names()
    labels = np.repeat(images.labels, len(names) // len(images))
    common = _provenance(forward, noise, seed)
    return {
        severity: FeatureSet(
            table.numpy().reshape(len(names), -1),
            names,
            labels,
            images.classes,
            provenance=common
            | _source(decoded.sets.get(severity, images))
            | {"severity": severity, "parameter": _parameter(noise, severity)},
        )
        for severity, table in tables.tables.items()
    }


def _levels(
    pixels: Tensor, ids: Sequence[str], forward: Forward, noise: Noise | None, seed: int
) -> Iterator[tuple[int, Tensor]]:
    """Severity above the source's own, and the encoder's normalised input at it."""
    normalise = forward.encoder.preprocessing.normalise
    scaled = pixels.to(torch.float32).div_(255)
    if noise is None:
        yield 0, normalise(scaled)
    elif noise.units == "normalised":
        yield from noise.sweep(normalise(scaled), ids, seed)
    else:
        for severity, noisy in noise.sweep(scaled, ids, seed):
            yield severity, normalise(noisy)


def _provenance(forward: Forward, noise: Noise | None, seed: int) -> dict[str, Any]:
    encoder = forward.encoder
    return {
        "encoder": encoder.name,
        "encoder_version": encoder.version,
        "layer": encoder.layer,
        "preprocessing": dataclasses.asdict(encoder.preprocessing),
        "noise": noise and {"name": noise.name, "version": noise.version, "units": noise.units},
        "seed": seed,
        "batch_size": forward.batch_size,
        "precision": forward.compute.precision,
        "device": str(forward.device),
    }


def _source(images: ImageSet) -> dict[str, str]:
    return {"dataset": images.name, "dataset_version": images.version, "split": images.split}


def _parameter(noise: Noise | None, severity: int) -> float | None:
    """What the severity stands for: 0 where it is clean, None where files come corrupted."""
    if severity == 0:
        return 0.0
    return noise.levels[severity - 1] if noise else None
