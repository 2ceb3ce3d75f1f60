"""The sections that account for the evidence: definitions, all numbers, holes, provenance."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pandas as pd

from tdafeat.figures.theme import levels, with_names
from tdafeat.report.model import Block, Note, Paragraph, Table
from tdafeat.report.records import Records
from tdafeat.report.selection import noisy
from tdafeat.run import Run


def methods(run: Run, records: Records) -> Iterator[Block]:
    """What was measured, how, and its definitions."""
    manifest = run.manifest
    classes = len(manifest["classes"])
    if manifest["dataset"]:
        seeds = ", ".join(str(seed) for seed in manifest["seeds"])
        yield Paragraph(
            f"Measured on the {manifest['split'] or 'given'} images of {manifest['dataset']}: "
            f"{classes} {'class' if classes == 1 else 'classes'}, {manifest['n_per_class']} "
            f"images each{', the same images at every level' * noisy(run)}. What is fitted (the "
            f"predictors) is fitted on {'clean ' * noisy(run)}training images alone."
            + (f" Random seeds: {seeds}; figures that cannot average show the first." * bool(seeds))
        )
    if manifest["noise"]:
        noise = manifest["noise"]
        values = ", ".join(f"{level:g}" for level in noise.get("levels", []))
        if noise.get("units"):
            yield Paragraph(
                f"Noise: {noise.get('name')}, in {noise['units']} units, {noise.get('parameter')} "
                f"= {values} for severity 1 to {len(noise.get('levels', []))}. The same noise "
                "field, scaled, disturbs an image at every level."
            )
        else:
            yield Paragraph(
                f"Noise: as it came with the data, at severities {values}; what it is was not "
                "recorded here."
            )
    if run.manifest["parameters"]:
        shown = ", ".join(f"{k} = {_plain(v)}" for k, v in run.manifest["parameters"].items())
        yield Paragraph(
            f"Parameters: {shown}. Persistent homology of the Vietoris-Rips filtration; its "
            "values are diameters, its coefficients Z/2."
        )
    for note in manifest["notes"]:
        yield Note(str(note))
    if manifest["encoders"]:
        keys = ("name", "layer", "dimension", "version", "preprocessing")
        rows = [{key: _plain(e.get(key)) for key in keys} for e in manifest["encoders"]]
        yield Table(pd.DataFrame(rows), "Feature spaces.", "encoders")
    if len(records):
        rows = [
            {
                "metric": about.arrow,
                "definition": about.summary,
                "unit": about.unit,
                "source": about.source,
            }
            for about in records.values()
        ]
        yield Table(
            pd.DataFrame(rows),
            "Definitions; an arrow marks the desirable direction where there is one. Angles are "
            "tabled in radians and drawn in degrees.",
            "definitions",
        )


def measurements(run: Run, records: Records) -> Iterator[Block]:
    """Every metric of the whole cloud at every level, and what could not be measured."""
    whole = run.metrics[(run.metrics["scope"] == "all") & run.metrics["value"].notna()]
    named = with_names(whole)
    for space, rows in named.groupby("space", sort=False):
        columns = levels(rows)
        wide = rows.pivot_table(index="metric", columns="level", values="value", sort=False)
        titles = records.titles(wide.index)
        frame = wide[columns].rename(index=titles).reset_index()
        yield Table(
            frame,
            f"{space}: all metrics of the whole cloud{', by severity (parameter)' * noisy(run)}.",
            f"measurements-{space}",
            dict.fromkeys(columns, ".4g"),
        )
    failed = run.metrics[run.metrics["value"].isna()]
    if not failed.empty:
        counts = failed.groupby(["encoder", "metric", "status"], sort=False).size()
        frame = counts.rename("values").reset_index()
        frame["metric"] = frame["metric"].map(lambda n: records[n].title)
        yield Table(
            frame.rename(columns={"status": "reason"}),
            "Values that could not be measured, and why.",
            "unmeasured",
            {"values": "d"},
        )


def holes(run: Run, records: Records) -> Iterator[Block]:
    """Cells that failed."""
    found = run.manifest["holes"]
    if not found:
        return
    yield Note("Some cells failed. Everything above is computed from the others.")
    rows = [
        {
            "cell": _plain(h.get("cell")),
            "stage": _plain(h.get("stage")),
            "error": h.get("error", ""),
        }
        for h in found
    ]
    yield Table(pd.DataFrame(rows), "Cells that failed, and where.", "holes")


def provenance(run: Run, records: Records) -> Iterator[Block]:
    """How to make these numbers again."""
    rows = []
    for key, value in run.manifest["provenance"].items():
        if isinstance(value, dict):
            unit = " s" if key == "seconds" else ""
            rows += [(f"{key}: {name}", f"{_plain(v)}{unit}") for name, v in value.items()]
        elif value is not None:
            rows.append((key, _plain(value)))
    if rows:
        frame = pd.DataFrame(rows, columns=["what", "value"])
        yield Table(frame, "Command, times, versions and hashes.", "provenance")


def _plain(value: Any) -> str:
    """A manifest's value in words."""
    if value is None:
        return "none"
    if isinstance(value, dict):
        return ", ".join(f"{key} {_plain(v)}" for key, v in value.items() if v not in (None, ""))
    if isinstance(value, list):
        return " ".join(_plain(v) for v in value)
    return value if isinstance(value, str) else json.dumps(value)
