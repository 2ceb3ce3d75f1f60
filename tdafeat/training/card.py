"""Weights and the model card beside them: every number with the command that made it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors.torch import save_file
from torch import Tensor


def write_weights(path: Path, state: Mapping[str, Tensor], card: Mapping[str, Any]) -> None:
    """Write ``path`` (safetensors) and its card (``.json``), each aside and renamed into place."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(path.name + ".writing")
    save_file({name: tensor.contiguous().cpu() for name, tensor in state.items()}, aside)
    os.replace(aside, path)
    write_card(path, card)


def write_card(path: Path, card: Mapping[str, Any]) -> None:
    """Write the card of the weights at `path`."""
    target = path.with_suffix(".json")
    aside = target.with_name(target.name + ".writing")
    aside.write_text(json.dumps(dict(card), indent=1) + "\n", encoding="utf-8")
    os.replace(aside, target)


def read_card(path: Path) -> dict[str, Any]:
    """The card of the weights at `path`; empty if there is none."""
    target = path.with_suffix(".json")
    return json.loads(target.read_text(encoding="utf-8")) if target.is_file() else {}
