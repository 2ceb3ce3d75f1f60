"""Many small looks at an image: random crops, turned, mirrored, recoloured and blurred."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

GREY = 0.5  # share of crops without colour
BLUR = (0.1, 0.7)  # standard deviation, in pixels of the crop
_REACH = 2  # pixels: where the broadest blur has fallen to 2 %
_LUMA = torch.tensor([0.299, 0.587, 0.114])  # ITU-R BT.601


def look(
    images: Tensor, size: int, area: tuple[float, float], generator: torch.Generator
) -> Tensor:
    """One crop of each image, drawn anew for each: its square, its colours, its blur.

    Parameters
    ----------
    images : (B, 3, H, W) float in [0, 1].
    size : side of the crops in pixels.
    area : smallest and largest share of the image that a crop covers.
    generator : on the CPU; the same state gives the same looks on every device.

    Returns
    -------
    (B, 3, size, size) float in [0, 1].

    Examples
    --------
    >>> images = torch.rand(4, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    >>> look(images, 16, (0.1, 0.4), torch.Generator().manual_seed(0)).shape
    torch.Size([4, 3, 16, 16])
    """
    return blurred(recoloured(cropped(images, size, area, generator), generator), generator)


def cropped(
    images: Tensor, size: int, area: tuple[float, float], generator: torch.Generator
) -> Tensor:
    """A square of each image at any angle, half of them mirrored; beyond the border, reflected.

    Examples
    --------
    >>> grey = torch.full((1, 3, 8, 8), 0.5)
    >>> cropped(grey, 4, (0.5, 1.0), torch.Generator()).unique()
    tensor([0.5000])
    """
    n = len(images)
    share, turn, flip, across, down = torch.rand(5, n, generator=generator)
    side = (area[0] + (area[1] - area[0]) * share).sqrt()
    angle = 2 * math.pi * turn
    mirror = torch.where(flip < 0.5, -1.0, 1.0)
    free = 1 - side  # how far the middle may move: the image's sides are 2 wide here
    cos, sin = side * angle.cos(), side * angle.sin()
    first = torch.stack([cos * mirror, -sin, (2 * across - 1) * free], dim=1)
    second = torch.stack([sin * mirror, cos, (2 * down - 1) * free], dim=1)
    affine = torch.stack([first, second], dim=1).to(images.device)
    grid = functional.affine_grid(affine, [n, 3, size, size], align_corners=False)
    return functional.grid_sample(images, grid, padding_mode="reflection", align_corners=False)


def recoloured(images: Tensor, generator: torch.Generator) -> Tensor:
    """Half of the images grey, the others with their hue turned anywhere; all in other tones.

    Contrast (about mid-grey) is multiplied by 0.5 to 1.4; brightness moves by up to 0.25. What
    leaves [0, 1] is cut off.

    Examples
    --------
    >>> changed = recoloured(torch.rand(2, 3, 4, 4), torch.Generator())
    >>> bool((changed >= 0).all() and (changed <= 1).all())
    True
    """
    n = len(images)
    hue, colour, contrast, brightness = torch.rand(4, n, generator=generator)
    axis = torch.ones(3) / math.sqrt(3)
    across = torch.linalg.cross(axis.expand(3, 3), torch.eye(3)).T  # v -> axis x v
    along = torch.outer(axis, axis)
    hue = (2 * math.pi * hue)[:, None, None]
    turned = along + hue.cos() * (torch.eye(3) - along) + hue.sin() * across  # Rodrigues
    grey = _LUMA.expand(3, 3)
    matrix = torch.where((colour < GREY)[:, None, None], grey, grey + turned - grey @ turned)
    matrix = (0.5 + 0.9 * contrast)[:, None, None] * matrix
    mixed = torch.einsum("ndc,nchw->ndhw", matrix.to(images.device), images - 0.5)
    moved = (0.5 * brightness - 0.25).to(images.device)[:, None, None, None]
    return (mixed + 0.5 + moved).clamp(0, 1)


def blurred(images: Tensor, generator: torch.Generator) -> Tensor:
    """Half of the images under a Gaussian blur of random width.

    Examples
    --------
    >>> grey = torch.full((2, 3, 8, 8), 0.5)
    >>> bool(torch.allclose(blurred(grey, torch.Generator()), grey))
    True
    """
    n, channels, height, width = images.shape
    draw, chosen = torch.rand(2, n, generator=generator)
    low, high = BLUR
    sigma = (low + (high - low) * draw)[:, None]
    steps = torch.arange(-_REACH, _REACH + 1)
    kernel = torch.exp(-(steps**2) / (2 * sigma**2))
    kernel = torch.where((chosen < 0.5)[:, None], kernel, (steps == 0).float())
    kernel = (kernel / kernel.sum(dim=1, keepdim=True)).repeat_interleave(channels, dim=0)
    kernel = kernel.to(images.device)
    rows = images.reshape(1, n * channels, height, width)
    rows = functional.pad(rows, (_REACH,) * 4, mode="replicate")
    rows = functional.conv2d(rows, kernel[:, None, None, :], groups=n * channels)
    rows = functional.conv2d(rows, kernel[:, None, :, None], groups=n * channels)
    return rows.view_as(images)
