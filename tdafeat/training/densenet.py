"""Train the lab course's DenseNet classifier: ``python -m tdafeat.training.densenet``.

Rotation and shift augmentation, pixels normalised to [-1, 1], Adam with weight decay, a plateau
schedule, a tenth of the training images held out, the best epoch on them kept.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from tdafeat.encoders.densenet import PREPROCESSING, DenseNet
from tdafeat.encoders.siamese import read_densenet
from tdafeat.extraction import resolve_device
from tdafeat.training.card import write_measured, write_weights
from tdafeat.training.command import guarded, in_words, options, settings
from tdafeat.training.data import Batchable, augment, holdout, prepared
from tdafeat.training.loop import Settings, fit, seeded

MODULE = "tdafeat.training.densenet"


def normalised(pixels: Tensor, device: torch.device) -> Tensor:
    """uint8 pixels to the network's input on its device."""
    return PREPROCESSING.normalise(pixels.to(device, torch.float32) / 255)


def predict(network: DenseNet, data: Batchable, device: torch.device, batch: int = 512) -> Tensor:
    """Class of every image, (n,) int64."""
    with torch.inference_mode():
        parts = [
            network(normalised(pixels, device)).argmax(dim=1).cpu()
            for pixels in data.pixels.split(batch)
        ]
    return torch.cat(parts)


def accuracy(network: DenseNet, data: Batchable, device: torch.device) -> float:
    """Share of images whose class is predicted.

    Raises
    ------
    ValueError if the network knows another number of classes than the data.
    """
    if network.head.out_features != len(data.classes):
        raise ValueError(
            f"the network knows {network.head.out_features} classes, the data has "
            f"{len(data.classes)}"
        )
    return float((predict(network, data, device) == data.labels).float().mean())


def train(
    data: Batchable, settings: Settings, device: torch.device, checkpoint: Path
) -> tuple[DenseNet, list[dict[str, float]]]:
    """The network at its best epoch on held-out images, and the course of training."""
    known, held = holdout(data, fraction=0.1, seed=settings.seed)
    with seeded(settings.seed):
        network = DenseNet(len(data.classes))
    network = network.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def loss(rows: Tensor, generator: torch.Generator) -> Tensor:
        images = augment(normalised(known.pixels[rows], torch.device("cpu")), generator)
        return cross_entropy(network(images.to(device)), known.labels[rows].to(device))

    outcome = fit(
        network,
        len(known),
        loss,
        lambda: accuracy(network, held, device),
        settings,
        checkpoint,
        task={"network": "densenet", "data": data.description},
    )
    return network, outcome.history


def evaluate(network: DenseNet, data: str, device: torch.device) -> dict[str, Any]:
    """Accuracy on the test part."""
    test = prepared(data, "test", PREPROCESSING)
    reached = accuracy(network.to(device), test, device)
    print(f"test accuracy {reached:.4f} on {len(test)} images of {data}")
    return {"data": test.description, "accuracy": round(reached, 4)}


def main(argv: Sequence[str] | None = None) -> int:
    """Train and write weights with their card, or measure weights that are there.

    Returns
    -------
    Exit code: 0 done, 2 refused with one sentence on standard error, 130 interrupted.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    arguments = options(__doc__, epochs=30).parse_args(words)
    return guarded(lambda: _run(arguments, words))


def _run(arguments: argparse.Namespace, words: list[str]) -> None:
    device = resolve_device(arguments.device)
    if arguments.evaluate is not None:
        network = read_densenet(arguments.evaluate)
        write_measured(arguments.evaluate, _measured(network, arguments, arguments.evaluate))
        return
    chosen = settings(arguments)
    data = prepared(arguments.data, "train", PREPROCESSING, arguments.seeds)
    network, history = train(data, chosen, device, arguments.out.with_suffix(".checkpoint"))
    card = {
        "network": "DenseNet of tdafeat.encoders.densenet",
        "train": {
            "command": in_words(MODULE, words),
            "data": data.description,
            "settings": asdict(chosen),
            "history": history,
        },
        "test": _measured(network, arguments, arguments.out),
    }
    write_weights(arguments.out, network.state_dict(), card)


def _measured(network: DenseNet, arguments: argparse.Namespace, path: Path) -> dict[str, Any]:
    """What `evaluate` finds, and the command that finds it again."""
    command = in_words(MODULE, ["--data", arguments.data, "--evaluate", path])
    return {
        "command": command,
        **evaluate(network, arguments.data, resolve_device(arguments.device)),
    }


if __name__ == "__main__":
    sys.exit(main())
