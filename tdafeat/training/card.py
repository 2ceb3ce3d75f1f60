"""Weights and the model card beside them: every number with the command that made it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors.torch import save
from torch import Tensor

from tdafeat.encoders.base import fingerprint
from tdafeat.files import replace


def write_weights(
    path: Path,
    state: Mapping[str, Tensor],
    card: Mapping[str, Any],
    header: Mapping[str, str] | None = None,
) -> None:
    """Write ``path`` (safetensors) and its card (``.json``), each aside and renamed into place.

    The card begins with the version under which an encoder with these weights stores features.

    Parameters
    ----------
    header : texts to stand in the weights' own file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    tensors = {name: tensor.contiguous().cpu() for name, tensor in state.items()}
    replace(path, save(tensors, metadata=None if header is None else dict(header)))
    _write_card(path, {"version": fingerprint(state), **card})


def write_measured(path: Path, test: Mapping[str, Any]) -> None:
    """Put what was measured on the test part into the card of the weights at `path`."""
    target = path.with_suffix(".json")
    card = json.loads(target.read_text(encoding="utf-8")) if target.is_file() else {}
    _write_card(path, card | {"test": test})


def _write_card(path: Path, card: Mapping[str, Any]) -> None:
    text = json.dumps(_rounded(card), indent=1) + "\n"
    replace(path.with_suffix(".json"), text.encode())


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 5)
    if isinstance(value, Mapping):
        return {key: _rounded(entry) for key, entry in value.items()}
    return [_rounded(entry) for entry in value] if isinstance(value, list | tuple) else value
