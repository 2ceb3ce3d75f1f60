"""Train a small CLIP on textures and captions of them: ``python -m tdafeat.training.clip``.

Contrastive learning of pictures and sentences (Radford et al. 2021) with open_clip's loss. The
sentences are put together anew in every epoch from the class and from what else is known of a
procedural picture: its colours, scale and orientation.
"""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import normalize

from tdafeat.datasets import textures
from tdafeat.encoders.templates import read_prompts
from tdafeat.encoders.tiny import PREPROCESSING, Vocabulary, make_clip, read_clip
from tdafeat.training.command import Method, Trained
from tdafeat.training.data import Batchable, augment, holdout, prepared
from tdafeat.training.loop import Settings, fit, seeded

OPENINGS = ("a photo of a", "a photo of the", "an image of a")
NOUNS = ("texture", "pattern", "thing", "object")
SCALES = ("fine", "medium", "coarse")
ORIENTATIONS = ("level", "rising", "upright", "falling")


def vocabulary() -> Vocabulary:
    """Every word a caption may hold."""
    sentences = (*OPENINGS, *NOUNS, *SCALES, *ORIENTATIONS, "on")
    words = {word for sentence in sentences for word in sentence.split()}
    return Vocabulary(sorted(words | set(textures.CLASSES) | set(textures.COLOURS)))


def caption(name: str, looks: dict[str, str], generator: torch.Generator) -> str:
    """A sentence about one picture; each thing beside the class is said half of the time.

    Examples
    --------
    >>> looks = {"ground": "red", "colour": "white", "scale": "fine", "orientation": "level"}
    >>> caption("grid", looks, torch.Generator().manual_seed(3))
    'a photo of a fine level grid texture white on red'
    """
    opening, noun, *said = torch.rand(5, generator=generator).tolist()
    words = [OPENINGS[int(opening * len(OPENINGS))]]
    if said[0] < 0.5:
        words.append(looks["scale"])
    if said[1] < 0.5:
        words.append(looks["orientation"])
    words += [name, NOUNS[int(noun * len(NOUNS))]]
    if said[2] < 0.5:
        words.append(f"{looks['colour']} on {looks['ground']}")
    return " ".join(words)


def looks_of(seeds: Sequence[int]) -> list[dict[str, str]]:
    """What is known of every training picture of these seeds, in their order."""
    return [
        textures.attributes(name, number, split="train", seed=seed)
        for seed in seeds
        for name in textures.CLASSES
        for number in range(textures.PER_CLASS["train"])
    ]


def normalised(pixels: Tensor, device: torch.device) -> Tensor:
    """uint8 pixels to the network's input on its device."""
    return PREPROCESSING.normalise(pixels.to(device, torch.float32) / 255)


def zero_shot_accuracy(
    network: Any, words: Vocabulary, data: Batchable, device: torch.device
) -> float:
    """Share of images nearest to their own class's words, with the prompts of DTD."""
    prompts = read_prompts("dtd")
    with torch.inference_mode():
        directions = torch.stack(
            [
                network.encode_text(
                    words([p.replace("{}", name) for p in prompts]).to(device), normalize=True
                ).mean(dim=0)
                for name in data.classes
            ]
        )
        predicted = [
            (network.encode_image(normalised(pixels, device)) @ normalize(directions, dim=1).T)
            .argmax(dim=1)
            .cpu()
            for pixels in data.pixels.split(512)
        ]
    return float((torch.cat(predicted) == data.labels).float().mean())


def train(
    data: Batchable,
    looks: Sequence[dict[str, str]],
    settings: Settings,
    device: torch.device,
    checkpoint: Path,
) -> tuple[Any, Vocabulary, list[dict[str, float]]]:
    """The network at its best epoch on held-out images, its vocabulary, the course of training."""
    words = vocabulary()
    with seeded(settings.seed):
        network = make_clip(words).to(device)
    from open_clip.loss import ClipLoss

    contrast = ClipLoss()
    by_row = replace(data, pixels=torch.arange(len(data)))
    known, held = (part.pixels for part in holdout(by_row, fraction=0.1, seed=settings.seed))
    validation = data.take(held)

    def loss(rows: Tensor, generator: torch.Generator) -> Tensor:
        rows = known[rows]
        images = augment(normalised(data.pixels[rows], torch.device("cpu")), generator)
        captions = [
            caption(data.classes[int(data.labels[row])], looks[int(row)], generator) for row in rows
        ]
        seen = network.encode_image(images.to(device), normalize=True)
        read = network.encode_text(words(captions).to(device), normalize=True)
        with torch.autocast(device.type, enabled=False):  # near angles need every digit
            # at most 100, as in the paper
            return contrast(seen.float(), read.float(), network.logit_scale.exp().clamp(max=100))

    outcome = fit(
        network,
        len(known),
        loss,
        lambda: zero_shot_accuracy(network, words, validation, device),
        settings,
        checkpoint,
        task={"network": "tiny clip", "data": data.description, "vocabulary": list(words.words)},
    )
    return network, words, outcome.history


def evaluate(
    network: Any, words: Vocabulary, test: Batchable, device: torch.device
) -> dict[str, Any]:
    """Zero-shot accuracy on the test part."""
    reached = zero_shot_accuracy(network.to(device), words, test, device)
    print(f"zero-shot accuracy {reached:.4f} on {len(test)} images of textures")
    return {"data": test.description, "zero_shot_accuracy": reached}


def _train(
    arguments: Namespace, settings: Settings, device: torch.device, checkpoint: Path
) -> Trained[tuple[Any, Vocabulary]]:
    _check(arguments)
    data = prepared("textures", "train", PREPROCESSING, arguments.seeds)
    looks = looks_of(arguments.seeds)
    network, words, history = train(data, looks, settings, device, checkpoint)
    return Trained(
        (network, words),
        network.state_dict(),
        "CLIP of tdafeat.encoders.tiny",
        data.description,
        history,
        header={"vocabulary": json.dumps(words.words)},
    )


def _measure(
    trained: tuple[Any, Vocabulary], arguments: Namespace, device: torch.device
) -> dict[str, Any]:
    _check(arguments)
    return evaluate(*trained, prepared("textures", "test", PREPROCESSING), device)


def _check(arguments: Namespace) -> None:
    if arguments.data != "textures":
        raise ValueError(f"captions are known of textures alone; got --data {arguments.data}")


METHOD = Method(
    module="tdafeat.training.clip",
    description="Train a small CLIP on textures and captions of them.",
    train=_train,
    read=lambda arguments, path: read_clip(path),
    measure=_measure,
    defaults={"data": "textures"},
    told=(),
)

if __name__ == "__main__":
    sys.exit(METHOD.main())
