"""What every encoder is to the rest of the suite: an image goes in, a vector comes out."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn.functional import normalize

from tdafeat.encoders.templates import GENERIC, check_templates, read_prompts
from tdafeat.errors import UnknownName

if TYPE_CHECKING:
    from tdafeat.datasets import ImageSet

MOST_ELONGATED = 1000  # a longer image would take gigabytes once resized
Interpolation = Literal["nearest", "bilinear", "bicubic", "lanczos"]


@dataclass(frozen=True)
class Preprocessing:
    """From a decoded image to an encoder's input; recorded with the features.

    Attributes
    ----------
    resize : the shorter side after resizing, in pixels, the proportions being kept; None to
        stretch the whole image to `crop` x `crop`.
    crop : side of the centre crop taken then, in pixels.
    interpolation : how PIL resizes.
    mean, std : of each channel, for pixels in [0, 1].
    channels : 3 for colour, 1 for grey; images are converted to it.

    Examples
    --------
    >>> grey = Preprocessing(resize=28, crop=28, mean=(0.5,), std=(0.5,), channels=1)
    >>> grey.prepare(np.full((40, 60, 3), 255, np.uint8)).shape
    (1, 28, 28)
    """

    resize: int | None
    crop: int
    interpolation: Interpolation = "bilinear"
    mean: tuple[float, ...] = (0.0, 0.0, 0.0)
    std: tuple[float, ...] = (1.0, 1.0, 1.0)
    channels: int = 3

    def __post_init__(self) -> None:
        if self.channels not in (1, 3):
            raise ValueError(f"channels must be 1 or 3; got {self.channels}")
        if self.crop < 1 or (self.resize is not None and self.resize < self.crop):
            raise ValueError(
                f"crop must be at least 1 and at most resize ({self.resize}) pixels; "
                f"got {self.crop}"
            )
        if self.interpolation not in get_args(Interpolation):
            known = ", ".join(get_args(Interpolation))
            raise ValueError(f"interpolation must be one of {known}; got {self.interpolation!r}")
        if len(self.mean) != self.channels or len(self.std) != self.channels:
            raise ValueError(f"mean and std must have one entry per channel ({self.channels})")
        if not all(deviation > 0 for deviation in self.std):
            raise ValueError(f"std must be positive; got {self.std}")

    @property
    def shape(self) -> tuple[int, int, int]:
        """(channels, height, width) of what the encoder sees."""
        return self.channels, self.crop, self.crop

    @property
    def geometry(self) -> Preprocessing:
        """The same without normalisation: encoders that share it see the same pixels."""
        return replace(self, mean=(0.0,) * self.channels, std=(1.0,) * self.channels)

    def prepare(self, image: np.ndarray) -> np.ndarray:
        """Convert, resize and crop an image; the arithmetic of sides is torchvision's.

        Parameters
        ----------
        image : (H, W) or (H, W, 3) uint8.

        Returns
        -------
        (channels, crop, crop) uint8.

        Raises
        ------
        TypeError for another dtype; ValueError for another shape, an empty image, or one more
        than a thousand times as long as wide.
        """
        if image.dtype != np.uint8:
            raise TypeError(f"image must hold uint8 pixels; got {image.dtype}")
        if image.ndim < 2 or image.shape[2:] not in ((), (3,)) or min(image.shape) == 0:
            raise ValueError(f"image must be (H, W) or (H, W, 3) and not empty; got {image.shape}")
        picture, mode = Image.fromarray(image), "L" if self.channels == 1 else "RGB"
        if picture.mode != mode:  # else it would be copied
            picture = picture.convert(mode)
        size = self._resized(*picture.size)
        if size != picture.size:
            picture = picture.resize(size, Image.Resampling[self.interpolation.upper()])
        left, top = (round((side - self.crop) / 2) for side in size)
        pixels = np.asarray(picture.crop((left, top, left + self.crop, top + self.crop)))
        return pixels[None] if self.channels == 1 else pixels.transpose(2, 0, 1)

    def _resized(self, width: int, height: int) -> tuple[int, int]:
        """Width and height after resizing; the longer side is rounded down."""
        if self.resize is None:
            return self.crop, self.crop
        short = min(width, height)
        if max(width, height) > MOST_ELONGATED * short:
            raise ValueError(f"image of {width} x {height} pixels is too long for its width")
        return self.resize * width // short, self.resize * height // short

    def normalise(self, pixels: Tensor) -> Tensor:
        """Pixels (B, C, H, W) in [0, 1] minus the mean, over the standard deviation."""
        mean, std = _statistics(self, pixels.dtype, pixels.device)
        return (pixels - mean).div_(std)


@lru_cache(maxsize=64)
def _statistics(
    preprocessing: Preprocessing, dtype: torch.dtype, device: torch.device
) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation, (1, C, 1, 1): sent to a GPU once, for each sending waits."""
    with torch.inference_mode(False):  # else no training could use what an extraction made first
        mean, std = torch.tensor([preprocessing.mean, preprocessing.std], dtype=dtype).to(device)
        return mean.view(1, -1, 1, 1), std.view(1, -1, 1, 1)


@dataclass(frozen=True, eq=False)
class Head:
    """A network's own linear classifier of its features.

    Attributes
    ----------
    classes : what it was taught to tell apart, as a data set names them.
    weights, bias : (C, D) and (C,): ``weights @ x + bias`` are the logits of a row x.
    """

    classes: tuple[str, ...]
    weights: Tensor
    bias: Tensor

    def of(self, classes: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Weights and bias of these classes, in this order, as float32 arrays.

        Raises
        ------
        UnknownName for a class it was not taught.

        Examples
        --------
        >>> Head(("cat", "dog"), torch.eye(2), torch.zeros(2)).of(["dog"])[0]
        array([[0., 1.]], dtype=float32)
        """
        missing = [name for name in classes if name not in self.classes]
        if missing:
            raise UnknownName(f"it was not taught the class {missing[0]!r}")
        rows = [self.classes.index(name) for name in classes]
        weights, bias = (part.detach().cpu().numpy()[rows] for part in (self.weights, self.bias))
        return weights.astype(np.float32), bias.astype(np.float32)


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
    module : holds the weights, None for a function without any. It is given images whose
        channels lie last in memory; their shape is the same. Extraction moves it to its device
        and leaves it as it is otherwise.
    text : T sentences -> (T, D) in the space of the images; None without a text tower.
    head : the network's own classifier of its features; None without one, or where nothing tells
        which classes it was taught.
    tokens : whether the function gives (B, T, D), a row for each of T patches of an image.
    image_shape : (channels, height, width) where the features are the pixels, in [0, 1], of an
        image of this shape; None where they are none.
    fit : train images -> the encoder that is used, its version naming what it was fitted on;
        None for an encoder that learns nothing from a study's images.
    remark : what must stand beside any number measured on it, such as that it stands in for the
        published encoder; usually empty.
    history : of its training, per epoch, ``epoch`` and what was logged, where a model card tells.
    """

    name: str
    version: str
    layer: str
    dimension: int | None
    preprocessing: Preprocessing
    function: Callable[[Tensor], Any]
    module: nn.Module | None = None
    text: Callable[[list[str]], Tensor] | None = None
    head: Head | None = None
    tokens: bool = False
    image_shape: tuple[int, int, int] | None = None
    fit: Callable[[ImageSet], Encoder] | None = None
    remark: str = ""
    history: Sequence[Mapping[str, float]] = ()

    def to(self, device: str | torch.device) -> Encoder:
        """Move its weights to a torch device, in place, and return it."""
        if self.module is not None:
            self.module.to(device)
        return self

    def encode(self, images: Tensor) -> Tensor:
        """Features (B, D) or (B, T, D), float32, of normalised images (B, C, H, W)."""
        with torch.inference_mode():
            return torch.as_tensor(self.function(images)).to(torch.float32)

    def encode_text(
        self, classes: Sequence[str], prompts: Sequence[str] | None = None
    ) -> Tensor | None:
        """One direction per class: the mean over prompts, as (C, D) unit rows.

        Parameters
        ----------
        prompts : templates with ``{}`` where the class name goes; a few plain ones by default.
            `tdafeat.encoders.prompts_for` knows those of a data set.

        Returns
        -------
        None for an encoder without a text tower.

        Raises
        ------
        ValueError for no class, no prompt, or a prompt without ``{}``.
        """
        if self.text is None:
            return None
        if isinstance(classes, str) or not classes:
            raise ValueError(f"classes must be a list of class names; got {classes!r}")
        templates = read_prompts(GENERIC) if prompts is None else list(prompts)
        check_templates(templates, "prompts")
        with torch.inference_mode():
            rows = []
            for name in classes:  # prompts of equal weight (Radford et al. 2021)
                embedded = self.text([template.replace("{}", name) for template in templates])
                rows.append(normalize(embedded.float(), dim=1).mean(dim=0))
            return normalize(torch.stack(rows), dim=1)


def choose_layer(family: str, layer: str | None, known: Sequence[str]) -> str:
    """The layer asked for, or the first one known.

    Raises
    ------
    ValueError for a layer that is not known.

    Examples
    --------
    >>> choose_layer("pixels", None, ["rgb", "grey"])
    'rgb'
    """
    if layer is not None and layer not in known:
        names = " or ".join(map(repr, known))
        raise ValueError(f"layer of {family} must be {names}; got {layer!r}")
    return layer or known[0]


def refuse_checkpoint(family: str, checkpoint: str | None) -> None:
    """Refuse a checkpoint, with a ValueError, for an encoder that has no weights to read.

    Examples
    --------
    >>> refuse_checkpoint("pixels", None)
    """
    if checkpoint is not None:
        raise ValueError(f"{family} has no weights; leave the checkpoint out")


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
