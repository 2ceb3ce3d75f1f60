"""Reading weights from files: safetensors, or torch files without unpickling anything."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from tdafeat.errors import DataUnavailable, UnreadableData

EMBEDDED = Path(__file__).parent / "weights"


def read_weights(path: str | Path) -> dict[str, Tensor]:
    """Named tensors of a checkpoint.

    Parameters
    ----------
    path : ``.safetensors``, or a torch file that holds tensors alone (possibly under the key
        ``state_dict``, ``model`` or ``teacher``, as published checkpoints do).

    Raises
    ------
    DataUnavailable if there is no such file; UnreadableData if it is truncated, not a checkpoint,
    or holds anything but tensors and plain values.
    """
    path = Path(path)
    if not path.is_file():
        raise DataUnavailable(f"{path}: there is no such checkpoint")
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            state = load_file(path)
        else:
            state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # each format fails with exceptions of its own
        reason = "it holds pickled objects" if "weights_only" in str(error).lower() else "damaged"
        raise UnreadableData(
            f"{path}: not a readable checkpoint ({reason}); safetensors, or a torch file of "
            f"tensors alone, is expected"
        ) from None
    for wrapper in ("state_dict", "model", "teacher"):
        if isinstance(state, dict) and isinstance(state.get(wrapper), dict):
            state = state[wrapper]
    if not isinstance(state, dict) or not state:
        raise UnreadableData(f"{path}: not a checkpoint: it holds no named tensors")
    tensors = {
        str(name).removeprefix("module."): value
        for name, value in state.items()
        if isinstance(value, Tensor)
    }
    if not tensors:
        raise UnreadableData(f"{path}: not a checkpoint: it holds no named tensors")
    return tensors


def fill(module: nn.Module, state: dict[str, Tensor], source: str | Path) -> None:
    """Load weights into a network, which must be exactly theirs.

    Raises
    ------
    UnreadableData naming the first weight that is missing, unexpected or of another shape.
    """
    wanted = module.state_dict()
    missing, surplus = sorted(wanted.keys() - state.keys()), sorted(state.keys() - wanted.keys())
    shapes = [n for n in sorted(wanted.keys() & state.keys()) if wanted[n].shape != state[n].shape]
    if missing or surplus or shapes:
        if shapes:
            name = shapes[0]
            example = f"{name} is {tuple(state[name].shape)} for {tuple(wanted[name].shape)}"
        else:
            example = f"{missing[0]} is missing" if missing else f"{surplus[0]} is not expected"
        raise UnreadableData(
            f"{source}: weights of another architecture ({len(missing)} missing, {len(surplus)} "
            f"unexpected, {len(shapes)} of another shape; {example})"
        )
    module.load_state_dict(state)
