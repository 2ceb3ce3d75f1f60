"""Images decoded and resized once, for all encoders that look at them."""

from __future__ import annotations

import math
import os
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import IO

import numpy as np

from tdafeat.datasets.imageset import ImageSet
from tdafeat.encoders.base import Preprocessing
from tdafeat.errors import Unpaired

RESIDENT = 2**31  # bytes of pixels kept in memory; more lie in a temporary file, mapped
CHUNK = 2  # images a thread decodes at a time


class Decoded:
    """The pixels of an image set and of its severities, each decoded once, by threads.

    `blocks` waits for what is not there yet. Use as a context manager.

    Parameters
    ----------
    images : the set. Each of its `severities` must hold the same ids, in order.
    views : preprocessing of every encoder that will look; those that differ in normalisation
        alone share their pixels.
    threads : that decode.
    ahead : whether to start at once and go through all images in order; otherwise a block is
        decoded when it is asked for, which is faster where an encoder keeps all cores busy.

    Raises
    ------
    Unpaired for a severity of other images; OSError where the temporary file does not fit.

    Examples
    --------
    >>> from tdafeat import datasets
    >>> images = datasets.load("textures:32", limit=1)
    >>> view = Preprocessing(8, 8)
    >>> with Decoded(images, [view]) as decoded:
    ...     [block.shape for block in decoded.blocks(0, view, size=10)]
    [(10, 3, 8, 8), (6, 3, 8, 8)]
    """

    def __init__(
        self,
        images: ImageSet,
        views: Iterable[Preprocessing],
        threads: int = 1,
        ahead: bool = False,
    ) -> None:
        self.images = images
        self.sets = {0: images, **images.severities}
        for severity in self.sets.values():
            if severity.ids != images.ids:
                raise Unpaired(
                    f"{severity.name} does not have the images of {images.name}, in order"
                )
        self._views = tuple(dict.fromkeys(view.geometry for view in views))
        self._file: IO[bytes] | None = None
        self._pixels = self._room()
        self._pool = ThreadPoolExecutor(threads)
        self._ready: dict[tuple[int, int], Future[None]] = {}
        if ahead:
            for level in self.sets:
                self._chunks(level, 0, len(images))

    def blocks(self, severity: int, view: Preprocessing, size: int) -> Iterator[np.ndarray]:
        """The pixels, (at most `size`, C, H, W) uint8, block after block.

        Raises
        ------
        UnreadableData for an image that cannot be decoded.
        """
        pixels = self._pixels[severity, view.geometry]
        for start in range(0, len(self.images), size):
            stop = min(start + size, len(self.images))
            for chunk in self._chunks(severity, start, stop):
                chunk.result()
            yield pixels[start:stop]

    def _chunks(self, severity: int, start: int, stop: int) -> list[Future[None]]:
        """These images decoded or being decoded."""
        keys = [(severity, first) for first in range(start // CHUNK * CHUNK, stop, CHUNK)]
        for key in keys:
            if key not in self._ready:
                self._ready[key] = self._pool.submit(self._decode, *key)
        return [self._ready[key] for key in keys]

    def _room(self) -> dict[tuple[int, Preprocessing], np.ndarray]:
        shapes = {
            (severity, view): (len(self.images), *view.shape)
            for severity in self.sets
            for view in self._views
        }
        total = sum(math.prod(shape) for shape in shapes.values())
        if total <= RESIDENT:
            return {key: np.empty(shape, np.uint8) for key, shape in shapes.items()}
        self._file = tempfile.TemporaryFile(prefix="tdafeat-pixels-")  # noqa: SIM115
        if hasattr(os, "posix_fallocate"):  # a disk too small says so here, not as a bus error
            os.posix_fallocate(self._file.fileno(), 0, total)
        room: dict[tuple[int, Preprocessing], np.ndarray] = {}
        offset = 0
        for key, shape in shapes.items():
            room[key] = np.memmap(self._file, np.uint8, "r+", offset, shape)
            offset += math.prod(shape)
        return room

    def _decode(self, severity: int, start: int) -> None:
        source = self.sets[severity]
        for index in range(start, min(start + CHUNK, len(source))):
            image = source.read(index)
            for view in self._views:
                self._pixels[severity, view][index] = view.prepare(image)

    def close(self) -> None:
        """Stop decoding and let the pixels go."""
        self._pool.shutdown(cancel_futures=True)
        self._pixels = {}
        if self._file is not None:
            self._file.close()

    def __enter__(self) -> Decoded:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
