"""Train the lab course's classifiers: ``python -m tdafeat.training.classifier``.

Rotation and shift augmentation, pixels normalised to [-1, 1], Adam with weight decay, a plateau
schedule, a tenth of the training images held out, the best epoch on them kept. DenseNet, or
LeNet-5 as the baseline.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

import torch
from sklearn.metrics import classification_report, confusion_matrix
from torch import Tensor
from torch.nn.functional import cross_entropy

from tdafeat.encoders.classifier import PREPROCESSING, Classifier, read_classifier
from tdafeat.encoders.densenet import DenseNet
from tdafeat.encoders.lenet import LeNet
from tdafeat.training.command import Method, Trained
from tdafeat.training.data import Batchable, augment, holdout, prepared
from tdafeat.training.loop import Settings, fit, seeded

NETWORKS: dict[str, type[DenseNet | LeNet]] = {"densenet": DenseNet, "lenet": LeNet}


def normalised(pixels: Tensor, device: torch.device) -> Tensor:
    """uint8 pixels to the network's input on its device."""
    return PREPROCESSING.normalise(pixels.to(device, torch.float32) / 255)


def predict(network: Classifier, data: Batchable, device: torch.device, batch: int = 128) -> Tensor:
    """Class of every image, (n,) int64.

    Raises
    ------
    ValueError if the network knows another number of classes than the data.
    """
    if network.head.out_features != len(data.classes):
        raise ValueError(
            f"the network knows {network.head.out_features} classes, the data has "
            f"{len(data.classes)}"
        )
    with torch.inference_mode():
        parts = [
            network(normalised(pixels, device)).argmax(dim=1).cpu()
            for pixels in data.pixels.split(batch)
        ]
    return torch.cat(parts)


def accuracy(network: Classifier, data: Batchable, device: torch.device) -> float:
    """Share of images whose class is predicted; raises what `predict` raises."""
    return float((predict(network, data, device) == data.labels).float().mean())


def train(
    data: Batchable, kind: str, settings: Settings, device: torch.device, checkpoint: Path
) -> tuple[Classifier, list[dict[str, float]]]:
    """The network at its best epoch on held-out images, and the course of training.

    Parameters
    ----------
    kind : a name in `NETWORKS`.
    """
    known, held = holdout(data, fraction=0.1, seed=settings.seed)
    with seeded(settings.seed):
        network = NETWORKS[kind](len(data.classes))
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
        task={"network": kind, "data": data.description},
    )
    return network, outcome.history


def evaluate(network: Classifier, test: Batchable, device: torch.device) -> dict[str, Any]:
    """Accuracy, confusion matrix (rows are true classes), precision, recall and F1 per class."""
    predicted = predict(network.to(device), test, device)
    reached = float((predicted == test.labels).float().mean())
    shown: dict[str, Any] = {"labels": range(len(test.classes)), "target_names": test.classes}
    print(f"test accuracy {reached:.4f} on {len(test)} images of {test.description['name']}")
    print(classification_report(test.labels, predicted, zero_division=0, digits=3, **shown))
    report = classification_report(
        test.labels, predicted, zero_division=0, output_dict=True, **shown
    )
    confused = confusion_matrix(test.labels, predicted, labels=shown["labels"])
    return {
        "data": test.description,
        "accuracy": round(reached, 4),
        "classes": {name: report[name] for name in test.classes},
        "confusion": confused.tolist(),
    }


def _train(
    arguments: Namespace, settings: Settings, device: torch.device, checkpoint: Path
) -> Trained[Classifier]:
    data = prepared(arguments.data, "train", PREPROCESSING, arguments.seeds)
    network, history = train(data, arguments.network, settings, device, checkpoint)
    described = f"{type(network).__name__} of {type(network).__module__}"
    return Trained(network, network.state_dict(), described, data.description, history)


def _options(parser: ArgumentParser) -> None:
    parser.add_argument("--network", choices=NETWORKS, default="densenet")


METHOD: Method[Classifier] = Method(
    module="tdafeat.training.classifier",
    description="Train DenseNet or LeNet-5 to classify small grey images.",
    train=_train,
    read=lambda arguments, path: read_classifier(NETWORKS[arguments.network], path),
    measure=lambda network, arguments, device: evaluate(
        network, prepared(arguments.data, "test", PREPROCESSING), device
    ),
    extend=_options,
    told=("network", "data"),
)

if __name__ == "__main__":
    sys.exit(METHOD.main())
