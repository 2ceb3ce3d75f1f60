"""Ways to train an encoder, as a study declares them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from tdafeat.store import digest

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from tdafeat.datasets import ImageSet
    from tdafeat.encoders import Encoder
    from tdafeat.study import Study

Observe = Callable[[int, Mapping[str, "Tensor"]], None]
"""Called with a step and the weights after it."""


@runtime_checkable
class Variant(Protocol):
    """One way to train an encoder."""

    @property
    def spec(self) -> Mapping[str, Any]:
        """Plain values: all that changes the training, apart from its images and seed."""

    def train(
        self,
        images: ImageSet,
        steps: Sequence[int],
        seed: int,
        device: torch.device,
        folder: Path,
        observe: Observe,
    ) -> Sequence[Mapping[str, float]]:
        """Train, and show the weights after each of `steps`, in whatever order.

        Parameters
        ----------
        images : to train on.
        folder : of this training alone; what it leaves there is there again when it was killed
            and goes on, and is removed once it is done.

        Returns
        -------
        What was logged: ``step``, and quantities by name.

        Raises
        ------
        ValueError for a step that lies beyond the training.
        """

    def encoder(self, name: str, weights: Mapping[str, Tensor]) -> Encoder:
        """The encoder that has these weights."""


def variants_of(study: Study) -> Mapping[str, Variant]:
    """The variants a study declares, or the first error in them."""
    variants = study.variants
    if not variants:
        raise ValueError("variants must name at least one variant")
    for name in ("encoders", "optional", "noise", "levels", "corrupted", "features", "prompts"):
        given, default = getattr(study, name), getattr(type(study), name)
        if given is not None and (default is None or given != default):
            raise ValueError(
                f"{name} cannot be combined with variants: in the study of a training, variants "
                "and steps take the place of encoders and noise"
            )
    for name, variant in variants.items():
        if not isinstance(variant, Variant):
            raise TypeError(
                f"variants must have spec, train and encoder, as tdafeat.sources.Variant; "
                f"{name!r} is a {type(variant).__name__}"
            )
        try:
            digest(dict(variant.spec))
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"the spec of variant {name!r} must hold plain values only: {error}"
            ) from None
    return variants


def steps_of(steps: Sequence[int]) -> tuple[int, ...]:
    """Steps at which the networks are looked at, ascending, or an error."""
    whole = all(isinstance(step, Integral) and step >= 0 for step in steps)
    if not whole or len(steps) < 2 or sorted(set(steps)) != list(steps):
        raise ValueError(
            "steps must be two whole numbers or more, ascending, 0 being the untrained network; "
            f"got {tuple(steps)}"
        )
    return tuple(int(step) for step in steps)
