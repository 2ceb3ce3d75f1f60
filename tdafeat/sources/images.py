"""Features of images: every image through every encoder at every severity, part by part."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from tdafeat.cells import FEATURES_VERSION, Cell, Cloud
from tdafeat.holes import Hole
from tdafeat.sources.encoders import (
    directions,
    fitted_on,
    load_encoders,
    own_head,
    prompts_of,
)
from tdafeat.sources.groups import Group, Size
from tdafeat.sources.parts import Part, extract_parts
from tdafeat.sources.remarks import remarks_on
from tdafeat.sources.sets import load_sets
from tdafeat.store import Store, digest
from tdafeat.watch import Watch

if TYPE_CHECKING:
    from tdafeat.datasets import ImageSet
    from tdafeat.encoders import Encoder
    from tdafeat.extraction import Compute
    from tdafeat.noise import Noise
    from tdafeat.study import Study

PART = 1024  # images per stored part: what a killed extraction loses at most


@dataclass(frozen=True)
class ImageSource:
    """Test and train images of every seed, the noise, and the encoders.

    Attributes
    ----------
    encoders : of each seed, whose train images some of them are fitted on.
    left_out : sentences on the optional encoders that cannot be had.
    texts : per encoder, the directions of the classes in its space, or why there are none.
    prompts : templates the directions were made with.
    """

    tests: Mapping[int, ImageSet]
    trains: Mapping[int, ImageSet]
    encoders: Mapping[int, Sequence[Encoder]]
    left_out: Sequence[str]
    texts: Sequence[np.ndarray | str]
    noise: Noise | None
    compute: Compute
    prompts: Sequence[str] = ()

    @classmethod
    def load(cls, study: Study, root: str | Path | None, compute: Compute) -> ImageSource:
        """Everything the study names, or the first error in it, before anything is computed."""
        from tdafeat import noise

        if study.corrupted is not None:
            chosen = None
        elif isinstance(study.noise, str):
            chosen = noise.load(study.noise, levels=study.levels)
        else:
            chosen = study.noise
        prompts = prompts_of(study)
        loaded, left_out = load_encoders(study, compute.place)
        if study.prompts is not None and not any(encoder.text for encoder in loaded):
            raise ValueError("prompts need an encoder with a text tower; the study has none")
        tests, trains = load_sets(study, root)
        classes = tests[study.seeds[0]].classes
        texts = [directions(encoder, classes, prompts) for encoder in loaded]
        fitted = {seed: fitted_on(loaded, train) for seed, train in trains.items()}
        return cls(tests, trains, fitted, left_out, texts, chosen, compute, prompts)

    @property
    def has_text(self) -> bool:
        """Whether every encoder has a text tower."""
        return not any(isinstance(text, str) for text in self.texts)

    @property
    def has_head(self) -> bool:
        """Whether every encoder has a classifier of its own that knows these classes."""
        heads = [own_head(encoder, self.classes) for encoder in self._of_first_seed()]
        return not any(isinstance(head, str) for head in heads)

    @property
    def has_pixels(self) -> bool:
        """Whether the features of every encoder are images."""
        return all(encoder.image_shape is not None for encoder in self._of_first_seed())

    @property
    def training(self) -> pd.DataFrame | None:
        """How the encoders were trained, where their model cards tell; None where none does."""
        rows = [
            {"variant": encoder.name, "step": epoch["epoch"], "quantity": quantity, "value": value}
            for encoder in self._of_first_seed()
            for epoch in encoder.history
            for quantity, value in epoch.items()
            if quantity != "epoch"
        ]
        return pd.DataFrame(rows) if rows else None

    @property
    def images(self) -> ImageSet:
        """Test images of the first seed: those the report shows."""
        return next(iter(self.tests.values()))

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names."""
        return self.images.classes

    @property
    def n_per_class(self) -> int:
        """Test images of each class: of all classes the same number."""
        return len(self.images) // len(self.classes)

    def remarks(self) -> list[str]:
        """What a reader must know of these features, for the report."""
        return [
            *remarks_on(
                (self.images, *self.trains.values()),
                self._of_first_seed(),
                self.texts,
                self.prompts,
                self.compute.precision,
            ),
            *self.left_out,
        ]

    def describe(self) -> list[dict[str, Any]]:
        """The encoders, for the manifest."""
        return [
            {
                "name": encoder.name,
                "layer": encoder.layer,
                "dimension": encoder.dimension,
                "version": encoder.version,
                "preprocessing": asdict(encoder.preprocessing),
                "text": not isinstance(text, str),
            }
            for encoder, text in zip(self._of_first_seed(), self.texts, strict=True)
        ]

    def _of_first_seed(self) -> Sequence[Encoder]:
        return next(iter(self.encoders.values()))

    def extract(self, store: Store, force: bool, watch: Watch) -> tuple[list[Group], list[Hole]]:
        """Put every image through every encoder, part by part: the cells, and who failed."""
        parts = [
            Part(seed, images, {e: self._specs(e, images, seed) for e in self.encoders[seed]})
            for seed in self.tests
            for images in self._parts(seed)
        ]
        holes = extract_parts(parts, self.noise, self.compute, store, force, watch)
        return self.groups(store), holes

    def groups(self, store: Store) -> list[Group]:
        """The cells of every encoder and seed, whether or not their features are there yet."""
        return [
            self._group(store, self.encoders[seed][k], seed, text)
            for k, text in enumerate(self.texts)
            for seed in self.tests
        ]

    def sizes(self) -> dict[tuple[str, str], Size]:
        """How large the clouds of each encoder and layer are; dimension 0 where it is not known."""
        from tdafeat.extraction import TOKENS

        test, train = self.images, next(iter(self.trains.values()))
        cells = sum(len(self._severities(images, seed)) for seed, images in self.tests.items())
        sizes = {}
        for encoder in self._of_first_seed():
            each = TOKENS if encoder.tokens else 1
            sizes[encoder.name, encoder.layer] = Size(
                len(test) * each,
                len(train) * each,
                encoder.dimension or 0,
                len(self.classes),
                cells,
            )
        return sizes

    def _parts(self, seed: int, *splits: str) -> Iterator[ImageSet]:
        for images in (self.tests[seed], self.trains[seed]):
            if not splits or images.split in splits:
                for start in range(0, len(images), PART):
                    yield images.subset(range(start, min(start + PART, len(images))))

    def _severities(self, images: ImageSet, seed: int) -> dict[int, float]:
        """The parameter of each severity; 0 is clean, and train images stay so."""
        if images.split != self.images.split:
            return {0: 0.0}
        levels = {severity: float(severity) for severity in images.severities}
        if self.noise is not None:
            levels = dict(enumerate(self.noise.levels, start=1))
        return {0: 0.0, **levels}

    def _group(self, store: Store, encoder: Encoder, seed: int, text: np.ndarray | str) -> Group:
        levels = self._severities(self.tests[seed], seed)
        return Group(
            {s: self._cell(encoder, seed, s, parameter) for s, parameter in levels.items()},
            {s: self._cloud(encoder, seed, self.images.split, s) for s in levels},
            dict.fromkeys(levels, self._cloud(encoder, seed, "train", 0)),
            self._store_text(store, encoder, text),
            encoder.image_shape,
            self._store_head(store, encoder),
            encoder.tokens,
        )

    def _cloud(self, encoder: Encoder, seed: int, split: str, severity: int) -> Cloud:
        parts = self._parts(seed, split)
        return Cloud(tuple(self._spec(encoder, part, seed, severity) for part in parts))

    def _specs(self, encoder: Encoder, part: ImageSet, seed: int) -> dict[int, dict[str, Any]]:
        return {s: self._spec(encoder, part, seed, s) for s in self._severities(part, seed)}

    def _spec(self, encoder: Encoder, part: ImageSet, seed: int, severity: int) -> dict[str, Any]:
        """Everything that changes the features of these images at this severity."""
        spec: dict[str, Any] = {
            "version": FEATURES_VERSION,
            "dataset": {"name": part.name, "version": part.version, "split": part.split},
            "images": digest(list(part.ids)),
            "encoder": {
                "name": encoder.name,
                "version": encoder.version,
                "layer": encoder.layer,
                "preprocessing": asdict(encoder.preprocessing),
            },
        }
        if self.compute.precision != "float32":
            spec["precision"] = self.compute.precision
        if severity > 0 and self.noise is not None:
            spec["noise"] = {
                "name": self.noise.name,
                "version": self.noise.version,
                "units": self.noise.units,
                "parameter": self.noise.levels[severity - 1],
                "seed": seed,
            }
        elif severity > 0:
            spec["corrupted"] = part.severities[severity].version
        return spec

    def _cell(self, encoder: Encoder, seed: int, severity: int, parameter: float) -> Cell:
        noise = self.noise.name if self.noise is not None else ""
        return Cell(
            dataset=self.images.name,
            split=self.images.split,
            encoder=encoder.name,
            layer=encoder.layer,
            noise=noise or ("corrupted" if self.images.severities else ""),
            severity=severity,
            parameter=parameter,
            seed=seed,
        )

    def _store_text(
        self, store: Store, encoder: Encoder, text: np.ndarray | str
    ) -> dict[str, Any] | None:
        """Store the directions of the classes; None for an encoder that has none."""
        if isinstance(text, str):
            return None
        spec = {
            "version": FEATURES_VERSION,
            "encoder": {"name": encoder.name, "version": encoder.version},
            "classes": list(self.classes),
            "directions": digest(text.round(5).tolist()),
        }
        if not store.intact("text", spec):
            store.write("text", spec, arrays={"text": text})
        return spec

    def _store_head(self, store: Store, encoder: Encoder) -> dict[str, Any] | None:
        """Store the encoder's own classifier; None for one that does not know these classes."""
        head = own_head(encoder, self.classes)
        if isinstance(head, str):
            return None
        spec = {
            "version": FEATURES_VERSION,
            "encoder": {
                "name": encoder.name,
                "version": encoder.version,
                "layer": encoder.layer,
            },
            "classes": list(self.classes),
            "content": hashlib.sha256(b"".join(part.tobytes() for part in head)).hexdigest(),
        }
        if not store.intact("head", spec):
            store.write("head", spec, arrays={"weights": head[0], "bias": head[1]})
        return spec
