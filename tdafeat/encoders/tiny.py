"""Encoders of the suite's own making: ``tiny:clip``, pictures and words in one small space.

Both towers are open_clip's own: a ResNet of one bottleneck per stage, and a transformer over a
closed vocabulary of words, since CLIP's token table alone would be ten times the rest.
``tiny:dino``, the other one, has a file of its own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from tdafeat.compat import import_torchvision
from tdafeat.encoders import tiny_dino
from tdafeat.encoders.base import Encoder, Preprocessing, fingerprint
from tdafeat.encoders.checkpoint import EMBEDDED, fill, read_history, read_weights
from tdafeat.errors import UnknownName, UnreadableData

EMBEDDING = 128
CONTEXT = 20  # words of a sentence at most, its start and end among them
PREPROCESSING = Preprocessing(64, 64, "bicubic", mean=(0.5,) * 3, std=(0.5,) * 3)

_WORD = re.compile(r"[a-z]+(?:-[a-z]+)*")


class Vocabulary:
    """Sentences to token ids, word by word; whatever is not a letter or hyphen only separates.

    Parameters
    ----------
    words : all words it knows, in lower case. 0 pads, and the highest id ends a sentence, which is
        where CLIP's text tower reads its meaning.

    Examples
    --------
    >>> vocabulary = Vocabulary(["a", "polka-dotted", "texture"])
    >>> vocabulary(["A polka-dotted texture."])[0, :6].tolist()
    [4, 1, 2, 3, 5, 0]
    """

    def __init__(self, words: Sequence[str]) -> None:
        self.words = tuple(words)
        self._ids = {word: position for position, word in enumerate(self.words, start=1)}

    def __len__(self) -> int:
        return len(self.words) + 3  # padding, start and end

    def __call__(self, sentences: Sequence[str]) -> Tensor:
        """Token ids, (len(sentences), CONTEXT) int64.

        Raises
        ------
        UnknownName for a word it does not have; ValueError for a sentence that is too long.
        """
        tokens = torch.zeros(len(sentences), CONTEXT, dtype=torch.int64)
        for row, sentence in enumerate(sentences):
            words = _WORD.findall(sentence.lower())
            unknown = [word for word in words if word not in self._ids]
            if unknown:
                raise UnknownName(
                    f"no word {unknown[0]!r} (in {sentence!r}) in a vocabulary of "
                    f"{len(self.words)}: this encoder can name only what it was trained on"
                )
            ids = [len(self) - 2, *(self._ids[word] for word in words), len(self) - 1]
            if len(ids) > CONTEXT:
                raise ValueError(f"at most {CONTEXT - 2} words make a sentence; got {sentence!r}")
            tokens[row, : len(ids)] = torch.tensor(ids)
        return tokens


def make_clip(vocabulary: Vocabulary) -> Any:
    """The untrained network, an ``open_clip.model.CLIP``.

    Its initial weights are drawn from torch's global generator.
    """
    import_torchvision()
    from open_clip.model import CLIP, CLIPTextCfg, CLIPVisionCfg

    return CLIP(
        EMBEDDING,
        CLIPVisionCfg(layers=(1, 1, 1, 1), width=12, image_size=PREPROCESSING.crop),
        CLIPTextCfg(
            context_length=CONTEXT, vocab_size=len(vocabulary), width=64, heads=4, layers=2
        ),
    )


def read_clip(path: str | Path) -> tuple[Any, Vocabulary]:
    """A trained network and its vocabulary, which the file carries in its header.

    Raises
    ------
    DataUnavailable, UnreadableData as `read_weights`, or for a file without a vocabulary.
    """
    state = read_weights(path)
    try:
        with safe_open(path, framework="pt") as file:
            words = json.loads((file.metadata() or {})["vocabulary"])
        vocabulary = Vocabulary([str(word) for word in words])
    except (SafetensorError, KeyError, TypeError, ValueError):
        raise UnreadableData(f"{path}: not the weights of a tiny CLIP: no vocabulary") from None
    network = make_clip(vocabulary)
    fill(network, state, path)
    return network.eval(), vocabulary


def load(detail: str, layer: str | None, checkpoint: str | None) -> Encoder:
    """Encoders trained here on textures: tiny:clip with words, tiny:dino (cls, avg, patches)."""
    if detail == "dino":
        return tiny_dino.load(layer, checkpoint)
    if detail != "clip":
        raise UnknownName(f"unknown encoder 'tiny:{detail}'; there are tiny:clip and tiny:dino")
    if layer not in (None, "proj"):
        raise ValueError(f"layer of tiny:clip must be 'proj'; got {layer!r}")
    path = checkpoint or EMBEDDED / "tiny-clip.safetensors"
    network, vocabulary = read_clip(path)

    def text(sentences: list[str]) -> Tensor:
        return network.encode_text(vocabulary(sentences).to(network.logit_scale.device))

    return Encoder(
        name="tiny:clip",
        version=fingerprint(network.state_dict()),
        layer="proj",
        dimension=EMBEDDING,
        preprocessing=PREPROCESSING,
        function=network.encode_image,
        module=network,
        text=text,
        history=read_history(path),
    )
