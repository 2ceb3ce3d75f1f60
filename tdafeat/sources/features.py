"""Features a user brought: checked, paired by id, split, and put into the store."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tdafeat.cells import FEATURES_VERSION, Cell, Cloud, write_part
from tdafeat.errors import Unpaired
from tdafeat.features import FeatureSet
from tdafeat.holes import Hole
from tdafeat.sources.groups import Group, Size, check_classes
from tdafeat.store import Store, digest
from tdafeat.watch import Watch


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
    has_head: bool = False
    has_pixels: bool = False
    images: None = None
    noise: None = None
    training: None = None

    def __post_init__(self) -> None:
        if not self.features:
            raise ValueError("features must hold at least one encoder's levels")
        sets = {name: self._split(levels) for name, levels in self.features.items()}
        object.__setattr__(self, "_sets", sets)

    @staticmethod
    def _split(levels: Levels) -> tuple[dict[int, FeatureSet], FeatureSet]:
        """Test features by severity, paired by id and equally many of each class; train features.

        Many a metric depends on how many points it sees, so classes are compared at equal n.
        """
        if any(severity < 1 for severity in levels.noisy):
            raise ValueError("noisy severities must be 1, 2, ...; severity 0 is the clean set")
        clean = levels.clean
        noisy = {
            severity: clean.paired_with(levels.noisy[severity], ("clean", f"severity {severity}"))
            for severity in sorted(levels.noisy)
        }
        train, measured = levels.train, np.arange(len(clean))
        if train is None:
            fitted, measured = _halves(clean)
            train = clean.take(fitted)
        else:
            _check_train(train, clean)
        check_classes(clean.labels[measured], clean.classes, "features")
        kept = measured[_equally_many(clean.take(measured))]
        tests = {severity: cloud.take(kept) for severity, cloud in {0: clean, **noisy}.items()}
        return tests, train

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names."""
        return next(iter(self.features.values())).clean.classes

    @property
    def n_per_class(self) -> int:
        """Test rows of each class: of all classes the same number."""
        tests, _ = next(iter(self._sets.values()))  # type: ignore[attr-defined]
        return len(tests[0]) // len(self.classes)

    def remarks(self) -> list[str]:
        """What a reader must know of these features, for the report."""
        if all(own.clean.provenance.get("ids") != "row numbers" for own in self.features.values()):
            return []
        return [
            "No ids were given: clean and noisy features were paired by row number, and the split "
            "into fitted and measured images was made by it."
        ]

    def describe(self) -> list[dict[str, Any]]:
        """The encoders, for the manifest."""
        return [
            {
                "name": name,
                "layer": "",
                "dimension": levels.clean.features.shape[1],
                "version": _content(levels.clean)[:12],
                "preprocessing": dict(levels.clean.provenance),
                "text": False,
            }
            for name, levels in self.features.items()
        ]

    def extract(self, store: Store, force: bool, watch: Watch) -> tuple[list[Group], list[Hole]]:
        """Put the features into the store under a hash of their content: the cells, no failure."""
        self.put(store)
        return self.groups(store), []

    def put(self, store: Store) -> None:
        """Store the features that are not there yet."""
        for tests, train in self._sets.values():  # type: ignore[attr-defined]
            for cloud in (*tests.values(), train):
                spec = _spec(cloud)
                with store.claim("features", spec):
                    if not store.intact("features", spec):
                        write_part(store, spec, cloud)

    def groups(self, store: Store) -> list[Group]:
        """The cells of every encoder, whether or not their features are stored yet."""
        groups = []
        for name, (tests, train) in self._sets.items():  # type: ignore[attr-defined]
            cells = {
                severity: Cell(self.dataset, "test", name, "", "given", severity, severity, 0)
                for severity in tests
            }
            clouds = {severity: Cloud((_spec(cloud),)) for severity, cloud in tests.items()}
            groups.append(Group(cells, clouds, dict.fromkeys(tests, Cloud((_spec(train),)))))
        return groups

    def sizes(self) -> dict[tuple[str, str], Size]:
        """How large the clouds of each encoder are."""
        return {
            (name, ""): Size(
                len(tests[0]),
                len(train),
                tests[0].features.shape[1],
                len(self.classes),
                len(tests),
            )
            for name, (tests, train) in self._sets.items()  # type: ignore[attr-defined]
        }


def _spec(cloud: FeatureSet) -> dict[str, Any]:
    """Everything that changes these features: the address under which they are stored."""
    return {
        "version": FEATURES_VERSION,
        "content": _content(cloud),
        "images": digest(list(cloud.ids)),
        "classes": list(cloud.classes),
    }


def _content(cloud: FeatureSet) -> str:
    """A hash of features and labels."""
    content = hashlib.sha256(np.ascontiguousarray(cloud.features).tobytes())
    content.update(cloud.labels.tobytes())
    return content.hexdigest()


def _check_train(train: FeatureSet, clean: FeatureSet) -> None:
    if train.classes != clean.classes:
        different = sorted(set(train.classes) ^ set(clean.classes))
        raise ValueError(
            f"train and clean features must have the same classes; {different[0]!r} is in one of "
            "them only"
        )
    if train.features.shape[1] != clean.features.shape[1]:
        raise ValueError(
            f"train features have {train.features.shape[1]} columns, clean features "
            f"{clean.features.shape[1]}"
        )
    shared = set(train.ids) & set(clean.ids)
    if shared and clean.provenance.get("ids") != "row numbers":
        raise Unpaired(
            f"train and clean features must not share images: {len(shared)} ids are in both, for "
            f"example {min(shared)!r}"
        )


def _equally_many(cloud: FeatureSet) -> np.ndarray:
    """Rows, in order, of as many images of each class as the smallest one has."""
    order = _hash_order(cloud)
    n = int(np.bincount(cloud.labels).min())
    taken = [order[cloud.labels[order] == c][:n] for c in range(len(cloud.classes))]
    return np.sort(np.concatenate(taken))


def _hash_order(cloud: FeatureSet) -> np.ndarray:
    return np.argsort([digest(image) for image in cloud.ids], kind="stable")


def _halves(cloud: FeatureSet) -> tuple[np.ndarray, np.ndarray]:
    """Rows to fit on and rows to measure: half of each class, by a hash of the ids."""
    order = _hash_order(cloud)
    fitted = np.zeros(len(cloud), dtype=bool)
    for index in np.unique(cloud.labels):
        rows = order[cloud.labels[order] == index]
        fitted[rows[: len(rows) // 2]] = True
    return np.flatnonzero(fitted), np.flatnonzero(~fitted)
