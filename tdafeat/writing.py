"""Writes the run folder: tidy tables, a manifest and one sprite of thumbnails."""

from __future__ import annotations

import datetime
import json
import platform
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from tdafeat.answer import answer
from tdafeat.cells import Cell
from tdafeat.examples import examples
from tdafeat.files import make_folder, remove, replace_all
from tdafeat.holes import Hole
from tdafeat.notes import notes
from tdafeat.record import analyses, metrics
from tdafeat.run import SPRITE, TABLES, Run, table_file
from tdafeat.stages import even_sample
from tdafeat.statistics import (
    ADDED_COLUMNS,
    COLUMNS,
    PREDICTION_COLUMNS,
    added_verdict,
    prediction_verdict,
    verdict,
)
from tdafeat.store import Store, digest
from tdafeat.tasks import Task
from tdafeat.wording import TRAINING, listed, wording

if TYPE_CHECKING:
    from tdafeat.datasets import ImageSet
    from tdafeat.plan import Plan
    from tdafeat.sources import Group, Source
    from tdafeat.study import Study

PACKAGES = (
    *("tdafeat", "torch", "open-clip-torch", "timm", "transformers", "ripser", "giotto-ph"),
    *("giotto-tda", "persim", "numpy", "scipy", "scikit-learn", "scikit-image", "umap-learn"),
    *("pacmap", "pandas", "numba"),
)
THUMBNAIL = 48  # pixels


def write_run(
    study: Study,
    source: Source,
    plan: Plan,
    store: Store,
    holes: Sequence[Hole],
    seconds: Mapping[str, float],
    made: Mapping[str, tuple[int, int]],
    out: Path,
) -> Run:
    """Gather the stages' tables, write all files aside and rename them, the manifest last.

    The manifest lists the others' hashes, so that a mixture of two runs is never read as one.

    Parameters
    ----------
    seconds : of each stage, in this run.
    made : artefacts of each stage that this run made, and all it has.
    """
    tables = _gather(plan, store)
    files: dict[str, bytes] = {}
    if source.images is not None and study.thumbnails:
        files[SPRITE], tables["thumbnails"] = _thumbnails(source.images, study.n_projected)
        if shown := list(examples(source, plan, store)):
            own = [tables["pictures"]] if "pictures" in tables else []
            tables["pictures"] = pd.concat([*own, *shown], ignore_index=True)
    if source.training is not None:
        tables["training"] = source.training
    for name, table in tables.items():
        buffer = BytesIO()
        table.to_parquet(buffer, index=False)
        files[table_file(name)] = buffer.getvalue()
    associations = tables.get("associations", pd.DataFrame(columns=COLUMNS))
    prediction = tables.get("prediction", pd.DataFrame(columns=PREDICTION_COLUMNS))
    added = tables.get("added", pd.DataFrame(columns=ADDED_COLUMNS))
    manifest = {
        "schema": 1,
        "name": study.name,
        "title": study.title or study.name,
        "question": study.question,
        "primary": study.primary,
        "dataset": plan.groups[0].cells[0].dataset,
        "split": plan.groups[0].cells[0].split,
        "classes": list(source.classes),
        "n_per_class": source.n_per_class,
        "encoders": _encoders(source, plan, store),
        "noise": _noise(plan, source),
        "seeds": list(study.seeds),
        "parameters": {"maxdim": study.maxdim, "n_landmarks": study.n_landmarks},
        "metrics": _described(tables),
        "analyses": {
            name: {
                "title": analyses[name].title,
                "about": analyses[name].about,
                "exhibits": [asdict(exhibit) for exhibit in analyses[name].exhibits],
            }
            for name in study.analyses
        },
        "answer": [
            *_told(plan, store),
            *answer(
                tables["metrics"],
                associations,
                study.primary,
                tables.get("training"),
                added,
                tables.get("robustness"),
            ),
            *_left_out(plan, tables["metrics"], holes),
        ],
        "findings": verdict(associations, study.primary),
        "foretold": prediction_verdict(prediction, study.primary),
        "added": added_verdict(added, study.primary),
        "notes": notes(study, source, tables),
        "holes": [
            {
                "cell": dict(hole.label),
                "stage": hole.stage,
                "error": hole.error,
                "trace": hole.trace,
            }
            for hole in holes
        ],
        "provenance": {
            "command": shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
            "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            "seconds": {name: round(value, 2) for name, value in seconds.items()},
            "artefacts": {name: {"made": n, "of": total} for name, (n, total) in made.items()},
            "versions": versions(),
            "platform": f"Python {platform.python_version()}, {platform.platform(terse=True)}",
            "hashes": {"cells": digest([task.spec for _, ts in plan.stages(store) for task in ts])},
        },
        "files": {name: sha256(content).hexdigest() for name, content in files.items()},
    }
    files["manifest.json"] = json.dumps(manifest, indent=1, ensure_ascii=False).encode()
    make_folder(out / "tables")
    replace_all({out / name: content for name, content in files.items()})
    for name in {SPRITE, *map(table_file, TABLES)} - files.keys():  # an earlier run's
        remove(out / name)
    return Run.read(out)


def _gather(plan: Plan, store: Store) -> dict[str, pd.DataFrame]:
    """The stages' tables, each row keyed by its cell."""
    gathered: dict[str, list[pd.DataFrame]] = {}

    def keep(name: str, table: pd.DataFrame, cell: Cell) -> None:
        if not table.empty:
            gathered.setdefault(name, []).append(_keyed(table, cell))

    def keep_each(name: str, table: pd.DataFrame, group: Group) -> None:
        """Of a table of all severities, the rows of each."""
        for severity, cell in group.cells.items():
            keep(name, table[table["severity"] == severity].drop(columns="severity"), cell)

    for group in plan.groups:
        for stage in (plan.measure(group), plan.topology(group)):
            for severity, cell in group.cells.items():
                for name, table in _tables(store, stage[severity]).items():
                    keep(name, table, cell)
        for task in plan.robustness(group):
            for name, table in _tables(store, task).items():
                over = _keyed(table, group.cells[0]).drop(columns=["severity", "parameter"])
                gathered.setdefault(name, []).append(over)
        joint = [*plan.projections(group), *([plan.baseline(group)] if plan.has_baselines else [])]
        for task in joint:
            for name, table in _tables(store, task).items():
                keep_each(name, table, group)
        for task in plan.analyses(group):
            for name, table in _tables(store, task).items():
                keep(name, table, group.cells[0])
    for group, other in plan.pairs():
        second = {"encoder_b": other.cells[0].encoder, "layer_b": other.cells[0].layer}
        for name, table in _tables(store, plan.similarity(group, other)).items():
            keep_each(name, table.assign(**second), group)
    tables = {name: pd.concat(frames, ignore_index=True) for name, frames in gathered.items()}
    for name in tables.keys() & {"diagrams", "records"}:  # classes go by their names, as elsewhere
        tables[name]["scope"] = tables[name]["scope"].str.removeprefix("class:")
    tables.setdefault("metrics", pd.DataFrame(columns=[*TABLES["metrics"][0]]))
    for task in plan.statistics(store):
        tables |= _tables(store, task)
    return tables


def _tables(store: Store, task: Task) -> Mapping[str, pd.DataFrame]:
    """What a task left; nothing where it failed."""
    artefact = store.read(task.stage, task.spec)
    return artefact.tables if artefact is not None else {}


def _keyed(table: pd.DataFrame, cell: Cell) -> pd.DataFrame:
    keys = pd.DataFrame({name: [value] * len(table) for name, value in cell.columns().items()})
    return pd.concat([keys, table.reset_index(drop=True)], axis=1)


def _described(tables: Mapping[str, pd.DataFrame]) -> dict[str, dict[str, Any]]:
    """Definitions of the metrics as measured here: a run keeps them when the package moves on."""
    named = ("metrics", "pairs", "similarities")
    names = {n for t in named if t in tables for n in tables[t]["metric"]}
    fields = ("title", "room", "better", "unit", "summary", "source")
    return {n: {field: getattr(metrics[n], field) for field in fields} for n in sorted(names)}


def _told(plan: Plan, store: Store) -> Iterator[str]:
    """What the study's own analyses answer at the first seed; of several spaces by their names."""
    seed = plan.groups[0].cells[0].seed
    groups = [group for group in plan.groups if group.cells[0].seed == seed]
    for group in groups:
        start = f"{group.cells[0].encoder}: " if len(groups) > 1 else ""
        for name, task in zip(plan.study.analyses, plan.analyses(group), strict=True):
            if tables := _tables(store, task):
                yield from (start + sentence for sentence in analyses[name].answer(tables))


def _left_out(plan: Plan, metrics: pd.DataFrame, holes: Sequence[Hole]) -> Iterator[str]:
    """Which feature spaces the answer is not of; where it is of none, it says so itself."""
    measured = set(metrics[["encoder", "layer", "severity", "seed"]].itertuples(index=False))
    found: dict[str, list[bool]] = {}
    for cell in (cell for group in plan.groups for cell in group.cells.values()):
        here = (cell.encoder, cell.layer, cell.severity, cell.seed) in measured
        found.setdefault(f"{cell.encoder} {cell.layer}".rstrip(), []).append(here)
    missing = [
        f"a part of {space}" if any(cells) else space
        for space, cells in found.items()
        if not all(cells)
    ]
    trainings = [hole.label for hole in holes if hole.stage == "training"]
    missing += [f"{label['encoder']} (seed {label['seed']})" for label in trainings]
    if missing and measured:
        yield f"Not measured, and so left out of this answer: {listed(missing)} (see What failed)."


def _encoders(source: Source, plan: Plan, store: Store) -> list[dict[str, Any]]:
    """As the source describes them; a function's dimension is that of the features it gave."""
    described = source.describe()
    clouds = {(g.cells[0].encoder, g.cells[0].layer): g.clouds[0] for g in plan.groups}
    for entry in described:
        if entry["dimension"] is None:
            entry["dimension"] = clouds[entry["name"], entry["layer"]].dimension(store)
    return described


def _noise(plan: Plan, source: Source) -> dict[str, Any] | None:
    cells = plan.groups[0].cells
    if len(cells) == 1:
        return None
    name, noise = cells[0].noise, source.noise
    return {
        "name": name,
        "units": noise.units if noise is not None else "",
        "parameter": noise.parameter if noise is not None else wording(name).parameter,
        # A clean image has no parameter; the first step of a training is one like the others.
        "levels": [c.parameter for s, c in cells.items() if s > 0 or name == TRAINING],
    }


def versions() -> dict[str, str]:
    """Versions of the installed packages that make the numbers."""
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _thumbnails(images: ImageSet, n: int) -> tuple[bytes, pd.DataFrame]:
    """A WebP sprite of the projected images, and where each stands in it."""
    from PIL import Image, ImageOps

    rows = even_sample(images.labels, n)
    side = int(np.ceil(np.sqrt(len(rows))))
    sprite = Image.new("RGB", (side * THUMBNAIL, -(-len(rows) // side) * THUMBNAIL))
    places = []
    for k, row in enumerate(rows):
        tile = ImageOps.fit(
            Image.fromarray(images.read(int(row))).convert("RGB"), (THUMBNAIL, THUMBNAIL)
        )
        column, line = k % side, k // side
        sprite.paste(tile, (column * THUMBNAIL, line * THUMBNAIL))
        places.append({"image": images.ids[row], "column": column, "row": line})
    buffer = BytesIO()
    sprite.save(buffer, "WEBP", quality=70)
    return buffer.getvalue(), pd.DataFrame(places)
