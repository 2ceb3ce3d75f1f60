"""Controlled corruptions of images: the same noise at every level, only stronger.

A noise is one function ``(images, field, level) -> images`` with a record attached by `@noise`.
Levels are those of ImageNet-C (Hendrycks and Dietterich 2019) unless others are asked for.
Other packages add theirs through the entry-point group ``tdafeat.noises``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from tdafeat.random_field import RandomField
from tdafeat.record import Registry

Corruption = Callable[[Tensor, RandomField, float], Tensor]
"""(images of shape (B, C, H, W), their random numbers, level) -> noisy images."""


@dataclass(frozen=True)
class Noise:
    """A corruption and its levels.

    Attributes
    ----------
    name : as registered.
    units : ``"pixel"``: acts on pixels in [0, 1], the result is clipped and rounded to the 255
        steps a picture file has. ``"normalised"``: acts after the encoder's normalisation.
    parameter : what a level is, e.g. ``"sigma"``.
    levels : the parameter at severity 1, 2, ...
    function : the corruption.
    harm : whether a larger or a smaller parameter is the worse one.
    maximum : largest level that makes sense.
    version : raise it when the function changes its result.
    """

    name: str
    units: Literal["pixel", "normalised"]
    parameter: str
    levels: tuple[float, ...]
    function: Corruption
    harm: Literal["larger", "smaller"] = "larger"
    maximum: float = math.inf
    version: str = "1"

    def __post_init__(self) -> None:
        levels = tuple(float(level) for level in self.levels)
        object.__setattr__(self, "levels", levels)
        if not levels:
            raise ValueError(f"levels of {self.name} must not be empty")
        for level in levels:
            if not (0 < level <= self.maximum and math.isfinite(level)):
                bound = "positive" if math.isinf(self.maximum) else f"in (0, {self.maximum:g}]"
                raise ValueError(
                    f"levels of {self.name} ({self.parameter}) must be finite and {bound}; "
                    f"got {level:g}"
                )
        ordered = sorted(set(levels), reverse=self.harm == "smaller")
        if list(levels) != ordered:
            order = "increase" if self.harm == "larger" else "decrease"
            raise ValueError(
                f"levels of {self.name} must strictly {order}, each worse than the one before; "
                f"got {', '.join(f'{level:g}' for level in levels)}"
            )

    def apply(self, images: Tensor, ids: Sequence[str], severity: int, seed: int = 0) -> Tensor:
        """The images at one severity.

        Parameters
        ----------
        images : (B, C, H, W) float; pixels in [0, 1], or normalised where `units` says so.
        ids : B ids; an image's noise is a function of (seed, id, position) alone.
        severity : 0, which returns the images as they are, or 1 to ``len(levels)``.

        Examples
        --------
        >>> grey = torch.full((1, 1, 2, 2), 0.5)
        >>> load("contrast").apply(grey, ["a"], severity=5).flatten().tolist()[0]
        0.501960813999176
        """
        if not 0 <= severity <= len(self.levels):
            raise ValueError(
                f"severity of {self.name} must be 0 to {len(self.levels)}; got {severity}"
            )
        return self._at(severity, images, self._field(images, ids, seed))

    def sweep(
        self, images: Tensor, ids: Sequence[str], seed: int = 0
    ) -> Iterator[tuple[int, Tensor]]:
        """Severity and images, from 0 up; the random numbers are drawn once for all of them."""
        field = self._field(images, ids, seed)
        for severity in range(len(self.levels) + 1):
            yield severity, self._at(severity, images, field)

    def _field(self, images: Tensor, ids: Sequence[str], seed: int) -> RandomField:
        if images.ndim != 4 or len(images) != len(ids) or not images.is_floating_point():
            raise ValueError(
                f"images must be float of shape (B, C, H, W) with one id each; got "
                f"{images.dtype} of shape {tuple(images.shape)} and {len(ids)} ids"
            )
        return RandomField(ids, images.shape[1:], seed, images.device)

    def _at(self, severity: int, images: Tensor, field: RandomField) -> Tensor:
        if severity == 0:
            return images
        noisy = self.function(images, field, self.levels[severity - 1])
        if self.units == "normalised":
            return noisy
        # after clamp the tensor is ours: a fresh one for every step would cost more than the steps
        return noisy.clamp(0, 1).mul_(255).round_().div_(255)


noises: Registry[Noise] = Registry("noise", "tdafeat.noises")


def noise(
    name: str,
    *,
    parameter: str,
    levels: Sequence[float],
    units: Literal["pixel", "normalised"] = "pixel",
    harm: Literal["larger", "smaller"] = "larger",
    maximum: float = math.inf,
    version: str = "1",
) -> Callable[[Corruption], Corruption]:
    """Register the decorated function as a noise; the function itself stays as it is.

    Examples
    --------
    >>> @noise("example_dimming", parameter="factor", levels=(0.9, 0.5), harm="smaller")
    ... def dimming(images, field, factor):
    ...     return images * factor
    >>> load("example_dimming").levels
    (0.9, 0.5)
    """

    def register(function: Corruption) -> Corruption:
        made = Noise(name, units, parameter, tuple(levels), function, harm, maximum, version)
        noises.add(name, made)
        return function

    return register


def load(name: str, levels: Sequence[float] | None = None) -> Noise:
    """The noise of this name, with its own levels or others.

    Raises
    ------
    UnknownName for a name not registered; ValueError for levels that are not finite, positive,
    possible and each worse than the one before.

    Examples
    --------
    >>> load("gaussian").levels
    (0.08, 0.12, 0.18, 0.26, 0.38)
    >>> load("gaussian", levels=(0.1, 0.2)).levels
    (0.1, 0.2)
    """
    return noises[name] if levels is None else replace(noises[name], levels=tuple(levels))


@noise("gaussian", parameter="sigma", levels=(0.08, 0.12, 0.18, 0.26, 0.38), version="2")
def gaussian(images: Tensor, field: RandomField, sigma: float) -> Tensor:
    """Add normal noise of standard deviation sigma, in units of the pixels' range."""
    return images + sigma * field.normal


@noise(
    "gaussian_normalised",
    parameter="sigma",
    levels=(0.5, 1.0, 2.0),
    units="normalised",
    version="2",
)
def gaussian_normalised(images: Tensor, field: RandomField, sigma: float) -> Tensor:
    """Add normal noise of standard deviation sigma to the encoder's normalised input."""
    return images + sigma * field.normal


@noise("shot", parameter="lambda", levels=(60, 25, 12, 5, 3), harm="smaller", maximum=10_000)
def shot(images: Tensor, field: RandomField, lam: float) -> Tensor:
    """Count photons: a Poisson number of mean lambda x pixel, divided by lambda.

    One uniform number per pixel is read through the inverse of the distribution function. Pixels
    have 256 values, so the functions stand in a table, row after row, each raised by its row
    number: one ascending list, and one binary search per pixel.
    """
    rows = torch.arange(256, dtype=torch.float64, device=images.device)[:, None]
    counts = torch.arange(int(lam + 10 * math.sqrt(lam) + 20), dtype=rows.dtype, device=rows.device)
    means = rows / 255 * lam
    mass = torch.exp(torch.xlogy(counts, means) - means - torch.lgamma(counts + 1))
    below = mass.cumsum(dim=1).clamp(max=1.0)
    below[:, -1] = 1.0
    table = (rows + below).flatten()
    value = (images.clamp(0, 1) * 255).round().to(torch.int64).contiguous()
    found = torch.searchsorted(table, value + field.uniform.double())
    return (found - value * len(counts)).to(images.dtype) / lam


@noise("impulse", parameter="amount", levels=(0.03, 0.06, 0.09, 0.17, 0.27), maximum=1.0)
def impulse(images: Tensor, field: RandomField, amount: float) -> Tensor:
    """Turn this share of the values black or white, half and half (salt and pepper)."""
    noisy = torch.where(field.uniform < amount / 2, 0.0, images)
    return torch.where(field.uniform > 1 - amount / 2, 1.0, noisy)


@noise("speckle", parameter="sigma", levels=(0.15, 0.2, 0.35, 0.45, 0.6), version="2")
def speckle(images: Tensor, field: RandomField, sigma: float) -> Tensor:
    """Add normal noise in proportion to the pixel."""
    return images * (1 + sigma * field.normal)


@noise("blur", parameter="sigma", levels=(1, 2, 3, 4, 6), maximum=100.0)
def blur(images: Tensor, field: RandomField, sigma: float) -> Tensor:
    """Average with a Gaussian of sigma pixels of the encoder's input, cut off at 4 sigma."""
    radius = math.ceil(4 * sigma)
    offsets = torch.arange(-radius, radius + 1, dtype=images.dtype, device=images.device)
    kernel = torch.exp(-0.5 * (offsets / sigma) ** 2)
    kernel = kernel / kernel.sum()
    n_images, channels, height, width = images.shape
    flat = images.reshape(n_images * channels, 1, height, width)
    flat = functional.pad(flat, (radius,) * 4, mode="replicate")
    flat = functional.conv2d(
        functional.conv2d(flat, kernel[None, None, None]), kernel[:, None][None, None]
    )
    return flat.reshape(images.shape)


@noise(
    "contrast", parameter="factor", levels=(0.4, 0.3, 0.2, 0.1, 0.05), harm="smaller", maximum=1.0
)
def contrast(images: Tensor, field: RandomField, factor: float) -> Tensor:
    """Draw each channel towards its mean over the image, keeping this share of the difference."""
    mean = images.mean(dim=(2, 3), keepdim=True)
    return mean + factor * (images - mean)
