"""The rows of an analysis's tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from tdafeat.features import FeatureSet


def scopes(features: FeatureSet) -> Iterator[tuple[str, Any]]:
    """``"all"`` and every class that has at least two images, with the features of each."""
    yield "all", features.features
    for label, name in enumerate(features.classes):
        rows = features.features[features.labels == label]
        if len(rows) > 1:
            yield name, rows


def pictures(
    scope: str, kind: str, set: str, shown: Sequence[tuple[str, bytes]], first: int = 1
) -> pd.DataFrame:
    """One row of pictures, each with its caption; ranks count from `first`."""
    return pd.DataFrame(
        {
            "scope": scope,
            "kind": kind,
            "set": set,
            "rank": range(first, first + len(shown)),
            "caption": [caption for caption, _ in shown],
            "png": [png for _, png in shown],
        }
    )


def curve(
    scope: str,
    quantity: str,
    series: str,
    x: Sequence[float] | np.ndarray,
    value: Sequence[float] | np.ndarray,
) -> pd.DataFrame:
    """One line: the values of a quantity at each x."""
    return pd.DataFrame(
        {"scope": scope, "quantity": quantity, "series": series, "x": x, "value": value}
    ).astype({"x": "float64", "value": "float64"})
