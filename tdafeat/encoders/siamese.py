"""The lab course's two encoders of small grey images: DenseNet, and Siamese on top of it."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor, nn
from torch.nn.functional import normalize

from tdafeat.encoders.base import Encoder, fingerprint
from tdafeat.encoders.checkpoint import EMBEDDED, fill, read_weights
from tdafeat.encoders.densenet import FEATURES, PREPROCESSING, DenseNet
from tdafeat.errors import DataUnavailable, UnreadableData

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
        self.densenet = densenet.requires_grad_(False)
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


def read_densenet(path: str | Path) -> DenseNet:
    """A DenseNet with the weights of a file, ready to use."""
    state = read_weights(path)
    if "head.bias" not in state:
        raise UnreadableData(f"{path}: not the weights of a DenseNet: there is no head.bias")
    network = DenseNet(n_classes=len(state["head.bias"]))
    fill(network, state, path)
    return network.eval()


def read_siamese(path: str | Path) -> Siamese:
    """A Siamese network with the weights of a file, ready to use."""
    state = read_weights(path)
    if "densenet.head.bias" not in state:
        raise UnreadableData(f"{path}: not the weights of a Siamese network: there is no densenet")
    network = Siamese(DenseNet(n_classes=len(state["densenet.head.bias"])))
    fill(network, state, path)
    return network.eval()


def embedded_names(family: str) -> list[str]:
    """What can stand after ``family:`` without a checkpoint.

    Examples
    --------
    >>> "textures" in embedded_names("densenet")
    True
    """
    return sorted(
        path.stem.removeprefix(f"{family}-") for path in EMBEDDED.glob(f"{family}-*.safetensors")
    )


def _weights(family: str, detail: str, checkpoint: str | None) -> Path:
    if checkpoint is not None:
        return Path(checkpoint)
    path = EMBEDDED / f"{family}-{detail}.safetensors"
    if detail not in embedded_names(family):
        known = ", ".join(f"{family}:{name}" for name in embedded_names(family))
        raise DataUnavailable(
            f"{family}:{detail}: no weights of this name are embedded; there are {known}, or give "
            f"a checkpoint: {family}:{detail or 'NAME'}@FILE"
        )
    return path


def _one_layer(family: str, layer: str | None, only: str) -> None:
    if layer not in (None, only):
        raise ValueError(f"layer of {family} must be {only!r}; got {layer!r}")


def load_densenet(detail: str, layer: str | None, checkpoint: str | None) -> Encoder:
    """DenseNet of the lab course, 192 features: densenet:textures, densenet:fashion-mnist."""
    _one_layer("densenet", layer, "features")
    network = read_densenet(_weights("densenet", detail, checkpoint))
    return Encoder(
        f"densenet:{detail}",
        fingerprint(network.state_dict()),
        "features",
        FEATURES,
        PREPROCESSING,
        network.features,
        network,
    )


def load_siamese(detail: str, layer: str | None, checkpoint: str | None) -> Encoder:
    """Siamese network on it, 128-d unit rows: siamese:textures, siamese:fashion-mnist."""
    _one_layer("siamese", layer, "embedding")
    network = read_siamese(_weights("siamese", detail, checkpoint))
    return Encoder(
        f"siamese:{detail}",
        fingerprint(network.state_dict()),
        "embedding",
        EMBEDDING,
        PREPROCESSING,
        network,
        network,
    )
