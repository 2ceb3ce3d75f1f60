"""The lab course's two encoders of small grey images: DenseNet, and Siamese on top of it."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor, nn
from torch.nn.functional import normalize

from tdafeat.encoders.base import Encoder, fingerprint
from tdafeat.encoders.checkpoint import EMBEDDED, fill, read_weights
from tdafeat.encoders.densenet import FEATURES, PREPROCESSING, DenseNet
from tdafeat.encoders.hub import nearest
from tdafeat.errors import UnknownName, UnreadableData

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


def read_densenet(path: str | Path) -> DenseNet:
    """A DenseNet with the weights of a file, ready to use."""
    state = read_weights(path)
    if "head.bias" not in state:
        raise UnreadableData(f"{path}: not the weights of a DenseNet: there is no head.bias")
    network = DenseNet(n_classes=state["head.bias"].numel())
    fill(network, state, path)
    return network.eval()


def read_siamese(path: str | Path) -> Siamese:
    """A Siamese network with the weights of a file, ready to use."""
    state = read_weights(path)
    if "densenet.head.bias" not in state:
        raise UnreadableData(f"{path}: not the weights of a Siamese network: there is no densenet")
    network = Siamese(DenseNet(n_classes=state["densenet.head.bias"].numel()))
    fill(network, state, path)
    return network.eval()


def embedded_names(family: str) -> list[str]:
    """What can stand after ``family:`` without a checkpoint.

    Examples
    --------
    >>> embedded_names("pixels")
    []
    """
    paths = EMBEDDED.glob(f"{family}-*.safetensors")
    return sorted(path.stem.removeprefix(f"{family}-") for path in paths)


def _weights(family: str, detail: str, checkpoint: str | None) -> Path:
    if checkpoint is not None:
        return Path(checkpoint)
    names = embedded_names(family)
    if detail not in names:
        known = ", ".join(f"{family}:{name}" for name in names) or "none"
        raise UnknownName(
            f"unknown weights '{family}:{detail}'{nearest(detail, names)}; embedded: {known}; "
            f"for a checkpoint write {family}:{detail or 'NAME'}@FILE"
        )
    return EMBEDDED / f"{family}-{detail}.safetensors"


def load_densenet(detail: str, layer: str | None, checkpoint: str | None) -> Encoder:
    """DenseNet of the lab course, layers features (192), logits: densenet:fashion-mnist."""
    if layer not in (None, "features", "logits"):
        raise ValueError(f"layer of densenet must be 'features' or 'logits'; got {layer!r}")
    network = read_densenet(_weights("densenet", detail, checkpoint))
    return Encoder(
        name=f"densenet:{detail}".removesuffix(":"),
        version=fingerprint(network.state_dict()),
        layer=layer or "features",
        dimension=network.head.out_features if layer == "logits" else FEATURES,
        preprocessing=PREPROCESSING,
        function=network if layer == "logits" else network.features,
        module=network,
    )


def load_siamese(detail: str, layer: str | None, checkpoint: str | None) -> Encoder:
    """Siamese network on the DenseNet, unit vectors of 128: siamese:fashion-mnist."""
    if layer not in (None, "embedding"):
        raise ValueError(f"layer of siamese must be 'embedding'; got {layer!r}")
    network = read_siamese(_weights("siamese", detail, checkpoint))
    return Encoder(
        name=f"siamese:{detail}".removesuffix(":"),
        version=fingerprint(network.state_dict()),
        layer="embedding",
        dimension=EMBEDDING,
        preprocessing=PREPROCESSING,
        function=network,
        module=network,
    )
