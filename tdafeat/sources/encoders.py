"""The encoders of a study: loaded, fitted on its train images, asked for its classes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tdafeat.errors import DataUnavailable, UnknownName

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from tdafeat.datasets import ImageSet
    from tdafeat.encoders import Encoder
    from tdafeat.study import Study


def load_encoders(study: Study, device: torch.device) -> tuple[list[Encoder], list[str]]:
    """The encoders a study names, and which optional ones are left out, why, and how to get them.

    Raises
    ------
    ValueError if no encoder is named, or one is named twice; DataUnavailable if an encoder that
    is not optional cannot be had, or none at all.
    """
    from tdafeat import encoders

    if not study.encoders and not study.optional:
        raise ValueError("encoders must name at least one encoder")
    loaded = [_needed(e, device) if isinstance(e, str) else e.to(device) for e in study.encoders]
    missing: dict[str, list[str]] = {}  # what is said of an encoder called NAME, of how many
    for name in study.optional:
        try:
            loaded.append(encoders.load(name, device=device))
        except DataUnavailable as error:
            missing.setdefault(str(error).replace(name, "NAME"), []).append(name)
    left_out = [f"Left out: {', '.join(names)}. {why}." for why, names in missing.items()]
    if not loaded:
        raise DataUnavailable(f"none of the study's encoders can be had. {left_out[0]}")
    if len({(encoder.name, encoder.layer) for encoder in loaded}) < len(loaded):
        raise ValueError("encoders must differ in name or layer; one is named twice")
    return loaded, left_out


def _needed(name: str, device: torch.device) -> Encoder:
    """An encoder that the study cannot do without; where its weights are not here, what else is."""
    from tdafeat import encoders

    try:
        return encoders.load(name, device=device)
    except DataUnavailable as error:
        if "@" in name:  # a file of the user's own
            raise
        raise DataUnavailable(
            f"{error}, or take an encoder that needs no download: --encoder tiny:clip"
        ) from None


def fitted_on(encoders: Iterable[Encoder], train: ImageSet) -> list[Encoder]:
    """The encoders, those that learn from a study's images fitted on its train images.

    One that cannot be fitted fails when it is to encode, as others that fail do.
    """
    return [_fitted(encoder, train) if encoder.fit else encoder for encoder in encoders]


def _fitted(encoder: Encoder, train: ImageSet) -> Encoder:
    assert encoder.fit is not None
    try:
        return encoder.fit(train)
    except Exception as error:  # whatever a user's own fit raises
        return replace(encoder, function=partial(_fail, error))


def _fail(error: Exception, images: Tensor) -> Tensor:
    raise error


def prompts_of(study: Study) -> list[str]:
    """Templates for the class names: the study's own, or those that suit its data set.

    Raises
    ------
    ValueError for a template without one ``{}``; DataUnavailable, UnreadableData for a file.
    """
    from tdafeat.encoders import check_templates, prompts_for, read_prompts

    if study.prompts is None:
        return prompts_for(study.dataset)
    if isinstance(study.prompts, (str, Path)):
        return read_prompts(study.prompts)
    check_templates(study.prompts, "prompts")
    return list(study.prompts)


def directions(encoder: Encoder, classes: Sequence[str], prompts: list[str]) -> np.ndarray | str:
    """The classes as unit vectors in the encoder's space, or why it cannot name them."""
    try:
        named = encoder.encode_text(classes, prompts)
    except (UnknownName, DataUnavailable) as error:  # a closed vocabulary, a tokenizer not here
        return str(error)
    return "it has no text tower" if named is None else named.cpu().numpy()


def own_head(encoder: Encoder, classes: Sequence[str]) -> tuple[np.ndarray, np.ndarray] | str:
    """Weights and bias of the encoder's own classifier of these classes, or why there is none."""
    if encoder.head is None:
        return "it has no classifier"
    try:
        return encoder.head.of(classes)
    except UnknownName as error:
        return str(error)
