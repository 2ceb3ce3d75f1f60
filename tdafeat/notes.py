"""What a reader of a run must know: its simplifications and peculiarities, a sentence each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import pandas as pd

from tdafeat.wording import TRAINING

if TYPE_CHECKING:
    from tdafeat.sources import Source
    from tdafeat.study import Study


def notes(study: Study, source: Source, tables: Mapping[str, pd.DataFrame]) -> list[str]:
    """What was simplified or is peculiar in this run, one sentence each."""
    told = []
    records = tables.get("records", pd.DataFrame({"scope": [], "points": []}))
    thinned = records[records["points"] > study.n_landmarks] if study.n_landmarks else records[:0]
    if len(thinned):
        radius = thinned["covering_radius"].astype(float).max()
        told.append(
            f"Clouds of more than {study.n_landmarks} points were thinned to as many "
            f"farthest-point landmarks (largest covering radius {radius:.3g}); their diagrams "
            f"are within twice that radius of the exact ones in bottleneck distance."
        )
    told.append(
        f"Every class is measured on the same number of test images, {source.n_per_class}: that of "
        "the smallest class, or the limit asked for."
    )
    told += source.remarks()
    told += _collapses(tables["metrics"])
    if (
        source.noise is not None
        and source.noise.units == "normalised"
        and len(source.describe()) > 1
    ):
        told.append(
            "Noise was added after each encoder's own normalisation, so the same sigma is another "
            "amount of pixel noise for encoders normalised differently: compare levels within an "
            "encoder, and encoders on pixel noise."
        )
    if source.noise is not None:
        told.append(
            f"{n} noise seeds are averaged before correlating anything; robustness is of the first."
            if (n := len(study.seeds)) > 1
            else f"One noise seed ({study.seeds[0]}): the spread between seeds is not shown."
        )
    return told


def _collapses(metrics: pd.DataFrame) -> Iterator[str]:
    """Which clean features have collapsed, and which of those at the strongest noise."""
    from tdafeat.geometry.verdict import judge

    whole = metrics[metrics["scope"] == "all"]
    if whole.empty or (whole["noise"] == TRAINING).any():  # whose answer tells of its variants
        return
    last = whole["severity"].max()
    ends = whole[whole["severity"].isin([0, last])]
    for (name, layer, severity), rows in ends.groupby(["encoder", "layer", "severity"], sort=False):
        values = rows.groupby("metric")["value"].mean()
        verdict = judge({str(metric): float(value) for metric, value in values.items()})
        if verdict.kind != "none":
            level = " at the strongest noise" if severity else ""
            yield f"Features of {name} {layer}".rstrip() + f"{level}: {verdict}."
