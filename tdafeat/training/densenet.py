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

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from tdafeat.encoders.densenet import PREPROCESSING, DenseNet
from tdafeat.encoders.siamese import read_densenet
from tdafeat.extraction import resolve_device
from tdafeat.training.card import read_card, write_card, write_weights
from tdafeat.training.command import guarded, in_words, options
from tdafeat.training.data import Batchable, augment, holdout, prepared
from tdafeat.training.loop import Settings, fit, seeded


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
        network = DenseNet(len(data.classes)).to(device)

    def loss(rows: Tensor, generator: torch.Generator) -> Tensor:
        images = augment(normalised(known.pixels[rows], torch.device("cpu")), generator)
        return cross_entropy(network(images.to(device)), known.labels[rows].to(device))

    outcome = fit(
        network, len(known), loss, lambda: accuracy(network, held, device), settings, checkpoint
    )
    return network, outcome.history


def main(argv: Sequence[str] | None = None) -> int:
    """Train and write weights with their card, or measure weights that are there.

    Returns
    -------
    Exit code: 0 done, 2 refused with one sentence on standard error, 130 interrupted.
    """
    arguments = options(__doc__, epochs=30).parse_args(argv)
    command = in_words("tdafeat.training.densenet", argv)
    action = _measure if arguments.evaluate else _make
    return guarded(lambda: action(arguments, resolve_device(arguments.device), command))


def _make(arguments: argparse.Namespace, device: torch.device, command: str) -> None:
    data = prepared(arguments.data, "train", PREPROCESSING, arguments.seeds)
    settings = Settings(arguments.epochs)
    checkpoint = arguments.out.with_suffix(".checkpoint")
    network, history = train(data, settings, device, checkpoint)
    card = {
        "network": "DenseNet of tdafeat.encoders.densenet",
        "data": {"name": arguments.data, "n": len(data), "classes": list(data.classes)},
        "settings": asdict(settings),
        "command": command,
        "history": [{k: round(v, 5) for k, v in entry.items()} for entry in history],
    }
    write_weights(arguments.out, network.state_dict(), card)


def _measure(arguments: argparse.Namespace, device: torch.device, command: str) -> None:
    network = read_densenet(arguments.out).to(device)
    test = prepared(arguments.data, "test", PREPROCESSING)
    reached = accuracy(network, test, device)
    print(f"test accuracy {reached:.4f} on {len(test)} images")
    card = read_card(arguments.out)
    card["measured"] = {"test_accuracy": round(reached, 4), "n": len(test), "command": command}
    write_card(arguments.out, card)


if __name__ == "__main__":
    sys.exit(main())
