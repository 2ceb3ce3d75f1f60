"""``tiny:dino``: a small vision transformer taught without labels, timm's own network."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch import Tensor
from torch.nn.functional import group_norm

from tdafeat.compat import import_torchvision
from tdafeat.encoders.base import Encoder, Preprocessing
from tdafeat.encoders.checkpoint import EMBEDDED, fill, read_history, read_weights
from tdafeat.encoders.timm_family import encoder_of

FLATTEST = 0.1  # standard deviation of an image, in [-1, 1], below which it is not stretched


@dataclass(frozen=True)
class Architecture:
    """The shape of a small vision transformer; by default that of ``tiny:dino``.

    Attributes
    ----------
    size : side of the images it encodes, in pixels; it takes smaller crops too.
    patch : side of a patch, in pixels.
    width, depth, heads : features of a token, blocks, attention heads.
    """

    size: int = 64
    patch: int = 8
    width: int = 96
    depth: int = 3
    heads: int = 3


def preprocessing(size: int) -> Preprocessing:
    """From an image to the network's input, -1 to 1."""
    return Preprocessing(size, size, "bicubic", mean=(0.5,) * 3, std=(0.5,) * 3)


def make_vit(architecture: Architecture | None = None) -> Any:
    """The untrained network, a ``timm.models.VisionTransformer``.

    Every image's own brightness and contrast are taken off before its patches are embedded: what
    a network of this size would else spend its training on.

    Its initial weights are drawn from torch's global generator.
    """
    import_torchvision()
    from timm.layers import PatchEmbed
    from timm.models.vision_transformer import VisionTransformer

    class Embed(PatchEmbed):
        def forward(self, images: Tensor) -> Tensor:
            return super().forward(group_norm(images, num_groups=1, eps=FLATTEST**2))

    shape = architecture or Architecture()
    return VisionTransformer(
        img_size=shape.size,
        patch_size=shape.patch,
        embed_dim=shape.width,
        depth=shape.depth,
        num_heads=shape.heads,
        num_classes=0,
        dynamic_img_size=True,
        weight_init="jax",
        embed_layer=Embed,
    )


def read_dino(path: str | Path) -> Any:
    """The trained network.

    Raises
    ------
    DataUnavailable, UnreadableData as `read_weights` and `fill`.
    """
    network = make_vit()
    fill(network, read_weights(path), path)
    return network.eval()


def as_encoder(network: Any, name: str, layer: str | None = None) -> Encoder:
    """An encoder of a network that is in memory, at the size of image it was made for.

    Parameters
    ----------
    network : of `make_vit`. Its weights at this moment give the encoder's version.
    layer : ``cls`` (default), ``avg``, or ``patches``, one row per patch.

    Raises
    ------
    ValueError for another layer.

    Examples
    --------
    >>> network = make_vit(Architecture(size=32, width=16, depth=1, heads=2)).eval()
    >>> as_encoder(network, "sketch").dimension
    16
    """
    return encoder_of(network, name, layer, preprocessing(network.patch_embed.img_size[0]))


def load(layer: str | None, checkpoint: str | None) -> Encoder:
    """The embedded weights, or those of a checkpoint of the same architecture."""
    path = checkpoint or EMBEDDED / "tiny-dino.safetensors"
    return replace(as_encoder(read_dino(path), "tiny:dino", layer), history=read_history(path))
