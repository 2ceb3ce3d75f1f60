"""A user's own function as an encoder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor

from tdafeat.encoders.base import Encoder, Preprocessing


def from_function(
    function: Callable[[Tensor], Any],
    name: str,
    version: str,
    size: int = 224,
    mean: Sequence[float] = (0.485, 0.456, 0.406),
    std: Sequence[float] = (0.229, 0.224, 0.225),
    channels: int = 3,
) -> Encoder:
    """Make an encoder of any function from image batches to vectors.

    Parameters
    ----------
    function : takes (B, channels, size, size) float32, normalised, and returns (B, D) as a tensor
        or array; called without gradients, with the images on the study's device.
    name, version : go into the key under which features are stored. Change the version whenever
        the function changes, or old features are served.
    size : side of the images it takes; they are resized to it and centre-cropped.
    mean, std : of each channel for pixels in [0, 1]; ImageNet's by default.
    channels : 3 for colour, 1 for grey (then give one mean and one std).

    Raises
    ------
    TypeError if `function` cannot be called; ValueError for an empty name or version.

    Examples
    --------
    >>> brightness = from_function(lambda x: x.mean(dim=(2, 3)), "brightness", version="1", size=8)
    >>> brightness.layer, brightness.preprocessing.crop
    ('output', 8)
    """
    if not callable(function):
        raise TypeError(f"function must be callable; got {type(function).__name__}")
    for value, what in ((name, "name"), (version, "version")):
        if not isinstance(value, str) or not value.strip():
            raise ValueError(f"{what} must be a non-empty string: it goes into the stored key")
    preprocessing = Preprocessing(size, size, "bicubic", tuple(mean), tuple(std), channels)
    return Encoder(name, version, "output", None, preprocessing, function)
