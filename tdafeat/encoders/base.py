"""What every encoder is to the rest of the suite: an image goes in, a vector comes out."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

Interpolation = Literal["nearest", "bilinear", "bicubic", "lanczos"]


@dataclass(frozen=True)
class Preprocessing:
    """From a decoded image to an encoder's input; recorded with the features.

    Attributes
    ----------
    resize : the shorter side after resizing, in pixels.
    crop : side of the centre crop taken then.
    interpolation : how PIL resizes.
    mean, std : of each channel, for pixels in [0, 1].
    channels : 3 for colour, 1 for grey; images are converted to it.

    Examples
    --------
    >>> grey = Preprocessing(resize=28, crop=28, mean=(0.5,), std=(0.5,), channels=1)
    >>> grey.prepare(np.full((40, 60, 3), 255, np.uint8)).shape
    (1, 28, 28)
    """

    resize: int
    crop: int
    interpolation: Interpolation = "bilinear"
    mean: tuple[float, ...] = (0.0, 0.0, 0.0)
    std: tuple[float, ...] = (1.0, 1.0, 1.0)
    channels: int = 3

    def __post_init__(self) -> None:
        if self.channels not in (1, 3):
            raise ValueError(f"channels must be 1 or 3; got {self.channels}")
        if not 1 <= self.crop <= self.resize:
            raise ValueError(
                f"crop must be between 1 and resize ({self.resize}) pixels; got {self.crop}"
            )
        if len(self.mean) != self.channels or len(self.std) != self.channels:
            raise ValueError(f"mean and std must have one entry per channel ({self.channels})")
        if min(self.std) <= 0:
            raise ValueError(f"std must be positive; got {self.std}")

    def prepare(self, image: np.ndarray) -> np.ndarray:
        """Convert, resize and crop a (H, W) or (H, W, 3) uint8 image to (C, crop, crop) uint8."""
        picture = Image.fromarray(image).convert("L" if self.channels == 1 else "RGB")
        width, height = picture.size
        scale = self.resize / min(width, height)
        size = (max(self.resize, round(width * scale)), max(self.resize, round(height * scale)))
        if size != picture.size:
            picture = picture.resize(size, Image.Resampling[self.interpolation.upper()])
        left, top = (round((side - self.crop) / 2) for side in size)
        cropped = picture.crop((left, top, left + self.crop, top + self.crop))
        pixels = np.asarray(cropped)
        return pixels[None] if self.channels == 1 else pixels.transpose(2, 0, 1)

    def normalise(self, pixels: Tensor) -> Tensor:
        """(B, C, H, W) in [0, 1] minus the mean, over the standard deviation."""
        shape = (1, self.channels, 1, 1)
        mean = torch.tensor(self.mean, dtype=pixels.dtype, device=pixels.device).view(shape)
        std = torch.tensor(self.std, dtype=pixels.dtype, device=pixels.device).view(shape)
        return (pixels - mean) / std


@dataclass(frozen=True, eq=False)
class Encoder:
    """A named, versioned function from normalised images to features.

    Attributes
    ----------
    name : as users type it.
    version : changes whenever the features may: a hash of the weights, or a user's own version.
    layer : where the features are read off.
    dimension : number of features, None if not known before encoding.
    preprocessing : what the function expects to have been done to its images.
    function : (B, C, H, W) normalised float tensor -> (B, D) tensor.
    module : holds the weights, None for a function without any.
    text : (class names, prompts or None) -> (C, D) unit rows; None without a text tower.
    """

    name: str
    version: str
    layer: str
    dimension: int | None
    preprocessing: Preprocessing
    function: Callable[[Tensor], Any]
    module: nn.Module | None = None
    text: Callable[[Sequence[str], Sequence[str] | None], Tensor] | None = None

    def to(self, device: str | torch.device) -> Encoder:
        """The same encoder with its weights on a device."""
        if self.module is not None:
            self.module.to(device)
        return self

    def encode(self, images: Tensor) -> Tensor:
        """Features (B, D) float32 of normalised images (B, C, H, W), without gradients."""
        with torch.inference_mode():
            return torch.as_tensor(self.function(images)).to(torch.float32)

    def encode_text(
        self, classes: Sequence[str], prompts: Sequence[str] | None = None
    ) -> Tensor | None:
        """One direction per class: the mean over prompts, as (C, D) unit rows.

        `prompts` are templates with ``{}`` for the class name; by default those of the encoder's
        family. None for an encoder without a text tower.
        """
        if self.text is None:
            return None
        with torch.inference_mode():
            return self.text(classes, prompts)


def fingerprint(state: Mapping[str, Tensor]) -> str:
    """A hash of named weights: the same weights give the same version, however they were stored.

    Examples
    --------
    >>> fingerprint({"w": torch.zeros(2)}) == fingerprint({"w": torch.zeros(2)})
    True
    """
    total = hashlib.sha256()
    for name in sorted(state):
        array = state[name].detach().cpu().contiguous()
        total.update(f"{name} {array.dtype} {tuple(array.shape)}".encode())
        total.update(array.flatten().view(torch.uint8).numpy().tobytes())
    return total.hexdigest()[:16]
