"""A study's cells before anything is computed: how many, how large, how fast their features come.

Encoders encode a few images and variants of a training take a few steps, which is timed.
"""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tdafeat.errors import TdafeatError
from tdafeat.sources.groups import Group, Size
from tdafeat.store import Store

if TYPE_CHECKING:
    from torch import Tensor

    from tdafeat.datasets import ImageSet
    from tdafeat.encoders import Encoder
    from tdafeat.extraction import Compute
    from tdafeat.noise import Noise
    from tdafeat.sources import Source, TrainingSource, Variant

Key = tuple[str, str]
"""Name and layer of an encoder."""

IMAGES = 16  # encoded to see how long it takes
STEPS = 5  # trained to see how long it takes


@dataclass(frozen=True)
class Cost:
    """Of one stage: how many artefacts, how many of them stored, and what the others take."""

    stage: str
    artefacts: int
    stored: int
    seconds: float
    memory: float
    disk: float


@dataclass(frozen=True)
class Sketch:
    """What is known before.

    Attributes
    ----------
    groups : the cells; networks that are not trained yet are stood in for by untrained ones.
    sizes : of the cells of each encoder.
    seconds : per row of features, where they have to be made.
    costs : of what comes before the features.
    """

    groups: Sequence[Group]
    sizes: Mapping[Key, Size]
    seconds: Mapping[Key, float]
    costs: Sequence[Cost] = ()


@dataclass(frozen=True)
class Encoding:
    """Seconds per row of features, decoding included, and how many features there are."""

    seconds: float
    dimension: int


@dataclass(frozen=True)
class Training:
    """Seconds before the first step and per step, the bytes and the encoder of a checkpoint."""

    start: float
    step: float
    disk: int
    encoder: Encoder


def sketch(source: Source, there: Store, aside: Store) -> Sketch:
    """Measure a little of what a source does.

    Parameters
    ----------
    there : the store of the study.
    aside : another, which may be written to.
    """
    from tdafeat.sources import FeatureSource, TrainingSource

    if isinstance(source, FeatureSource):
        return Sketch(source.groups(aside), source.sizes(), {})
    if isinstance(source, TrainingSource):
        return _of_training(source, there, aside)
    encoders = next(iter(source.encoders.values()))
    found = encoding(encoders, source.images, source.noise, source.compute)
    sizes = source.sizes()
    sizes |= {key: replace(sizes[key], dimension=one.dimension) for key, one in found.items()}
    return Sketch(source.groups(aside), sizes, {key: one.seconds for key, one in found.items()})


def _of_training(source: TrainingSource, there: Store, aside: Store) -> Sketch:
    known = source.stored_encoders(there)
    trained = {name: training(source, name) for name in source.variants}
    networks = {
        (name, seed, step): known.get((name, seed, step))
        or replace(sample.encoder, version=f"{name} of seed {seed} at step {step}")
        for name, sample in trained.items()
        for seed in source.whole
        for step in source.steps
    }
    lacking = [trained[name] for name, _ in {key[:2] for key in networks.keys() - known.keys()}]
    n_trainings = len(trained) * len(source.whole)
    cost = Cost(
        "training",
        n_trainings,
        n_trainings - len(lacking),
        sum(sample.start + sample.step * source.steps[-1] for sample in lacking),
        0.0,
        sum(sample.disk * len(source.steps) for sample in lacking),
    )
    encoders = [sample.encoder for sample in trained.values()]
    found = encoding(encoders, source.images, None, source.over.compute)
    sizes = {
        (name, layer): replace(source.sizes()[name, ""], dimension=one.dimension)
        for (name, layer), one in found.items()
    }
    seconds = {key: one.seconds for key, one in found.items()}
    return Sketch(source.groups(aside, networks), sizes, seconds, [cost])


def encoding(
    encoders: Sequence[Encoder], images: ImageSet, noise: Noise | None, compute: Compute
) -> dict[Key, Encoding]:
    """How fast a few images go through each encoder, by its name and layer.

    Raises
    ------
    ValueError naming an encoder that fails; TdafeatError as extraction does.
    """
    found = {}
    for encoder in encoders:
        try:
            found[encoder.name, encoder.layer] = _encoding(encoder, images, noise, compute)
        except TdafeatError:
            raise
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"
            raise ValueError(f"encoder {encoder.name!r} fails: {reason}") from error
    return found


def _encoding(
    encoder: Encoder, images: ImageSet, noise: Noise | None, compute: Compute
) -> Encoding:
    from tdafeat.extraction import Decoded, Forward, extract_decoded

    forward, seconds = Forward(encoder, compute), 0.0
    for n in (1, IMAGES):  # one warms up
        few = images.subset(range(min(n, len(images))))
        began = time.perf_counter()
        with Decoded(few, [encoder.preprocessing], compute.threads, compute.ahead) as decoded:
            clouds = extract_decoded(decoded, forward, noise)
        seconds = time.perf_counter() - began
    rows = sum(len(cloud) for cloud in clouds.values())
    return Encoding(seconds / rows, clouds[0].features.shape[1])


class _Enough(Exception):
    """The steps that are timed are over."""


def training(source: TrainingSource, name: str) -> Training:
    """How fast a variant takes its first steps; the very first counts as part of the start.

    A variant that shows its weights only once it is done is trained to its end for that.
    """
    variant: Variant = source.variants[name]
    seed = next(iter(source.whole))
    end = min(STEPS, source.steps[-1])
    steps = (min(1, end - 1), end)
    shown: dict[int, tuple[float, Mapping[str, Tensor]]] = {}

    def observe(step: int, weights: Mapping[str, Tensor]) -> None:
        if step in steps:
            shown[step] = (time.perf_counter(), {k: t.clone() for k, t in weights.items()})
        if len(shown) == len(steps):
            raise _Enough

    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as aside, contextlib.suppress(_Enough):
        variant.train(
            source.whole[seed], steps, seed, source.over.compute.place, Path(aside), observe
        )
    (first, weights), (last, _) = (shown[step] for step in steps)
    return Training(
        max(0.0, first - began),
        max(0.0, last - first) / (end - steps[0]),
        sum(t.numel() * t.element_size() for t in weights.values()),
        variant.encoder(name, weights),
    )
