"""What DINO minimises: a student reads in every crop what its teacher reads in the large ones.

Functions of tensors alone. Logits are dot products with the prototypes of the projection head.

References
----------
Caron et al. (2021), Emerging properties in self-supervised vision transformers;
Sablayrolles et al. (2019), Spreading vectors for similarity search;
Zhou et al. (2022), iBOT: image BERT pre-training with online tokenizer.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import log_softmax, normalize, softmax

from tdafeat.geometry.uniformity import SMALLEST_DISTANCE


def targets(logits: Tensor, centre: Tensor, temperature: float) -> Tensor:
    """The teacher's distribution over prototypes: softmax((logits - centre) / temperature).

    Parameters
    ----------
    logits : (..., K).
    centre : (K,), a running mean of the teacher's logits; zeros do not centre.
    temperature : the lower, the sharper.

    Examples
    --------
    >>> targets(torch.tensor([2.0, 3.0]), torch.tensor([2.0, 3.0]), temperature=0.04)
    tensor([0.5000, 0.5000])
    """
    return softmax((logits - centre) / temperature, dim=-1)


def distillation_loss(student: Tensor, taught: Tensor, temperature: float) -> Tensor:
    """Mean cross-entropy of every student view with every teacher view of another crop.

    Parameters
    ----------
    student : (V, B, K) logits, V >= 2 views of each of B images.
    taught : (G, B, K) distributions; teacher view g is of the same crop as student view g.
    temperature : of the student.

    Returns
    -------
    Scalar, at least the mean entropy of `taught`.

    Examples
    --------
    >>> logits = torch.zeros(4, 1, 8)
    >>> taught = torch.full((2, 1, 8), 1 / 8)
    >>> round(float(distillation_loss(logits, taught, temperature=0.1)), 4)  # log 8
    2.0794
    """
    likely = log_softmax(student / temperature, dim=-1)
    crossed = -torch.einsum("gbk,vbk->gv", taught, likely) / student.shape[1]
    n_pairs = crossed.numel() - len(taught)
    return (crossed.sum() - crossed.diagonal().sum()) / n_pairs


def masked_patch_loss(
    student: Tensor, taught: Tensor, masked: Tensor, temperature: float
) -> Tensor:
    """iBOT: cross-entropy at patches the student did not see, of which its teacher saw all.

    Each image counts by the mean over its masked patches; images without any do not count.

    Parameters
    ----------
    student : (B, T, K) logits.
    taught : (B, T, K) distributions.
    masked : (B, T) bool. With nothing masked the loss is 0.

    Examples
    --------
    >>> hidden = torch.tensor([[True, False]])
    >>> taught = torch.tensor([[[1.0, 0.0], [0.0, 1.0]]])
    >>> round(float(masked_patch_loss(torch.zeros(1, 2, 2), taught, hidden, 0.1)), 4)  # log 2
    0.6931
    """
    crossed = -(taught * log_softmax(student / temperature, dim=-1)).sum(dim=-1)
    counts = masked.sum(dim=1)
    per_image = (crossed * masked).sum(dim=1) / counts.clamp_min(1)
    return per_image.sum() / (counts > 0).sum().clamp_min(1)


def koleo_loss(features: Tensor) -> Tensor:
    """Minus the mean log distance of each unit-normalised row to its nearest other row.

    The value of `tdafeat.geometry.koleo`, with a gradient that pushes nearest neighbours apart.

    Parameters
    ----------
    features : (B, D), B >= 2. A row of zeros counts as a point at the centre of the sphere.

    Examples
    --------
    >>> round(float(koleo_loss(torch.eye(2))), 4)  # minus half of log 2
    -0.3466
    """
    rows = normalize(features, dim=1)
    with torch.no_grad():
        cosines = (rows @ rows.T).fill_diagonal_(-math.inf)
        nearest = cosines.argmax(dim=1)
    # A floor under the square: the root of 0 has no gradient.
    squares = (rows - rows[nearest]).square().sum(dim=1)
    return -squares.clamp_min(SMALLEST_DISTANCE**2).log().mean() / 2


def random_masks(
    n: int, n_patches: int, generator: torch.Generator, share: tuple[float, float] = (0.1, 0.5)
) -> Tensor:
    """Which patches to hide from the student: of every other image a random share of them.

    iBOT hides blocks; on grids of few patches single ones are drawn here.

    Returns
    -------
    (n, n_patches) bool; about half of the rows are empty, the others hold at least one patch.

    Examples
    --------
    >>> masks = random_masks(100, 16, torch.Generator().manual_seed(0))
    >>> bool(masks.sum(dim=1).max() <= 8)
    True
    """
    low, high = share
    wanted = (low + (high - low) * torch.rand(n, generator=generator)) * n_patches
    counts = wanted.round().clamp_min(1) * (torch.rand(n, generator=generator) < 0.5)
    ranks = torch.rand(n, n_patches, generator=generator).argsort(dim=1).argsort(dim=1)
    return ranks < counts[:, None]


def cosine(step: int, total: int, start: float, end: float) -> float:
    """From `start` at step 0 to `end` at step `total` along half a cosine.

    Examples
    --------
    >>> cosine(5, 10, start=0.0, end=1.0)
    0.5
    """
    return end + (start - end) * (1 + math.cos(math.pi * step / total)) / 2


@torch.no_grad()
def follow(teacher: nn.Module, student: nn.Module, momentum: float) -> None:
    """Move the teacher's parameters towards the student's: t = m t + (1 - m) s, in place.

    Examples
    --------
    >>> teacher, student = nn.Linear(1, 1), nn.Linear(1, 1)
    >>> follow(teacher, student, momentum=0.0)
    >>> bool(teacher.weight == student.weight)
    True
    """
    for old, new in zip(teacher.parameters(), student.parameters(), strict=True):
        old.lerp_(new, 1 - momentum)
