"""Reading weights from files: safetensors, or torch files without unpickling anything."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from torch import Tensor, nn

from tdafeat.encoders.hub import nearest
from tdafeat.errors import DataUnavailable, UnknownName, UnreadableData

EMBEDDED = Path(__file__).parent / "weights"
WRAPPERS = ("state_dict", "model", "teacher")  # keys published checkpoints put the weights under
PREFIXES = ("module.", "_orig_mod.")  # what parallel and compiled training put before each name


def embedded_names(family: str) -> list[str]:
    """What can stand after ``family:`` without a checkpoint.

    Examples
    --------
    >>> embedded_names("pixels")
    []
    """
    paths = EMBEDDED.glob(f"{family}-*.safetensors")
    return sorted(path.stem.removeprefix(f"{family}-") for path in paths)


def weights_file(family: str, detail: str, checkpoint: str | None) -> Path:
    """The checkpoint if one is given, else the embedded weights of ``family:detail``.

    Raises
    ------
    UnknownName, naming what is embedded, if there are no such weights.
    """
    if checkpoint is not None:
        return Path(checkpoint)
    names = embedded_names(family)
    if detail not in names:
        known = ", ".join(f"{family}:{name}" for name in names) or "none"
        raise UnknownName(
            f"unknown weights '{family}:{detail}'{nearest(detail, names)}; embedded: {known}; "
            f"for a checkpoint write {family}:{detail or 'NAME'}@FILE"
        )
    return EMBEDDED / f"{family}-{detail}.safetensors"


def read_history(path: str | Path) -> list[dict[str, float]]:
    """How weights were trained, epoch by epoch, from the model card beside them.

    Empty without a card, or where the file of that name is none: weights need no card.

    Examples
    --------
    >>> sorted(read_history(EMBEDDED / "siamese-textures.safetensors")[0])
    ['epoch', 'learning_rate', 'loss', 'score']
    """
    try:
        card = json.loads(Path(path).with_suffix(".json").read_text(encoding="utf-8"))
        return [
            {str(name): float(value) for name, value in epoch.items()}
            for epoch in card["train"]["history"]
            if "epoch" in epoch
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return []


def read_classes(path: str | Path) -> tuple[str, ...]:
    """The classes a classifier was taught, from the model card beside its weights.

    Empty without a card, or where the file of that name is none: weights need no card.

    Examples
    --------
    >>> read_classes(EMBEDDED / "densenet-textures.safetensors")[:2]
    ('banded', 'bubbly')
    """
    try:
        card = json.loads(Path(path).with_suffix(".json").read_text(encoding="utf-8"))
        return tuple(str(name) for name in card["train"]["data"]["classes"])
    except (OSError, ValueError, KeyError, TypeError):
        return ()


def read_weights(path: str | Path) -> dict[str, Tensor]:
    """Named tensors of a checkpoint, on the CPU.

    Parameters
    ----------
    path : ``.safetensors``, or a torch file that holds tensors and plain values alone, possibly
        under a key such as ``state_dict``.

    Raises
    ------
    DataUnavailable if there is no such file; UnreadableData if it is truncated, not a checkpoint,
    or holds objects or a program, neither of which is ever run.

    Examples
    --------
    >>> read_weights("nowhere.safetensors")
    Traceback (most recent call last):
    tdafeat.errors.DataUnavailable: nowhere.safetensors: there is no such checkpoint
    """
    path = Path(path)
    if not path.is_file():
        raise DataUnavailable(f"{path}: there is no such checkpoint")
    try:
        state = _read(path)
    except Exception as error:  # each format fails with exceptions of its own
        raise UnreadableData(
            f"{path}: not a readable checkpoint ({_reason(error)}); safetensors, or a torch file "
            f"of tensors alone, is expected"
        ) from None
    for wrapper in WRAPPERS:
        if isinstance(state, dict) and isinstance(state.get(wrapper), dict):
            state = state[wrapper]
    named = state.items() if isinstance(state, dict) else ()
    tensors = {_bare(str(name)): value for name, value in named if isinstance(value, Tensor)}
    if not tensors:
        raise UnreadableData(f"{path}: not a checkpoint: it holds no named tensors")
    return tensors


def _read(path: Path) -> Any:
    if path.suffix == ".safetensors":
        from safetensors.torch import load_file

        return load_file(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch on old formats; a failure is told by us
        return torch.load(path, map_location="cpu", weights_only=True)


def _reason(error: Exception) -> str:
    if "TorchScript" in str(error):
        return "it is a TorchScript program"
    return "it holds pickled objects" if isinstance(error, UnpicklingError) else "it is damaged"


def _bare(name: str) -> str:
    while name.startswith(PREFIXES):
        name = name.partition(".")[2]
    return name


def fill(module: nn.Module, state: Mapping[str, Tensor], source: str | Path) -> None:
    """Load weights into a network, which must be exactly theirs.

    Raises
    ------
    UnreadableData naming the first weight that is missing, unexpected or of another shape; the
    network then stays as it was.

    Examples
    --------
    >>> fill(nn.Linear(2, 1), {"weight": torch.zeros(1, 3), "bias": torch.zeros(1)}, "a.pth")
    Traceback (most recent call last):
    tdafeat.errors.UnreadableData: a.pth: weights of another architecture (0 missing, 0 unexpected,
    1 of another shape; weight is (1, 3) for (1, 2))
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
