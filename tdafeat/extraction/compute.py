"""How features are computed: device, precision, batch, threads."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Literal, get_args

import torch

from tdafeat.devices import resolve_device

Precision = Literal["float32", "bfloat16", "float16"]


@dataclass(frozen=True)
class Compute:
    """How forward passes are computed; all but `precision` changes last digits at most.

    Attributes
    ----------
    device : ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"cuda:N"``.
    precision : of the forward pass (autocast: sums and norms stay in float32); features are
        float32 always. ``"float32"`` is what torch takes for it: convolutions on recent GPUs use
        TF32 unless torch is told otherwise.
    batch_size : images per forward pass; ``"auto"`` goes by the size of the images. Where memory
        runs out it is halved.
    compile : by `torch.compile`, which takes a minute and a C++ compiler.
    workers : threads that decode images; ``"auto"`` is one per core, 8 at most.

    Examples
    --------
    >>> Compute(batch_size=0)
    Traceback (most recent call last):
    ...
    ValueError: batch_size must be at least 1, or 'auto'; got 0
    """

    device: str | torch.device = "auto"
    precision: Precision = "float32"
    batch_size: int | Literal["auto"] = "auto"
    compile: bool = False
    workers: int | Literal["auto"] = "auto"

    def __post_init__(self) -> None:
        resolve_device(self.device)
        if self.precision not in get_args(Precision):
            known = ", ".join(get_args(Precision))
            raise ValueError(f"precision must be one of {known}; got {self.precision!r}")
        for name in ("batch_size", "workers"):
            value = getattr(self, name)
            if value != "auto" and not (isinstance(value, int) and value >= 1):
                raise ValueError(f"{name} must be at least 1, or 'auto'; got {value!r}")

    @property
    def place(self) -> torch.device:
        """The device, resolved."""
        return resolve_device(self.device)

    @property
    def threads(self) -> int:
        """How many threads decode."""
        return min(8, os.cpu_count() or 1) if self.workers == "auto" else self.workers

    @property
    def ahead(self) -> bool:
        """Whether they decode while the encoder works: only on cores that it leaves free.

        Threads that share a core hold up all others of a forward pass, which wait for each other.
        """
        free = (os.cpu_count() or 1) - torch.get_num_threads()
        return self.place.type != "cpu" or free >= self.threads
