"""An encoder at work: on its device, at its precision, in batches that fit."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from tdafeat.encoders.base import Encoder
from tdafeat.errors import TdafeatError
from tdafeat.extraction.compute import Compute

# An automatic batch is as many images as so many bytes hold in float32, up to so many. On a CPU
# more costs time: past 32 MB the allocator returns every buffer and maps it anew, page by page.
AUTOMATIC = {"cpu": (20_000_000, 64), "cuda": (250_000_000, 256)}


class OutOfMemory(TdafeatError):
    """A single image does not fit beside the encoder."""


class Forward:
    """An encoder made ready, once, for any number of images.

    Attributes
    ----------
    batch_size : images per pass; smaller after memory ran out.

    Examples
    --------
    >>> from tdafeat import encoders
    >>> Forward(encoders.load("pixels"), Compute("cpu")).batch_size
    64
    """

    def __init__(self, encoder: Encoder, compute: Compute) -> None:
        self.compute = compute
        self.device = compute.place
        encoder = encoder.to(self.device)
        if compute.compile:
            encoder = replace(encoder, function=torch.compile(encoder.function))
        self.encoder = encoder
        self.batch_size = (
            automatic_batch(encoder.preprocessing.shape, self.device)
            if compute.batch_size == "auto"
            else compute.batch_size
        )

    def __call__(self, inputs: Tensor) -> Tensor:
        """Features (B, D) or (B, T, D), float32, of normalised images on the device."""
        precision = getattr(torch, self.compute.precision)
        if self.encoder.module is not None:
            inputs = inputs.contiguous(memory_format=torch.channels_last)
        with torch.autocast(self.device.type, precision, enabled=precision != torch.float32):
            return self.encoder.encode(inputs)

    def in_batches(self, n: int, work: Callable[[int, int], None]) -> None:
        """``work(start, stop)`` over `n` images; again in halves where memory runs out.

        Raises
        ------
        OutOfMemory where it runs out with one image.
        """
        start = 0
        while start < n:
            stop = min(start + self.batch_size, n)
            try:
                work(start, stop)
            except RuntimeError as error:
                if not _is_out_of_memory(error):
                    raise
                if stop - start == 1:
                    raise OutOfMemory(
                        f"encoder {self.encoder.name} has not enough memory on {self.device} for "
                        "one image; take another device or precision"
                    ) from error
            else:
                start = stop
                continue
            # out here, since an exception keeps the tensors of where it was raised
            self.batch_size = (stop - start) // 2
            if self.device.type == "cuda":
                torch.cuda.empty_cache()


def automatic_batch(shape: tuple[int, int, int], device: torch.device) -> int:
    """Images per forward pass, a power of two, that suit the device.

    Examples
    --------
    >>> automatic_batch((3, 224, 224), torch.device("cpu"))
    32
    """
    n_bytes, most = AUTOMATIC[device.type]
    fitting = n_bytes // (4 * math.prod(shape))
    return min(most, 2 ** int(math.log2(max(1, fitting))))


def moved(blocks: Iterable[np.ndarray], device: torch.device) -> Iterator[Tensor]:
    """Blocks of pixels on the device; to a GPU they travel while the one before is encoded."""
    if device.type == "cpu":
        yield from map(torch.from_numpy, blocks)
        return
    side = torch.cuda.Stream(device)
    main = torch.cuda.current_stream(device)
    for block in blocks:
        with torch.cuda.stream(side):
            pixels = torch.from_numpy(block).pin_memory().to(device, non_blocking=True)
        main.wait_stream(side)
        pixels.record_stream(main)  # its memory belongs to the other stream's pool
        yield pixels


def _is_out_of_memory(error: RuntimeError) -> bool:
    # cuBLAS and the CPU's allocator have no class of their own for it
    words = ("CUBLAS_STATUS_ALLOC_FAILED", "can't allocate memory")
    return isinstance(error, torch.OutOfMemoryError) or any(word in str(error) for word in words)
