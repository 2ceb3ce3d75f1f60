"""Encoders by name: pixels, descriptors, networks published or embedded here, your own."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch

from tdafeat.encoders import (
    densenet,
    descriptors,
    lenet,
    open_clip_family,
    pca,
    pixels,
    siamese,
    timm_family,
    tiny,
    visualbert,
)
from tdafeat.encoders.base import Encoder, Preprocessing
from tdafeat.encoders.function import from_function
from tdafeat.encoders.templates import check_templates, prompts_for, read_prompts
from tdafeat.record import Registry

__all__ = [
    "Encoder",
    "Family",
    "Preprocessing",
    "check_templates",
    "encoders",
    "from_function",
    "load",
    "prompts_for",
    "read_prompts",
]

Family = Callable[[str, str | None, str | None], Encoder]
"""(what stands after the colon, layer or None, checkpoint or None) -> encoder."""

NAME = re.compile(
    r"(?P<family>[^:@#]+)(:(?P<model>[^@#]*))?(@(?P<checkpoint>.+?))?(#(?P<layer>[\w-]+))?"
)

encoders: Registry[Family] = Registry("encoder", "tdafeat.encoders")
encoders.add("pixels", pixels.load)
encoders.add("pca", pca.load)
encoders.add("brief", descriptors.load_brief)
encoders.add("hog", descriptors.load_hog)
encoders.add("lbp", descriptors.load_lbp)
encoders.add("lenet", lenet.load)
encoders.add("densenet", densenet.load)
encoders.add("siamese", siamese.load)
encoders.add("tiny", tiny.load)
encoders.add("open_clip", open_clip_family.load)
encoders.add("timm", timm_family.load)
encoders.add("visualbert", visualbert.load)


def load(
    name: str,
    *,
    layer: str | None = None,
    checkpoint: str | None = None,
    device: str | torch.device = "cpu",
) -> Encoder:
    """Load an encoder by name.

    Parameters
    ----------
    name : ``FAMILY`` or ``FAMILY:MODEL``, then optionally ``@FILE`` for a checkpoint of one's own
        and ``#LAYER``: ``pixels:28#grey``, ``open_clip:ViT-B-32-quickgelu/openai``,
        ``timm:vit_small_patch16_224.dino@dino.pth#avg``. A layer is one word, so FILE may hold
        ``@`` and ``#``, unless it ends in ``#`` and a word.
    layer, checkpoint : the same apart from the name. An encoder loaded from a checkpoint is named
        with its file's name.
    device : where its weights go, as torch names devices.

    Raises
    ------
    UnknownName for a family or model that does not exist; DataUnavailable if its weights are
    neither here nor downloadable; UnreadableData for a checkpoint that is damaged or another's;
    ValueError for a layer it does not have, a layer or checkpoint given twice, or a name of
    another form.

    Examples
    --------
    >>> load("pixels:28#grey").dimension
    784
    """
    parts = NAME.fullmatch(name)
    if parts is None:
        raise ValueError(f"encoder must be named FAMILY:MODEL@FILE#LAYER; got {name!r}")
    for part, given in (("layer", layer), ("checkpoint", checkpoint)):
        if given and parts[part]:
            raise ValueError(f"{part} {given!r} is given, but {name!r} names one already")
    file = checkpoint or parts["checkpoint"]
    encoder = encoders[parts["family"]](parts["model"] or "", layer or parts["layer"], file)
    if file is not None:  # two checkpoints of one model are two encoders of a study
        encoder = replace(encoder, name=f"{encoder.name}@{Path(file).name}")
    if encoder.module is not None:  # the layout in which convolutions are fastest
        encoder.module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return encoder.to(device)
