"""How features are computed: device, precision, batch, threads."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Literal, get_args

import torch

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
