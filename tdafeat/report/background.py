"""The sections that account for the evidence: definitions, all numbers, holes, provenance."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from tdafeat.figures.frames import levels, with_names
from tdafeat.report.formulas import SYMBOLS, formula
from tdafeat.report.model import Block, Note, Paragraph, References, Table
from tdafeat.report.records import Records
from tdafeat.report.references import numbered, reference
from tdafeat.report.selection import by_level, noisy
from tdafeat.run import Run
from tdafeat.wording import TRAINING


def methods(run: Run, records: Records) -> Iterator[Block]:
    """What was measured, and how."""
    manifest = run.manifest
    classes = len(manifest["classes"])
    if manifest["dataset"]:
        seeds = [str(seed) for seed in manifest["seeds"]]
        several = f"Random seeds: {', '.join(seeds)}; figures that cannot average show the first."
        drawn = several if len(seeds) > 1 else f"Random seed: {seeds[0]}." if seeds else ""
        yield Paragraph(
            f"Measured on the {manifest['split'] or 'given'} images of {manifest['dataset']}: "
            f"{classes} {'class' if classes == 1 else 'classes'}, {manifest['n_per_class']} "
            f"images each{', the same images at every level' * noisy(run)}. What is fitted (the "
            f"predictors) is fitted on {records.words.fitted_on}." + f" {drawn}".rstrip()
        )
    if manifest["noise"]:
        yield Paragraph(_levels(manifest["noise"]))
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
        rows = [
            {key: "–" if e.get(key) is None else _plain(e[key]) for key in keys}
            for e in manifest["encoders"]
        ]
        yield Table(pd.DataFrame(rows), "Feature spaces.", "encoders")
    yield from _trainings(manifest["encoders"])


def definitions(run: Run, records: Records) -> Iterator[Block]:
    """What each metric is: in words, as a formula, and whose it is."""
    if not len(records):
        return
    numbers = numbered(about.source for about in records.values())
    rows = [
        {
            "metric": about.arrow,
            "definition": about.summary,
            "formula": formula(name) or "",
            "unit": about.unit,
            "source": f"[{numbers[about.source]}]" if about.source in numbers else "–",
        }
        for name, about in records.items()
    ]
    yield Paragraph(SYMBOLS, typeset=True)
    yield Table(
        pd.DataFrame(rows),
        "Definitions; an arrow marks the desirable direction where there is one. Angles are tabled "
        f"in radians and drawn in degrees.{records.words.definitions}",
        "definitions",
        math=("formula",),
        detail=True,
    )


def references(run: Run, records: Records) -> Iterator[Block]:
    """The publications the definitions are from."""
    numbers = numbered(about.source for about in records.values())
    if numbers:
        yield References(tuple(dict.fromkeys(map(reference, numbers))))


def _levels(noise: Mapping[str, Any]) -> str:
    """What the levels are, in a sentence or two."""
    levels = noise.get("levels", [])
    values = ", ".join(f"{level:g}" for level in levels)
    if noise.get("name") == TRAINING:
        return (
            f"Training: every variant was encoded at steps {values}; the weights after so many "
            "steps are an encoder, and step 0 is the untrained network."
        )
    if noise.get("units"):
        return (
            f"Noise: {noise.get('name')}, in {noise['units']} units, {noise.get('parameter')} "
            f"= {values} for severity 1 to {len(levels)}. The same noise "
            "field, scaled, disturbs an image at every level."
        )
    return (
        f"Noise: as it came with the data, at severities {values}; what it is was not "
        "recorded here."
    )


def _trainings(encoders: Sequence[Mapping[str, Any]]) -> Iterator[Block]:
    """How the variants of a training differ, and what they share."""
    specs = {str(e.get("name")): dict(flat(e["training"])) for e in encoders if "training" in e}
    if not specs:
        return
    frame = pd.DataFrame(specs).fillna("–")
    same = frame.eq(frame.iloc[:, 0], axis=0).all(axis=1)
    shared = ", ".join(f"{key} {value}" for key, value in frame[same].iloc[:, 0].items())
    yield Paragraph(f"What all variants share: {shared or 'nothing'}.")
    if not same.all():
        differing = frame[~same].rename_axis("setting").reset_index()
        yield Table(differing, "What tells the variants apart.", "variants")


def flat(spec: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Entries of a manifest within one another, each by its whole name and in words."""
    for key, value in spec.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{prefix}{key} ")
        else:
            yield f"{prefix}{key}".replace("_", " "), _plain(value)


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
            f"{space}: All metrics of the whole cloud{by_level(run, records.words)}.",
            f"measurements-{space}",
            dict.fromkeys(columns, ".4g"),
            str(space),
            detail=True,
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
            detail=True,
        )


def holes(run: Run, records: Records) -> Iterator[Block]:
    """What failed: cells, encoders, trainings."""
    found = run.manifest["holes"]
    if not found:
        return
    yield Note("Everything above is computed from what did not fail.")
    rows = [
        {
            "stage": _plain(h.get("stage")),
            "of": _plain(h.get("cell")),
            "error": h.get("error", ""),
        }
        for h in found
    ]
    yield Table(pd.DataFrame(rows), "What failed, where, and why.", "holes")


def provenance(run: Run, records: Records) -> Iterator[Block]:
    """How to make these numbers again."""
    rows = []
    told = run.manifest["provenance"]
    for key, value in told.items():
        if key == "seconds":
            counts = told.get("artefacts", {})
            rows += [
                (f"{key}: {name}", _pace(v, counts.get(name, {}))) for name, v in value.items()
            ]
        elif key == "artefacts":
            continue  # stand beside the seconds they took
        elif isinstance(value, dict):
            rows += [(f"{key}: {name}", _plain(v)) for name, v in value.items()]
        elif value is not None:
            rows.append((key, _plain(value)))
    if rows:
        frame = pd.DataFrame(rows, columns=["what", "value"])
        yield Table(
            frame,
            "Command, times, versions and hashes. Seconds are those of this run, which made only "
            "what was not in the store.",
            "provenance",
            detail=True,
        )


def _pace(seconds: Any, count: Mapping[str, Any]) -> str:
    """What a stage took, and each artefact that it made, where that is known."""
    made, total = count.get("made", 0), count.get("of", 0)
    if made:
        return f"{_plain(seconds)} s; {made} of {total} artefacts made, {seconds / made:.2g} s each"
    return f"{_plain(seconds)} s" + f"; {total} artefacts, all of them stored before" * bool(total)


def _plain(value: Any) -> str:
    """A manifest's value in words."""
    if value is None:
        return "none"
    if isinstance(value, dict):
        return ", ".join(f"{key} {_plain(v)}" for key, v in value.items() if v not in (None, ""))
    if isinstance(value, list):
        return " ".join(_plain(v) for v in value)
    return value if isinstance(value, str) else json.dumps(value)
