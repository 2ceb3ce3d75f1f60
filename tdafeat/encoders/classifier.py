"""What the classifiers of small grey images share: features, a linear head, loading by name."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn

from tdafeat.encoders.base import Encoder, Head, Preprocessing, choose_layer, fingerprint
from tdafeat.encoders.checkpoint import (
    fill,
    read_classes,
    read_history,
    read_weights,
    weights_file,
)
from tdafeat.errors import UnreadableData

PREPROCESSING = Preprocessing(28, 28, "bilinear", mean=(0.5,), std=(0.5,), channels=1)


class Classifier(nn.Module):
    """A backbone from images to features, and a linear head to class logits."""

    def __init__(self, backbone: nn.Module, n_features: int, n_classes: int) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = nn.Linear(n_features, n_classes)

    def features(self, images: Tensor) -> Tensor:
        """(B, 1, 28, 28) normalised to [-1, 1] -> (B, n_features)."""
        return self.backbone(images)

    def forward(self, images: Tensor) -> Tensor:
        """(B, 1, 28, 28) normalised to [-1, 1] -> (B, n_classes) logits."""
        return self.head(self.features(images))


C = TypeVar("C", bound=Classifier)


def read_classifier(architecture: type[C], path: str | Path) -> C:
    """A network with the weights of a file, ready to use; its head is as wide as theirs.

    Parameters
    ----------
    architecture : a subclass of `Classifier` made of a number of classes alone.

    Raises
    ------
    What `tdafeat.encoders.checkpoint.read_weights` and `fill` raise.
    """
    state = read_weights(path)
    if "head.bias" not in state:
        name = architecture.__name__
        raise UnreadableData(f"{path}: not the weights of a {name}: there is no head.bias")
    network = architecture(n_classes=state["head.bias"].numel())  # type: ignore[call-arg]
    fill(network, state, path)
    return network.eval()


def load_classifier(
    family: str,
    architecture: type[Classifier],
    detail: str,
    layer: str | None,
    checkpoint: str | None,
) -> Encoder:
    """The encoder ``family:detail``, layers features (the default) and logits."""
    layer = choose_layer(family, layer, ("features", "logits"))
    path = weights_file(family, detail, checkpoint)
    network = read_classifier(architecture, path)
    logits, classes = layer == "logits", read_classes(path)
    outputs = network.head.out_features
    own = (torch.eye(outputs), torch.zeros(outputs)) if logits else network.head.parameters()
    return Encoder(
        name=f"{family}:{detail}".removesuffix(":"),
        version=fingerprint(network.state_dict()),
        layer=layer,
        dimension=outputs if logits else network.head.in_features,
        preprocessing=PREPROCESSING,
        function=network if logits else network.features,
        module=network,
        head=Head(classes, *own) if len(classes) == outputs else None,
        history=read_history(path),
    )
