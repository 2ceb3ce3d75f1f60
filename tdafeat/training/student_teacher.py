"""What self-distillation trains: a student, its teacher, and the head that reads them.

The teacher is a running average of the student; centring and sharpening of its answers, the KoLeo
regulariser and iBOT's masked patches are each on a switch of the `Recipe`.

References
----------
Caron et al. (2021), Emerging properties in self-supervised vision transformers.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from tdafeat.encoders.tiny_dino import Architecture, make_vit
from tdafeat.training.self_distillation import (
    distillation_loss,
    koleo_loss,
    masked_patch_loss,
    targets,
)

N_GLOBAL = 2  # large crops of an image


@dataclass(frozen=True)
class Recipe:
    """What the student is shown and how it is taught.

    Attributes
    ----------
    global_size, local_size : sides of the two large and the small crops, in pixels.
    global_area, local_area : smallest and largest share of the image that a crop covers.
    local_crops : small crops of an image, seen by the student alone.
    prototypes : outputs of the projection head.
    centring : whether a running mean is taken off the teacher's logits.
    centre_momentum : of that mean.
    sharpening : whether the teacher's temperature is its own, or else the student's.
    student_temperature, teacher_temperature : of the softmax over prototypes.
    momentum : of the teacher at first; it rises to 1 along half a cosine.
    koleo : weight of the KoLeo loss on the student's class tokens of the large crops.
    ibot : weight of the masked-patch loss.
    """

    global_size: int = 32
    local_size: int = 16
    global_area: tuple[float, float] = (0.25, 0.6)
    local_area: tuple[float, float] = (0.06, 0.2)
    local_crops: int = 4
    prototypes: int = 128
    centring: bool = True
    centre_momentum: float = 0.9
    sharpening: bool = True
    student_temperature: float = 0.1
    teacher_temperature: float = 0.05
    momentum: float = 0.98
    koleo: float = 0.0
    ibot: float = 0.0


class Head(nn.Module):
    """Projection head: three layers, then cosines with the prototypes."""

    def __init__(self, width: int, prototypes: int, hidden: int = 256, bottleneck: int = 64):
        super().__init__()
        self.project = nn.Sequential(
            nn.Linear(width, hidden),
            nn.GELU(),
            nn.Linear(hidden, hidden),
            nn.GELU(),
            nn.Linear(hidden, bottleneck),
        )
        self.prototypes = nn.Parameter(torch.randn(prototypes, bottleneck))

    def forward(self, tokens: Tensor) -> Tensor:
        """(..., width) to (..., prototypes) in [-1, 1]."""
        with torch.autocast(tokens.device.type, enabled=False):  # the softmax magnifies errors
            projected = normalize(self.project(tokens.float()), dim=-1)
            return projected @ normalize(self.prototypes, dim=-1).T


class Learner(nn.Module):
    """A transformer, its projection head, and what stands for patches it may not see."""

    def __init__(self, architecture: Architecture, prototypes: int):
        super().__init__()
        self.backbone = make_vit(architecture)
        self.head = Head(architecture.width, prototypes)
        self.mask_token = nn.Parameter(torch.zeros(architecture.width))

    def forward(self, images: Tensor, masked: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Class token (B, D) and patch tokens (B, T, D); `masked` (B, T) patches are hidden."""
        if masked is None:
            tokens = self.backbone.forward_features(images)
        else:

            def hide(module: nn.Module, inputs: Any, embedded: Tensor) -> Tensor:  # (B, h, w, D)
                hidden = masked.view(embedded.shape[:-1])[..., None]
                return torch.where(hidden, self.mask_token.to(embedded.dtype), embedded)

            hook = self.backbone.patch_embed.register_forward_hook(hide)
            try:
                tokens = self.backbone.forward_features(images)
            finally:
                hook.remove()
        return tokens[:, 0].float(), tokens[:, 1:].float()


class SelfDistillation(nn.Module):
    """Student, teacher and the centres of the teacher's logits: all that training changes."""

    def __init__(self, architecture: Architecture, recipe: Recipe):
        super().__init__()
        self.recipe = recipe
        self.student = Learner(architecture, recipe.prototypes)
        self.teacher = copy.deepcopy(self.student).requires_grad_(False)
        self.centre: Tensor
        self.patch_centre: Tensor
        self.register_buffer("centre", torch.zeros(recipe.prototypes))
        self.register_buffer("patch_centre", torch.zeros(recipe.prototypes))

    def loss(self, large: Tensor, small: Tensor | None, masked: Tensor | None) -> Tensor:
        """The loss of a batch; moves the centres on.

        Parameters
        ----------
        large : (2 B, 3, g, g), the first large crop of every image, then the second.
        small : (L B, 3, l, l), or None.
        masked : (2 B, T) bool, patches of the large crops to hide from the student, or None.
        """
        recipe = self.recipe
        with torch.no_grad():
            classes, patches = self.teacher(large)
            taught = self._taught(self.teacher.head(classes), self.centre)
        seen, read = self.student(large, masked)
        tokens = seen if small is None else torch.cat([seen, self.student(small)[0]])
        logits = self.student.head(tokens)
        images = len(large) // N_GLOBAL
        total = distillation_loss(
            logits.unflatten(0, (-1, images)),
            taught.unflatten(0, (N_GLOBAL, images)),
            recipe.student_temperature,
        )
        if recipe.koleo:  # between images: two crops of one image shall stay near
            parts = [koleo_loss(part) for part in seen.chunk(N_GLOBAL)]
            total = total + recipe.koleo * torch.stack(parts).mean()
        if masked is not None:
            with torch.no_grad():
                taught = self._taught(self.teacher.head(patches), self.patch_centre)
            total = total + recipe.ibot * masked_patch_loss(
                self.student.head(read), taught, masked, recipe.student_temperature
            )
        return total

    def _taught(self, logits: Tensor, centre: Tensor) -> Tensor:
        taught = targets(logits, centre, self.sharpness)
        if self.recipe.centring:
            centre.lerp_(logits.flatten(0, -2).mean(dim=0), 1 - self.recipe.centre_momentum)
        return taught

    @property
    def sharpness(self) -> float:
        """Temperature of the teacher's softmax."""
        recipe = self.recipe
        return recipe.teacher_temperature if recipe.sharpening else recipe.student_temperature
