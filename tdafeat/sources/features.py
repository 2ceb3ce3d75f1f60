"""Features a user brought: checked, paired by id, split, and put into the store."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tdafeat.cells import FEATURES_VERSION, Cell, Cloud, write_part
from tdafeat.features import FeatureSet
from tdafeat.sources.groups import Group, check_classes
from tdafeat.store import Store, digest


@dataclass(frozen=True)
class Levels:
    """Your own features of one encoder: clean, noisy by severity (1, 2, ...), and train.

    Without `train`, half of the images of each class (chosen by a hash of their ids) fit the
    predictors and the other half is measured.
    """

    clean: FeatureSet
    noisy: Mapping[int, FeatureSet]
    train: FeatureSet | None = None


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
        check_classes(tests[0].labels, tests[0].classes, "features")
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
