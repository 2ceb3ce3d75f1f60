"""Train the Siamese head on a frozen DenseNet: ``python -m tdafeat.training.siamese``.

Triplet loss with a Euclidean margin of 0.5 on the unit sphere. The backbone is frozen, so the
features of every image are computed once, without augmentation, and only the head is trained.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor

from tdafeat.encoders.densenet import PREPROCESSING, DenseNet
from tdafeat.encoders.siamese import Siamese, read_densenet, read_siamese
from tdafeat.evaluation import mean_average_precision
from tdafeat.extraction import resolve_device
from tdafeat.training.card import read_card, write_card, write_weights
from tdafeat.training.command import guarded, in_words, options
from tdafeat.training.data import Batchable, holdout, prepared
from tdafeat.training.densenet import normalised
from tdafeat.training.loop import Settings, fit, seeded

MARGIN = 0.5
EVALUATED = 2000  # images whose retrieval is scored: all pairs of more take long

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


def retrieval(features: Tensor, labels: Tensor) -> float:
    """Mean average precision of (n, D) features, on evenly spread rows if there are many.

    Spread, because data sets come sorted by class.
    """
    rows = torch.linspace(0, len(labels) - 1, min(EVALUATED, len(labels))).long()
    return mean_average_precision(features.cpu()[rows].numpy(), labels[rows].numpy())


def train(
    data: Batchable,
    densenet: DenseNet,
    mining: Mining,
    settings: Settings,
    device: torch.device,
    checkpoint: Path,
) -> tuple[Siamese, list[dict[str, float]]]:
    """The network at its best epoch on held-out images, and the course of training."""
    known, held = holdout(data, fraction=0.1, seed=settings.seed)
    with seeded(settings.seed):
        network = Siamese(densenet).to(device)
    features = backbone_features(densenet, known, device)
    held_features = backbone_features(densenet, held, device)

    def loss(rows: Tensor, generator: torch.Generator) -> Tensor:
        embedded = network.embed(features[rows.to(device)])
        return triplet_loss(embedded, known.labels[rows].to(device), mining, generator)

    outcome = fit(
        network,
        len(known),
        loss,
        lambda: retrieval(network.embed(held_features), held.labels),
        settings,
        checkpoint,
    )
    return network, outcome.history


def main(argv: Sequence[str] | None = None) -> int:
    """Train and write weights with their card, or measure weights that are there.

    Returns
    -------
    Exit code: 0 done, 2 refused with one sentence on standard error, 130 interrupted.
    """
    parser = options(__doc__, epochs=20)
    parser.add_argument("--backbone", type=Path, help="weights of the trained DenseNet")
    parser.add_argument("--mining", choices=MININGS, default="batch-hard")
    arguments = parser.parse_args(argv)
    if arguments.backbone is None and not arguments.evaluate:
        parser.error("--backbone is needed to train")
    command = in_words("tdafeat.training.siamese", argv)
    action = _measure if arguments.evaluate else _make
    return guarded(lambda: action(arguments, resolve_device(arguments.device), command))


def _make(arguments: argparse.Namespace, device: torch.device, command: str) -> None:
    densenet = read_densenet(arguments.backbone).to(device)
    data = prepared(arguments.data, "train", PREPROCESSING, arguments.seeds)
    settings = Settings(arguments.epochs)
    checkpoint = arguments.out.with_suffix(".checkpoint")
    network, history = train(
        data, densenet, MININGS[arguments.mining], settings, device, checkpoint
    )
    card = {
        "network": "Siamese of tdafeat.encoders.siamese",
        "data": {"name": arguments.data, "n": len(data), "classes": list(data.classes)},
        "settings": asdict(settings) | {"mining": arguments.mining, "margin": MARGIN},
        "command": command,
        "history": [{k: round(v, 5) for k, v in entry.items()} for entry in history],
    }
    write_weights(arguments.out, network.state_dict(), card)


def _measure(arguments: argparse.Namespace, device: torch.device, command: str) -> None:
    """Retrieval of the embedding, beside that of the backbone it stands on."""
    network = read_siamese(arguments.out).to(device)
    test = prepared(arguments.data, "test", PREPROCESSING)
    features = backbone_features(network.densenet, test, device)
    with torch.inference_mode():
        reached = retrieval(network.embed(features), test.labels)
    before = retrieval(features, test.labels)
    n = min(EVALUATED, len(test))
    print(f"mean average precision {reached:.4f} (backbone {before:.4f}) on {n} images")
    card = read_card(arguments.out)
    card["measured"] = {
        "mean_average_precision": round(reached, 4),
        "backbone_mean_average_precision": round(before, 4),
        "n": n,
        "command": command,
    }
    write_card(arguments.out, card)


if __name__ == "__main__":
    sys.exit(main())
