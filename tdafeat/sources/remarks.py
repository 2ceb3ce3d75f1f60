"""What a reader must know of the features of images: limits of the images and of the encoders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from tdafeat.sources.encoders import own_head

if TYPE_CHECKING:
    from tdafeat.datasets import ImageSet
    from tdafeat.encoders import Encoder


def remarks_on(
    sets: Sequence[ImageSet],
    encoders: Sequence[Encoder],
    texts: Sequence[np.ndarray | str],
    prompts: Sequence[str],
    precision: str,
) -> list[str]:
    """Sentences for the report, each once.

    Parameters
    ----------
    sets : the test images first.
    encoders : those of one seed.
    texts : per encoder, the directions of the classes in its space, or why there are none.
    prompts : templates the directions were made with.
    precision : of the forward passes.
    """
    remarks = [images.remark for images in sets] + [encoder.remark for encoder in encoders]
    if precision != "float32":
        remarks.append(f"Forward passes were computed in {precision}, features kept in float32.")
    if any(not isinstance(text, str) for text in texts):
        remarks.append(
            f"Zero-shot directions of the classes are means over {len(prompts)} prompts: "
            f"{', '.join(f'“{prompt}”' for prompt in prompts)}."
        )
    for encoder, text in zip(encoders, texts, strict=True):
        remarks += _limits(encoder, text, sets[0].classes)
    return list(filter(None, dict.fromkeys(remarks)))


def _limits(encoder: Encoder, text: np.ndarray | str, classes: tuple[str, ...]) -> list[str]:
    """What this encoder's features cannot be used for, or not without care."""
    from tdafeat.extraction import TOKENS

    limits = []
    if encoder.tokens:
        limits.append(
            f"{encoder.name} at layer {encoder.layer}: the rows are {TOKENS} patch tokens of each "
            "image (all, where there are fewer), at positions drawn by its id alone and so the "
            "same at every level. Tokens of one image are not independent: retrieval and "
            "nearest-neighbour distances find an image's own other tokens, and the intervals of "
            "accuracies, in which every token counts as one, are too narrow."
        )
    if encoder.text is not None and isinstance(text, str):
        limits.append(f"No zero-shot accuracy of {encoder.name}: {text}.")
    if encoder.head is not None and isinstance(head := own_head(encoder, classes), str):
        limits.append(f"No accuracy of {encoder.name}'s own head: {head}.")
    return limits
