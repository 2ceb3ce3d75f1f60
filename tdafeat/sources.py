"""Where a study's features come from: images put through encoders, or files a user brought."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tdafeat.cells import FEATURES_VERSION, Cell, Cloud, write_part
from tdafeat.features import FeatureSet
from tdafeat.progress import Progress
from tdafeat.store import Store, digest
from tdafeat.study import Group, Levels

if TYPE_CHECKING:
    import torch

    from tdafeat.datasets import ImageSet
    from tdafeat.encoders import Encoder
    from tdafeat.noise import Noise
    from tdafeat.study import Study

PART = 1024  # images per stored part: what a killed extraction loses at most


@dataclass(frozen=True)
class ImageSource:
    """Test and train images of every seed, the noise, and the encoders."""

    tests: Mapping[int, ImageSet]
    trains: Mapping[int, ImageSet]
    encoders: Sequence[Encoder]
    noise: Noise | None
    device: torch.device
    batch_size: int
    workers: int

    @classmethod
    def load(
        cls, study: Study, root: str | Path | None, device: str, batch_size: int, workers: int
    ) -> ImageSource:
        """Everything the study names, or the first error in it, before anything is computed."""
        from tdafeat import datasets, encoders, noise
        from tdafeat.extraction import resolve_device

        place = resolve_device(device)
        if study.corrupted is not None:
            chosen = None
        elif isinstance(study.noise, str):
            chosen = noise.load(study.noise, levels=study.levels)
        else:
            chosen = study.noise
        if not study.encoders:
            raise ValueError("encoders must name at least one encoder")
        loaded = [
            encoders.load(e, device=place) if isinstance(e, str) else e.to(place)
            for e in study.encoders
        ]
        twice = {(e.name, e.layer) for e in loaded}
        if len(twice) < len(loaded):
            raise ValueError("encoders must differ in name or layer; one is named twice")
        sets = {}
        for split in ("test", "train"):
            sets[split] = {
                seed: datasets.load(
                    study.dataset,
                    split=split,
                    root=root,
                    limit=study.limit,
                    seed=seed,
                    corrupted=study.corrupted if split == "test" else None,
                )
                for seed in study.seeds
            }
        first = sets["test"][study.seeds[0]]
        _check_classes(first.labels, first.classes, study.dataset)
        return cls(sets["test"], sets["train"], loaded, chosen, place, batch_size, workers)

    @property
    def has_text(self) -> bool:
        """Whether every encoder has a text tower."""
        return all(self._text(encoder) is not None for encoder in self.encoders)

    @property
    def images(self) -> ImageSet:
        """Test images of the first seed: those the report shows."""
        return next(iter(self.tests.values()))

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names."""
        return self.images.classes

    def _text(self, encoder: Encoder) -> np.ndarray | None:
        directions = encoder.encode_text(self.classes)
        return None if directions is None else directions.detach().cpu().numpy()

    def _severities(self, seed: int) -> dict[int, float]:
        """The parameter of each severity; severity 0 is clean."""
        given = self.tests[seed].severities
        levels = {severity: float(severity) for severity in given}
        if self.noise is not None:
            levels = dict(enumerate(self.noise.levels, start=1))
        return {0: 0.0, **levels}

    def describe(self) -> list[dict[str, Any]]:
        """The encoders, for the manifest."""
        return [
            {
                "name": encoder.name,
                "layer": encoder.layer,
                "dimension": encoder.dimension,
                "version": encoder.version,
                "preprocessing": asdict(encoder.preprocessing),
                "text": self._text(encoder) is not None,
            }
            for encoder in self.encoders
        ]

    def extract(self, store: Store, force: bool, quiet: bool) -> list[Group]:
        """Put every image through every encoder at every severity, part by part."""
        jobs = []  # (images of a part, encoder, seed, specification by severity)
        groups = []
        for encoder in self.encoders:
            for seed in self.tests:
                clouds, wanted = self._cells(encoder, seed, "test")
                train, known = self._cells(encoder, seed, "train")
                jobs += wanted + known
                groups.append(
                    Group(
                        {s: self._cell(encoder, seed, s) for s in clouds},
                        clouds,
                        train[0],
                        self._store_text(encoder, store),
                    )
                )
        with Progress(
            "features", sum(len(images) * len(specs) for images, _, _, specs in jobs), quiet
        ) as progress:
            for images, encoder, seed, specs in jobs:
                self._extract_part(store, images, encoder, seed, specs, force, progress)
        return groups

    def _extract_part(
        self,
        store: Store,
        images: ImageSet,
        encoder: Encoder,
        seed: int,
        specs: Mapping[int, Mapping[str, Any]],
        force: bool,
        progress: Progress,
    ) -> None:
        from tdafeat.extraction import extract

        if not force and all(store.intact("features", spec) for spec in specs.values()):
            progress.advance(len(images) * len(specs))
            return
        done = 0

        def report(count: int, _total: int) -> None:
            nonlocal done
            progress.advance(count - done)
            done = count

        levels = extract(
            images,
            encoder,
            self.noise if len(specs) > 1 else None,
            seed=seed,
            device=self.device,
            batch_size=self.batch_size,
            workers=self.workers,
            progress=report,
        )
        for severity, spec in specs.items():
            write_part(store, spec, levels[severity])

    def _cells(
        self, encoder: Encoder, seed: int, split: str
    ) -> tuple[dict[int, Cloud], list[tuple[Any, Encoder, int, dict[int, dict[str, Any]]]]]:
        """Clouds by severity (train images stay clean), and the parts they are made of."""
        images = (self.tests if split == "test" else self.trains)[seed]
        severities = self._severities(seed) if split == "test" else {0: 0.0}
        parts: dict[int, list[dict[str, Any]]] = {severity: [] for severity in severities}
        jobs = []
        for start in range(0, len(images), PART):
            part = images.subset(range(start, min(start + PART, len(images))))
            specs = {s: self._spec(encoder, part, seed, s) for s in severities}
            for severity, spec in specs.items():
                parts[severity].append(spec)
            jobs.append((part, encoder, seed, specs))
        return {s: Cloud(tuple(specs)) for s, specs in parts.items()}, jobs

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

    def _cell(self, encoder: Encoder, seed: int, severity: int) -> Cell:
        noise = self.noise.name if self.noise is not None else ""
        return Cell(
            dataset=self.images.name,
            split=self.images.split,
            encoder=encoder.name,
            layer=encoder.layer,
            noise=noise or ("corrupted" if self.images.severities else ""),
            severity=severity,
            parameter=self._severities(seed)[severity],
            seed=seed,
        )

    def _store_text(self, encoder: Encoder, store: Store) -> dict[str, Any] | None:
        """Store the class directions of a text tower; None for an encoder without one."""
        directions = self._text(encoder)
        if directions is None:
            return None
        spec = {
            "encoder": encoder.name,
            "version": encoder.version,
            "classes": list(self.classes),
            "directions": digest(directions.round(6).tolist()),
        }
        if not store.intact("text", spec):
            store.write("text", spec, arrays={"text": directions})
        return spec


@dataclass(frozen=True)
class FeatureSource:
    """Features a user brought, by encoder name."""

    features: Mapping[str, Levels]
    dataset: str = "features"
    has_text: bool = False
    images: None = None
    noise: None = None

    def __post_init__(self) -> None:
        if not self.features:
            raise ValueError("features must hold at least one encoder's levels")
        sets = {name: self._split(levels) for name, levels in self.features.items()}
        object.__setattr__(self, "_sets", sets)

    @staticmethod
    def _split(levels: Levels) -> tuple[dict[int, FeatureSet], FeatureSet]:
        """Test features by severity, paired by id, and train features."""
        if any(severity < 1 for severity in levels.noisy):
            raise ValueError("noisy severities must be 1, 2, ...; severity 0 is the clean set")
        noisy = {
            severity: levels.clean.paired_with(noisy, ("clean", f"severity {severity}"))
            for severity, noisy in sorted(levels.noisy.items())
        }
        tests, train = {0: levels.clean, **noisy}, levels.train
        if train is None:
            fitted, measured = _halves(levels.clean)
            train = levels.clean.take(fitted)
            tests = {severity: cloud.take(measured) for severity, cloud in tests.items()}
        elif train.classes != levels.clean.classes:
            raise ValueError(
                f"train and clean features must have the same classes; got {train.classes[:5]} "
                f"and {levels.clean.classes[:5]}"
            )
        _check_classes(tests[0].labels, tests[0].classes, "features")
        return tests, train

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names."""
        return next(iter(self.features.values())).clean.classes

    def describe(self) -> list[dict[str, Any]]:
        """The encoders, for the manifest."""
        return [
            {
                "name": name,
                "layer": "",
                "dimension": levels.clean.features.shape[1],
                "version": digest(levels.clean.features.tolist())[:12],
                "preprocessing": dict(levels.clean.provenance),
                "text": False,
            }
            for name, levels in self.features.items()
        ]

    def extract(self, store: Store, force: bool, quiet: bool) -> list[Group]:
        """Put the features into the store under a hash of their content."""
        groups = []
        for name, (tests, train) in self._sets.items():  # type: ignore[attr-defined]
            cells = {
                severity: Cell(self.dataset, "test", name, "", "given", severity, severity, 0)
                for severity in tests
            }
            clouds = {severity: self._put(store, cloud) for severity, cloud in tests.items()}
            groups.append(Group(cells, clouds, self._put(store, train)))
        return groups

    @staticmethod
    def _put(store: Store, cloud: FeatureSet) -> Cloud:
        import hashlib

        content = hashlib.sha256(np.ascontiguousarray(cloud.features).tobytes())
        content.update(cloud.labels.tobytes())
        spec = {
            "version": FEATURES_VERSION,
            "content": content.hexdigest(),
            "images": digest(list(cloud.ids)),
            "classes": list(cloud.classes),
        }
        if not store.intact("features", spec):
            write_part(store, spec, cloud)
        return Cloud((spec,))


def _halves(cloud: FeatureSet) -> tuple[np.ndarray, np.ndarray]:
    """Rows to fit on and rows to measure: half of each class, by a hash of the ids."""
    order = np.argsort([digest(image) for image in cloud.ids], kind="stable")
    fitted = np.zeros(len(cloud), dtype=bool)
    for index in np.unique(cloud.labels):
        rows = order[cloud.labels[order] == index]
        fitted[rows[: len(rows) // 2]] = True
    return np.flatnonzero(fitted), np.flatnonzero(~fitted)


def _check_classes(labels: np.ndarray, classes: Sequence[str], where: str) -> None:
    if "all" in classes:
        raise ValueError(f"{where}: no class may be named 'all', which stands for the whole cell")
    counts = np.bincount(labels, minlength=len(classes))
    if len(classes) < 2:
        raise ValueError(f"{where}: needs images of at least two classes; got {list(classes)}")
    if counts.min() < 2:
        few = classes[int(counts.argmin())]
        raise ValueError(
            f"{where}: needs at least 2 test images of every class; {few!r} has {counts.min()}"
        )
