"""Train the Siamese head on a frozen DenseNet: ``python -m tdafeat.training.siamese``.

Triplet loss with a Euclidean margin of 0.5 on the unit sphere. The backbone is frozen, so the
features of every image are computed once, without augmentation, and only the head is trained.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tdafeat.encoders.base import fingerprint
from tdafeat.encoders.classifier import PREPROCESSING, read_classifier
from tdafeat.encoders.densenet import DenseNet
from tdafeat.encoders.siamese import Siamese, read_siamese
from tdafeat.evaluation import (
    calinski_harabasz,
    davies_bouldin,
    mean_average_precision,
    purity,
    silhouette,
    top_k_accuracy,
)
from tdafeat.training.classifier import normalised
from tdafeat.training.command import Method, Trained
from tdafeat.training.data import Batchable, holdout, prepared
from tdafeat.training.loop import Settings, fit, seeded

MARGIN = 0.5
VALIDATED = 2000  # held-out images whose retrieval is scored each epoch: all pairs take long

Mining = Callable[[Tensor, Tensor, torch.Generator], tuple[Tensor, Tensor]]
"""(distances, labels, generator) of a batch -> index of a positive and a negative per anchor."""


def random_triplets(
    distances: Tensor, labels: Tensor, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Any other image of the anchor's class, and any image of another class."""
    same = _same_class(labels)
    weights = torch.rand(same.shape, generator=generator).to(distances.device)
    positive = weights.masked_fill(~same, -1).argmax(dim=1)
    negative = weights.masked_fill(labels[:, None] == labels[None], -1).argmax(dim=1)
    return positive, negative


def batch_hard(
    distances: Tensor, labels: Tensor, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """The farthest image of the anchor's class, the nearest of another (Hermans et al. 2017)."""
    positive = distances.masked_fill(~_same_class(labels), -1).argmax(dim=1)
    infinite = float("inf")
    negative = distances.masked_fill(labels[:, None] == labels[None], infinite).argmin(dim=1)
    return positive, negative


def semi_hard(
    distances: Tensor, labels: Tensor, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """A random positive, and the nearest negative beyond it (Schroff et al. 2015).

    Where every negative is nearer than the positive, the farthest of them.
    """
    positive, _ = random_triplets(distances, labels, generator)
    reach = distances.gather(1, positive[:, None])
    others = labels[:, None] != labels[None]
    infinite = float("inf")
    beyond = distances.masked_fill(~(others & (distances > reach)), infinite)
    farthest = distances.masked_fill(~others, -1).argmax(dim=1)
    negative = torch.where(beyond.isfinite().any(dim=1), beyond.argmin(dim=1), farthest)
    return positive, negative


# On Fashion-MNIST, mean average precision of held-out images, trained alike: semi-hard
# 0.918, random 0.915, batch-hard 0.897, which pulled classes onto each other.
MININGS: dict[str, Mining] = {
    "random": random_triplets,
    "semi-hard": semi_hard,
    "batch-hard": batch_hard,
}


def _same_class(labels: Tensor) -> Tensor:
    """Pairs of different images of one class."""
    return (labels[:, None] == labels[None]) & ~torch.eye(
        len(labels), dtype=torch.bool, device=labels.device
    )


def triplet_loss(
    embedded: Tensor, labels: Tensor, mining: Mining, generator: torch.Generator
) -> Tensor:
    """Mean of max(0, d(anchor, positive) - d(anchor, negative) + 0.5).

    Parameters
    ----------
    embedded : (B, D) unit rows.
    labels : (B,). Anchors without a positive or a negative in the batch are left out.

    Examples
    --------
    >>> points = torch.tensor([[1.0, 0], [1, 0], [-1, 0], [-1, 0]])
    >>> labels = torch.tensor([0, 0, 1, 1])
    >>> float(triplet_loss(points, labels, batch_hard, torch.Generator()))
    0.0
    """
    # Squared distances of unit rows; the floor keeps the root's gradient finite at duplicates.
    distances = (2 - 2 * embedded @ embedded.T).clamp_min(1e-12).sqrt()
    positive, negative = mining(distances.detach(), labels, generator)
    usable = _same_class(labels).any(dim=1) & (labels[:, None] != labels[None]).any(dim=1)
    near = distances.gather(1, positive[:, None])[:, 0]
    far = distances.gather(1, negative[:, None])[:, 0]
    return (near - far + MARGIN).clamp_min(0)[usable].sum() / usable.sum().clamp_min(1)


def backbone_features(densenet: DenseNet, data: Batchable, device: torch.device) -> Tensor:
    """(n, 192) features of every image."""
    with torch.no_grad():
        return torch.cat(
            [densenet.features(normalised(pixels, device)) for pixels in data.pixels.split(512)]
        )


def spread(n: int) -> Tensor:
    """Positions of at most `VALIDATED` of n images, evenly spread: sets come sorted by class."""
    return torch.linspace(0, n - 1, min(VALIDATED, n)).long()


def train(
    data: Batchable,
    densenet: DenseNet,
    mining: str,
    settings: Settings,
    device: torch.device,
    checkpoint: Path,
) -> tuple[Siamese, list[dict[str, float]]]:
    """The network at its best epoch on held-out images, and the course of training.

    Parameters
    ----------
    mining : a name in `MININGS`.
    """
    known, held = holdout(data, fraction=0.1, seed=settings.seed)
    held = held.take(spread(len(held)))
    with seeded(settings.seed):
        network = Siamese(densenet).to(device)
    features = backbone_features(densenet, known, device)
    held_features = backbone_features(densenet, held, device)

    def loss(rows: Tensor, generator: torch.Generator) -> Tensor:
        labels = known.labels[rows].to(device)
        with torch.autocast(device.type, enabled=False):  # near distances need every digit
            embedded = network.embed(features[rows.to(device)])
            return triplet_loss(embedded, labels, MININGS[mining], generator)

    outcome = fit(
        network,
        len(known),
        loss,
        lambda: mean_average_precision(network.embed(held_features), held.labels),
        settings,
        checkpoint,
        task={
            "network": "siamese",
            "data": data.description,
            "backbone": fingerprint(densenet.state_dict()),
            "mining": mining,
        },
    )
    return network, outcome.history


def evaluate(network: Siamese, test: Batchable, device: torch.device) -> dict[str, Any]:
    """Retrieval and separation of test classes: raw pixels, backbone and embedding side by side."""
    network = network.to(device)
    features = backbone_features(network.densenet, test, device)
    with torch.inference_mode():
        embedded = network.embed(features)
    spaces = {
        "pixels": test.pixels.flatten(1).float() / 255,
        "densenet": features,
        "siamese": embedded,
    }
    measured: dict[str, Any] = {"data": test.description}
    for name, space in spaces.items():
        measured[name] = _separation(space, test.labels)
        print(name, *(f"{metric} {value:.4f}" for metric, value in measured[name].items()))
    return measured


def _separation(space: Tensor, labels: Tensor) -> dict[str, float]:
    return {
        **{f"top_{k}_accuracy": top_k_accuracy(space, labels, k=k) for k in (1, 5, 10)},
        "mean_average_precision": mean_average_precision(space, labels),
        "silhouette": silhouette(space, labels),
        "davies_bouldin": davies_bouldin(space, labels),
        "calinski_harabasz": calinski_harabasz(space, labels),
        "purity": purity(space, labels),
    }


def _train(
    arguments: Namespace, settings: Settings, device: torch.device, checkpoint: Path
) -> Trained[Siamese]:
    if arguments.backbone is None:
        raise ValueError("--backbone is needed to train: the weights of a DenseNet classifier")
    densenet = read_classifier(DenseNet, arguments.backbone).to(device)
    data = prepared(arguments.data, "train", PREPROCESSING, arguments.seeds)
    network, history = train(data, densenet, arguments.mining, settings, device, checkpoint)
    about = {
        "backbone": fingerprint(densenet.state_dict()),
        "mining": arguments.mining,
        "margin": MARGIN,
    }
    described = "Siamese of tdafeat.encoders.siamese"
    return Trained(network, network.state_dict(), described, data.description, history, about)


def _options(parser: ArgumentParser) -> None:
    parser.add_argument("--backbone", type=Path, metavar="FILE", help="of the trained DenseNet")
    parser.add_argument("--mining", choices=MININGS, default="semi-hard")


METHOD = Method(
    module="tdafeat.training.siamese",
    description="Train the Siamese head on a frozen DenseNet with triplet loss.",
    train=_train,
    read=lambda arguments, path: read_siamese(path),
    measure=lambda network, arguments, device: evaluate(
        network, prepared(arguments.data, "test", PREPROCESSING), device
    ),
    defaults={"epochs": 20},
    extend=_options,
)

if __name__ == "__main__":
    sys.exit(METHOD.main())
