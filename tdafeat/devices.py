"""The device that torch computes on, by its name."""

from __future__ import annotations

import torch


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
    except (RuntimeError, TypeError):
        resolved = None
    if resolved is None or resolved.type not in ("cpu", "cuda"):
        raise ValueError(f"device must be 'auto', 'cpu', 'cuda' or 'cuda:N'; got {str(device)!r}")
    if resolved.type == "cuda" and (resolved.index or 0) >= n_gpus:
        raise ValueError(
            f"device {str(device)!r} is not there: torch sees {n_gpus} CUDA devices; "
            f"use 'cpu' or 'auto'"
        )
    return resolved
