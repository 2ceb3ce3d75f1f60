"""Labelled images: embedded textures, digits, DTD, Fashion-MNIST, and folders of one's own."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import cast, get_args

from tdafeat.datasets import digits, dtd, fashion_mnist, folder, textures
from tdafeat.datasets.imageset import ImageSet, Split
from tdafeat.record import Registry

__all__ = ["ImageSet", "Loader", "datasets", "load"]

Loader = Callable[[str, Split, Path | None, int], ImageSet]
"""(what stands after the colon of the name, split, data root or None, seed) -> images."""

datasets: Registry[Loader] = Registry("data set", "tdafeat.datasets")
datasets.add("textures", textures.load)
datasets.add("digits", digits.load)
datasets.add("dtd", dtd.load)
datasets.add("fashion_mnist", fashion_mnist.load)
datasets.add("folder", folder.load)


def load(
    name: str,
    split: str = "test",
    root: str | os.PathLike[str] | None = None,
    limit: int | None = None,
    seed: int = 0,
    corrupted: str | os.PathLike[str] | None = None,
) -> ImageSet:
    """Open a data set by name.

    Parameters
    ----------
    name : ``"textures"``, ``"textures:SIZE"``, ``"digits"``, ``"dtd"``,
        ``"fashion_mnist"``, ``"folder:PATH"``, or a name another package registered.
    split : ``"train"`` or ``"test"``.
    root : where data sets lie; by default ``$TDAFEAT_DATA``, else ``./data``.
    limit : at most this many images per class, the same number of each, a larger limit keeping
        what a smaller one took (see `ImageSet.per_class`); None for all.
    seed : which images `limit` takes, and which images `textures` paints.
    corrupted : folder of the same images already corrupted, as ``SEVERITY/CLASS/IMAGE`` with
        severities 1, 2, ..., or as ``CLASS/IMAGE`` for a single one.

    Raises
    ------
    UnknownName for a name not registered; DataUnavailable if the images are not here and cannot
    be downloaded; UnreadableData if they are damaged; Unpaired if a corrupted copy is missing;
    ValueError for a split, limit, seed or size that makes no sense.

    Examples
    --------
    >>> images = load("textures:32", limit=2)
    >>> len(images), images.read(0).shape
    (32, (32, 32, 3))
    """
    if split not in get_args(Split):
        raise ValueError(f"split must be 'train' or 'test'; got {split!r}")
    if seed < 0:
        raise ValueError(f"seed must not be negative; got {seed}")
    kind, _, detail = name.partition(":")
    images = datasets[kind](detail, cast(Split, split), None if root is None else Path(root), seed)
    if limit is not None:
        images = images.per_class(limit, seed)
    if corrupted is not None:
        images = folder.with_corrupted(images, Path(corrupted))
    return images
