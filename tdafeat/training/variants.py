"""Trainers as variants of a study: every checkpoint is an encoder that can be measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tdafeat.datasets import ImageSet
from tdafeat.encoders import Encoder
from tdafeat.encoders.tiny_dino import Architecture, as_encoder, make_vit, preprocessing
from tdafeat.sources.variants import Observe
from tdafeat.training import dino
from tdafeat.training.data import batchable
from tdafeat.training.loop import Settings
from tdafeat.training.student_teacher import Recipe


@dataclass(frozen=True)
class Dino:
    """DINO in one of its recipes: ``Study(variants={"no centring": Dino(...)}, steps=...)``.

    Attributes
    ----------
    recipe : what the student is shown and how it is taught.
    architecture : of student and teacher; the teacher is measured.
    epochs, batch_size, warmup : of the training; its other settings are those of ``tiny:dino``.

    Examples
    --------
    >>> Dino(Recipe(centring=False), epochs=2).spec["recipe"]["centring"]
    False
    """

    recipe: Recipe = field(default_factory=Recipe)
    architecture: Architecture = field(default_factory=Architecture)
    epochs: int = 10
    batch_size: int = 64
    warmup: int = 50

    @property
    def spec(self) -> Mapping[str, Any]:
        """Method, network, recipe and settings, in plain values."""
        settings = asdict(self.settings(seed=0))
        del settings["seed"]  # of the training, not of the variant
        return {
            "method": "dino",
            "network": asdict(self.architecture),
            "recipe": asdict(self.recipe),
            "settings": settings,
        }

    def train(
        self,
        images: ImageSet,
        steps: Sequence[int],
        seed: int,
        device: torch.device,
        folder: Path,
        observe: Observe,
    ) -> Sequence[Mapping[str, float]]:
        """Train, and show the teacher's weights after each of `steps`.

        Returns
        -------
        Per epoch its last ``step``, the mean ``loss``, and of a tenth of the images, which are not
        trained on, the k-NN accuracy by up to 3,000 of the others, and the nats that the
        teacher's answer tells of an image (`tdafeat.training.dino.information`).

        Raises
        ------
        ValueError for a step that lies beyond the training; what `fit` raises.
        """
        _, course = dino.train(
            batchable([images], preprocessing(self.architecture.size)),
            self.recipe,
            self.settings(seed),
            device,
            folder / "state",
            observe=lambda step, network: observe(step, network.state_dict()),
            steps=steps,
            architecture=self.architecture,
        )
        titles = {
            "step": "step",
            "loss": "loss",
            "score": "held-out k-NN accuracy",
            "information": "nats the teacher's answer tells of an image",
        }
        return [{titles[name]: epoch[name] for name in titles} for epoch in course]

    def encoder(self, name: str, weights: Mapping[str, Tensor]) -> Encoder:
        """The teacher that has these weights; its class token is the feature."""
        network = make_vit(self.architecture)
        network.load_state_dict(weights)
        return as_encoder(network.eval(), name)

    def settings(self, seed: int) -> Settings:
        """Of the loop."""
        own = {"epochs": self.epochs, "batch_size": self.batch_size, "warmup": self.warmup}
        return Settings(**(dino.SETTINGS | own | {"seed": seed}))
