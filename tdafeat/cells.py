"""The coordinates of a measurement, and where the features it was made on lie in the store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from tdafeat.errors import Missing, UnreadableData
from tdafeat.features import FeatureSet
from tdafeat.store import Store, digest

FEATURES_VERSION = 1  # raise it whenever extraction gives other numbers than before


@dataclass(frozen=True)
class Cell:
    """One feature cloud: these columns key every table of a run."""

    dataset: str
    split: str
    encoder: str
    layer: str
    noise: str
    severity: int
    parameter: float
    seed: int

    def columns(self) -> dict[str, Any]:
        """The coordinates as a row's first columns."""
        return asdict(self)

    def __str__(self) -> str:
        return f"{self.encoder} on {self.dataset}, {self.noise or 'no noise'} {self.severity}"


@dataclass(frozen=True)
class Cloud:
    """Where a cell's features lie: the specifications of its parts, in order.

    Features are stored in parts so that a killed extraction loses at most one of them.
    """

    parts: tuple[Mapping[str, Any], ...]

    @property
    def key(self) -> str:
        """A hash of everything that changes the features."""
        return digest([dict(part) for part in self.parts])

    def dimension(self, store: Store) -> int | None:
        """How many features a row has; None where the first part is not stored."""
        part = store.read("features", self.parts[0])
        return None if part is None else part.arrays["features"].shape[1]

    def read(self, store: Store) -> FeatureSet:
        """The whole cloud.

        Raises
        ------
        Missing for a part that is missing or damaged; UnreadableData for one that holds something
        else than features.
        """
        parts = [store.read("features", part) for part in self.parts]
        if any(part is None for part in parts):
            raise Missing("its features failed, are missing or damaged")
        whole = [part for part in parts if part is not None]
        try:
            rows = [part.tables["rows"] for part in whole]
            return FeatureSet(
                np.concatenate([part.arrays["features"] for part in whole]),
                tuple(image for table in rows for image in table["id"]),
                np.concatenate([table["label"].to_numpy() for table in rows]),
                tuple(whole[0].tables["classes"]["name"]),
            )
        except (KeyError, ValueError, TypeError) as error:
            raise UnreadableData(f"a stored part of the features is none: {error}") from None


def write_part(store: Store, spec: Mapping[str, Any], features: FeatureSet) -> None:
    """Store one part of a cloud under its specification."""
    import pandas as pd

    store.write(
        "features",
        spec,
        tables={
            "rows": pd.DataFrame({"id": list(features.ids), "label": features.labels}),
            "classes": pd.DataFrame({"name": list(features.classes)}),
        },
        arrays={"features": features.features},
    )
