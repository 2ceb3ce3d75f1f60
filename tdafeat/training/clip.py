"""Train a small CLIP on textures and captions of them: ``python -m tdafeat.training.clip``.

Contrastive learning of pictures and sentences (Radford et al. 2021) with open_clip's loss. The
sentences are put together anew in every epoch from the class and from what else is known of a
procedural picture: its colours, scale and orientation.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import normalize

from tdafeat.datasets import textures
from tdafeat.encoders.templates import read_prompts
from tdafeat.encoders.tiny import PREPROCESSING, Vocabulary, make_clip, read_clip
from tdafeat.extraction import resolve_device
from tdafeat.training.card import write_measured, write_weights
from tdafeat.training.command import guarded, in_words, options, settings
from tdafeat.training.data import Batchable, augment, holdout, prepared
from tdafeat.training.loop import Settings, fit, seeded

MODULE = "tdafeat.training.clip"
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


def evaluate(network: Any, words: Vocabulary, path: Path, device: torch.device) -> dict[str, Any]:
    """Zero-shot accuracy on the test part, and the command that finds it again."""
    test = prepared("textures", "test", PREPROCESSING)
    reached = zero_shot_accuracy(network.to(device), words, test, device)
    print(f"zero-shot accuracy {reached:.4f} on {len(test)} images of textures")
    command = in_words(MODULE, ["--evaluate", path])
    return {"command": command, "data": test.description, "zero_shot_accuracy": reached}


def main(argv: Sequence[str] | None = None) -> int:
    """Train and write weights with their card, or measure weights that are there.

    Returns
    -------
    Exit code: 0 done, 2 refused with one sentence on standard error, 130 interrupted.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    parser = options(__doc__, epochs=30)
    parser.set_defaults(data="textures")
    arguments = parser.parse_args(words)
    return guarded(lambda: _run(arguments, words))


def _run(arguments: argparse.Namespace, typed: list[str]) -> None:
    if arguments.data != "textures":
        raise ValueError(f"captions are known of textures alone; got --data {arguments.data}")
    device = resolve_device(arguments.device)
    if arguments.evaluate is not None:
        network, words = read_clip(arguments.evaluate)
        measured = evaluate(network, words, arguments.evaluate, device)
        write_measured(arguments.evaluate, measured)
        return
    chosen = settings(arguments)
    data = prepared("textures", "train", PREPROCESSING, arguments.seeds)
    checkpoint = arguments.out.with_suffix(".checkpoint")
    network, words, history = train(data, looks_of(arguments.seeds), chosen, device, checkpoint)
    card = {
        "network": "CLIP of tdafeat.encoders.tiny",
        "train": {
            "command": in_words(MODULE, typed),
            "data": data.description,
            "settings": asdict(chosen),
            "history": history,
        },
        "test": evaluate(network, words, arguments.out, device),
    }
    header = {"vocabulary": json.dumps(words.words)}
    write_weights(arguments.out, network.state_dict(), card, header)


if __name__ == "__main__":
    sys.exit(main())
