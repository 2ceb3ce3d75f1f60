"""The lab course's Siamese network: a learned map of a frozen DenseNet's features."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor, nn
from torch.nn.functional import normalize

from tdafeat.encoders.base import Encoder, choose_layer, fingerprint
from tdafeat.encoders.checkpoint import fill, read_history, read_weights, weights_file
from tdafeat.encoders.classifier import PREPROCESSING
from tdafeat.encoders.densenet import FEATURES, DenseNet
from tdafeat.errors import UnreadableData

EMBEDDING = 128


class Siamese(nn.Module):
    """A frozen DenseNet backbone and a learned map of its features onto the unit sphere.

    Examples
    --------
    >>> import torch
    >>> network = Siamese(DenseNet(n_classes=10)).eval()
    >>> embedded = network(torch.zeros(2, 1, 28, 28))
    >>> embedded.shape, bool((embedded.norm(dim=1) - 1).abs().max() < 1e-5)
    (torch.Size([2, 128]), True)
    """

    def __init__(self, densenet: DenseNet) -> None:
        super().__init__()
        self.densenet = densenet.eval().requires_grad_(False)
        self.projection = nn.Sequential(
            nn.Linear(FEATURES, FEATURES), nn.ReLU(), nn.Linear(FEATURES, EMBEDDING)
        )

    def train(self, mode: bool = True) -> Siamese:
        """Train the projection alone: the backbone keeps its batch statistics."""
        super().train(mode)
        self.densenet.eval()
        return self

    def embed(self, features: Tensor) -> Tensor:
        """(B, 192) features of the backbone -> (B, 128) unit rows."""
        return normalize(self.projection(features), dim=1)

    def forward(self, images: Tensor) -> Tensor:
        """(B, 1, 28, 28) normalised to [-1, 1] -> (B, 128) unit rows."""
        return self.embed(self.densenet.features(images))


def read_siamese(path: str | Path) -> Siamese:
    """A Siamese network with the weights of a file, ready to use."""
    state = read_weights(path)
    if "densenet.head.bias" not in state:
        raise UnreadableData(f"{path}: not the weights of a Siamese network: there is no densenet")
    network = Siamese(DenseNet(n_classes=state["densenet.head.bias"].numel()))
    fill(network, state, path)
    return network.eval()


def load(detail: str, layer: str | None, checkpoint: str | None) -> Encoder:
    """Siamese network on the DenseNet, unit vectors of 128: siamese:fashion-mnist."""
    layer = choose_layer("siamese", layer, ("embedding",))
    path = weights_file("siamese", detail, checkpoint)
    network = read_siamese(path)
    return Encoder(
        name=f"siamese:{detail}".removesuffix(":"),
        version=fingerprint(network.state_dict()),
        layer=layer,
        dimension=EMBEDDING,
        preprocessing=PREPROCESSING,
        function=network,
        module=network,
        history=read_history(path),
    )
