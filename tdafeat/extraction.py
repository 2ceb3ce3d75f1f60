"""The one loop from images to features: data set x noise x encoder."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from tdafeat.datasets.imageset import ImageSet, hash_order
from tdafeat.errors import Unpaired
from tdafeat.features import FeatureSet
from tdafeat.noise import Noise

if TYPE_CHECKING:
    from tdafeat.encoders import Encoder

TOKENS = 16  # patch tokens kept of an image: all would be gigabytes per level


def resolve_device(device: str | torch.device) -> torch.device:
    """``"auto"``, ``"cpu"``, ``"cuda"`` or ``"cuda:1"`` as a device that is there.

    Raises
    ------
    ValueError if it is none of these, or a GPU that torch does not see.

    Examples
    --------
    >>> resolve_device("cpu")
    device(type='cpu')
    """
    n_gpus = torch.cuda.device_count()
    if device == "auto":
        return torch.device("cuda" if n_gpus else "cpu")
    try:
        resolved = torch.device(device)
    except RuntimeError:
        resolved = None
    if resolved is None or resolved.type not in ("cpu", "cuda"):
        raise ValueError(f"device must be 'auto', 'cpu', 'cuda' or 'cuda:N'; got {str(device)!r}")
    if resolved.type == "cuda" and (resolved.index or 0) >= n_gpus:
        raise ValueError(
            f"device {str(device)!r} is not there: torch sees {n_gpus} CUDA devices; "
            f"use 'cpu' or 'auto'"
        )
    return resolved


def extract(
    images: ImageSet,
    encoder: Encoder,
    noise: Noise | None = None,
    seed: int = 0,
    device: str | torch.device = "cpu",
    batch_size: int = 64,
    workers: int = 0,
    progress: Callable[[int, int], None] | None = None,
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
    device : ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"cuda:N"``.
    batch_size : images per forward pass; changes the features in their last digits.
    workers : threads that decode ahead; 0 decodes in between.
    progress : called with (images encoded so far, images to encode), over all severities.

    Returns
    -------
    Severity -> `FeatureSet`, 0 being clean. Provenance holds data set, encoder, preprocessing,
    noise, parameter, seed, batch size, dtype and device.

    Raises
    ------
    ValueError for no images, a bad device, batch size or workers, noise on top of corrupted
    images, or an encoder that gives another shape than (images, D), or (images, T, D) if it is one
    of tokens, or a non-finite number;
    UnreadableData for an image that cannot be decoded.

    Examples
    --------
    >>> from tdafeat import datasets, encoders, noise
    >>> images = datasets.load("textures:32", limit=1)
    >>> clouds = extract(images, encoders.load("pixels"), noise.load("gaussian", levels=(0.1,)))
    >>> sorted(clouds), len(clouds[1])
    ([0, 1], 16)
    """
    if len(images) == 0:
        raise ValueError(f"{images.name} has no {images.split} image to extract features from")
    if batch_size < 1 or workers < 0:
        raise ValueError(
            f"batch_size must be at least 1 and workers at least 0; got {batch_size} and {workers}"
        )
    if noise is not None and images.severities:
        raise ValueError(f"{images.name} comes already corrupted; noise must be None")
    target = resolve_device(device)
    encoder = encoder.to(target)
    sources = {0: images, **images.severities}
    n_levels = len(noise.levels) + 1 if noise else len(sources)
    features: dict[int, np.ndarray] = {}
    rows: list[str] = []
    done = 0
    with torch.inference_mode():
        for first, source in sources.items():
            if source.ids != images.ids:
                raise Unpaired(f"{source.name} does not have the images of {images.name}, in order")
            for start, pixels in _batches(source, encoder, batch_size, workers):
                ids = source.ids[start : start + len(pixels)]
                for step, inputs in _levels(pixels.to(target), ids, encoder, noise, seed):
                    encoded, names = _encode(encoder, inputs, ids)
                    if first + step not in features:
                        shape = (len(images), *encoded.shape[1:])
                        features[first + step] = np.empty(shape, np.float32)
                    table = features[first + step]
                    if table.shape[1:] != encoded.shape[1:]:
                        raise ValueError(
                            f"encoder {encoder.name} must give every batch the same shape; "
                            f"got {table.shape[1:]} and {encoded.shape[1:]} per image"
                        )
                    table[start : start + len(ids)] = encoded
                    if first + step == 0:
                        rows += names
                    done += len(ids)
                    if progress:
                        progress(done, n_levels * len(images))
    common = _provenance(encoder, noise, seed, batch_size, target)
    return {
        severity: FeatureSet(
            table.reshape(len(rows), -1),
            tuple(rows),
            np.repeat(images.labels, len(rows) // len(images)),
            images.classes,
            provenance=common
            | _source(sources.get(severity, images))
            | {"severity": severity, "parameter": _parameter(noise, severity)},
        )
        for severity, table in features.items()
    }


def _batches(
    source: ImageSet, encoder: Encoder, batch_size: int, workers: int
) -> Iterator[tuple[int, Tensor]]:
    """Position of the first image, and the pixels (B, C, H, W) uint8, batch after batch."""

    def prepare(index: int) -> np.ndarray:
        return encoder.preprocessing.prepare(source.read(index))

    starts = range(0, len(source), batch_size)

    def members(start: int) -> range:
        return range(start, min(start + batch_size, len(source)))

    if workers == 0:
        for start in starts:
            yield start, _stack([prepare(i) for i in members(start)])
        return
    with ThreadPoolExecutor(workers) as pool:
        ahead = [pool.submit(prepare, i) for i in members(0)]
        try:
            for start in starts:
                ready = ahead  # decode the next batch while this one is encoded
                ahead = [pool.submit(prepare, i) for i in members(start + batch_size)]
                yield start, _stack([future.result() for future in ready])
        finally:
            pool.shutdown(cancel_futures=True)


def _stack(images: Sequence[np.ndarray]) -> Tensor:
    # stack keeps the strides of transposed images, which would slow the encoder down
    return torch.from_numpy(np.ascontiguousarray(np.stack(images)))


def _levels(
    pixels: Tensor, ids: Sequence[str], encoder: Encoder, noise: Noise | None, seed: int
) -> Iterator[tuple[int, Tensor]]:
    """Severity above the source's own, and the encoder's normalised input at it."""
    normalise = encoder.preprocessing.normalise
    scaled = pixels.to(torch.float32) / 255
    if noise is None:
        yield 0, normalise(scaled)
    elif noise.units == "normalised":
        yield from noise.sweep(normalise(scaled), ids, seed)
    else:
        for severity, noisy in noise.sweep(scaled, ids, seed):
            yield severity, normalise(noisy)


def kept_tokens(image: str, n_tokens: int) -> np.ndarray:
    """Positions of an image's tokens that are kept, in order: `TOKENS` of them at most.

    Examples
    --------
    >>> kept_tokens("grid/7", 64).tolist() == kept_tokens("grid/7", 64).tolist()
    True
    >>> kept_tokens("grid/7", 4).tolist()
    [0, 1, 2, 3]
    """
    order = hash_order([f"{image}#{position}" for position in range(n_tokens)], seed=0)
    return np.sort(order[:TOKENS])


def _encode(encoder: Encoder, inputs: Tensor, ids: Sequence[str]) -> tuple[np.ndarray, list[str]]:
    """Features, (images, D) or (images, tokens kept, D), and the names of their rows."""
    encoded = encoder.encode(inputs)
    if encoded.ndim != 2 + encoder.tokens or len(encoded) != len(ids):
        expected = f"({len(ids)}, {'T, ' if encoder.tokens else ''}D)"
        raise ValueError(
            f"encoder {encoder.name} must return shape {expected} for {len(ids)} images; "
            f"got {tuple(encoded.shape)}"
        )
    table, names = encoded.to("cpu", torch.float32).numpy(), list(ids)
    finite = np.isfinite(table).all(axis=tuple(range(1, table.ndim)))
    if not finite.all():
        image = ids[int(np.argmin(finite))]
        raise ValueError(f"encoder {encoder.name} gave NaN or infinite features for image {image}")
    if encoder.tokens:
        kept = [kept_tokens(image, table.shape[1]) for image in ids]
        table = np.stack([tokens[own] for tokens, own in zip(table, kept, strict=True)])
        names = [f"{image}#{k}" for image, own in zip(ids, kept, strict=True) for k in own]
    return table, names


def _provenance(
    encoder: Encoder, noise: Noise | None, seed: int, batch_size: int, device: torch.device
) -> dict[str, Any]:
    return {
        "encoder": encoder.name,
        "encoder_version": encoder.version,
        "layer": encoder.layer,
        "preprocessing": dataclasses.asdict(encoder.preprocessing),
        "noise": noise and {"name": noise.name, "version": noise.version, "units": noise.units},
        "seed": seed,
        "batch_size": batch_size,
        "dtype": "float32",
        "device": str(device),
    }


def _source(images: ImageSet) -> dict[str, str]:
    return {"dataset": images.name, "dataset_version": images.version, "split": images.split}


def _parameter(noise: Noise | None, severity: int) -> float | None:
    """What the severity stands for: 0 where it is clean, None where files come corrupted."""
    if severity == 0:
        return 0.0
    return noise.levels[severity - 1] if noise else None
