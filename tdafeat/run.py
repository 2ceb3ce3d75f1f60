"""Reads what a study left: a manifest and tidy tables, nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import pandas as pd

from tdafeat.errors import UnreadableData
from tdafeat.files import at, contents

SCHEMA = 1
SPRITE = "thumbnails.webp"

CELL = {
    "dataset": "str",
    "split": "str",
    "encoder": "str",
    "layer": "str",
    "noise": "str",
    "severity": "int64",
    "parameter": "float64",
    "seed": "int64",
}

HEADER = 33  # bytes of a PNG file up to the end of its size and colours
PNG = b"\x89PNG\r\n\x1a\n"  # what every PNG file begins with

# Columns a table must have, then those it may leave out, with their types.
TABLES: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "metrics": (
        CELL | {"scope": "str", "metric": "str", "value": "float64"},
        {"scope_b": "str", "params": "str", "low": "float64", "high": "float64"}
        | {"n": "float64", "status": "str"},
    ),
    "pairs": (
        CELL | {"scope": "str", "scope_b": "str", "metric": "str", "value": "float64"},
        {"params": "str"},
    ),
    "similarities": (
        CELL | {"encoder_b": "str", "layer_b": "str", "metric": "str", "value": "float64"},
        {"low": "float64", "high": "float64", "n": "float64", "status": "str"},
    ),
    "diagrams": (
        CELL | {"scope": "str", "degree": "int64", "birth": "float64", "death": "float64"},
        {},
    ),
    "records": (
        CELL | {"scope": "str", "points": "int64"},
        {"band_h0": "float64", "band_h1": "float64"},
    ),
    "spectra": (CELL | {"scope": "str", "rank": "int64", "value": "float64"}, {}),
    "projections": (
        CELL | {"image": "str", "label": "str", "method": "str", "x": "float64", "y": "float64"},
        {"subset": "str"},
    ),
    "predictions": (
        CELL | {"image": "str", "label": "str", "method": "str", "prediction": "str"},
        # confidence: the probability of the prediction, NaN where scores are none; rank: place of
        # the true class, 1 the first; margin: score of the true class less the best other one
        {"score": "float64", "confidence": "float64", "rank": "float64", "margin": "float64"},
    ),
    # one row for each summary of a predictor's accuracy over the severities, as a whole and by
    # class: accuracy_area, half_severity, relative_accuracy (tdafeat.evaluation.robustness)
    "robustness": (
        {name: kind for name, kind in CELL.items() if name not in ("severity", "parameter")}
        | {"method": "str", "scope": "str", "summary": "str", "value": "float64"}
        | {"low": "float64", "high": "float64", "n": "int64"},
        {},
    ),
    "associations": (
        {"encoder": "str", "metric": "str", "method": "str", "adjustment": "str"}
        | {"value": "float64", "low": "float64", "high": "float64"},
        {"dataset": "str", "layer": "str", "noise": "str", "scope_unit": "str"}
        | {"p": "float64", "p_holm": "float64", "p_bh": "float64", "n": "float64"}
        | {"detectable": "float64", "seed_sd": "float64", "n_seeds": "float64", "status": "str"},
    ),
    "prediction": (
        {"encoder": "str", "metric": "str", "scope_unit": "str", "r2": "float64"},
        {"dataset": "str", "layer": "str", "noise": "str", "rho": "float64", "error": "float64"}
        | {"error_of_mean": "float64", "p": "float64", "p_holm": "float64", "p_bh": "float64"}
        | {"n": "float64", "status": "str"},
    ),
    "added": (
        {"encoder": "str", "metric": "str", "beyond": "str", "scope_unit": "str"}
        | {"value": "float64", "low": "float64", "high": "float64"},
        {"dataset": "str", "layer": "str", "noise": "str", "alone": "float64"}
        | {"shared": "float64", "p": "float64", "p_holm": "float64", "p_bh": "float64"}
        | {"r2_beyond": "float64", "r2_both": "float64", "n": "float64", "status": "str"},
    ),
    "baselines": (
        CELL
        | {"scope": "str", "metric": "str", "baseline": "str", "quantity": "str"}
        | {"value": "float64", "low": "float64", "high": "float64", "observed": "float64"},
        {"n": "float64", "draws": "float64"},
    ),
    "training": (
        {"variant": "str", "step": "float64", "quantity": "str", "value": "float64"},
        {},
    ),
    "pictures": (
        CELL
        | {"scope": "str", "analysis": "str", "kind": "str", "set": "str", "rank": "int64"}
        | {"caption": "str", "png": "png"},
        {"mark": "str"},  # of a neighbour: "hit" or "miss"
    ),
    "curves": (
        CELL
        | {"scope": "str", "analysis": "str", "quantity": "str", "series": "str"}
        | {"x": "float64", "value": "float64"},
        {},
    ),
    "thumbnails": ({"image": "str", "column": "int64", "row": "int64"}, {}),
}

# Entries of the manifest that readers use, and what stands in for those left out.
MANIFEST: dict[str, Any] = {
    "name": "",
    "title": "",
    "question": "",
    "primary": "",
    "dataset": "",
    "split": "",
    "classes": [],
    "n_per_class": 0,
    "encoders": [],
    "noise": {},
    "seeds": [],
    "parameters": {},
    "metrics": {},
    "analyses": {},
    "answer": [],
    "findings": [],
    "foretold": [],
    "added": [],
    "notes": [],
    "holes": [],
    "provenance": {},
    "files": {},  # of the run, by name in its folder: their SHA-256
}


@dataclass(frozen=True, eq=False, repr=False)
class Run:
    """What a study left in a folder.

    Attributes
    ----------
    folder : where it was read from.
    manifest : what was asked and done; entries left out are empty, never missing.
    metrics, pairs, similarities, diagrams, records, spectra, projections, predictions,
    robustness, associations, prediction, added, baselines, training, pictures, curves,
    thumbnails : the tables; one that the study did not write is an empty frame with its columns.
    """

    folder: Path
    manifest: Mapping[str, Any]
    metrics: pd.DataFrame
    pairs: pd.DataFrame
    similarities: pd.DataFrame
    diagrams: pd.DataFrame
    records: pd.DataFrame
    spectra: pd.DataFrame
    projections: pd.DataFrame
    predictions: pd.DataFrame
    robustness: pd.DataFrame
    associations: pd.DataFrame
    prediction: pd.DataFrame
    added: pd.DataFrame
    baselines: pd.DataFrame
    training: pd.DataFrame
    pictures: pd.DataFrame
    curves: pd.DataFrame
    thumbnails: pd.DataFrame

    @classmethod
    def read(cls, folder: str | Path) -> Run:
        """Read a run folder, by path or URL.

        Raises
        ------
        UnreadableData naming the file that is missing, damaged or not what a run holds.
        """
        folder = at(folder)
        manifest = _manifest(folder / "manifest.json")
        tables = {
            name: _table(folder / (file := table_file(name)), name, _file(folder, manifest, file))
            for name in TABLES
        }
        return cls(folder, manifest, **tables)

    def __repr__(self) -> str:
        cells = len(self.metrics[list(CELL)].drop_duplicates())
        n_holes = len(self.manifest["holes"])
        holes = f"{n_holes} hole{'s' * (n_holes != 1)}"
        return f"<Run {self.manifest['name']}: {cells} cells, {holes}, in {self.folder}>"

    @property
    def sprite(self) -> bytes | None:
        """The file of thumbnails, where the study kept any.

        Raises
        ------
        UnreadableData naming the file if it is missing or damaged.
        """
        return _file(self.folder, self.manifest, SPRITE)


def table_file(name: str) -> str:
    """Where a table stands in the folder of a run."""
    return f"tables/{name}.parquet"


def _file(folder: Path, manifest: Mapping[str, Any], name: str) -> bytes | None:
    """What a run has under a name: none of an earlier run, nothing changed, as the manifest says.

    Manifests that list no files are those of earlier versions, or written by others.
    """
    listed = manifest["files"]
    if listed and name not in listed:
        return None
    try:
        found = contents(folder / name)
    except FileNotFoundError:
        if listed:
            raise UnreadableData(f"{folder / name} is missing: run the study again") from None
        return None
    except OSError as error:
        raise UnreadableData(f"{folder / name} cannot be read: {error}") from None
    if listed and sha256(found).hexdigest() != listed[name]:
        raise UnreadableData(
            f"{folder / name} is damaged, or not of the run that {folder / 'manifest.json'} "
            f"tells of: run the study again"
        )
    return found


def _manifest(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(contents(path))
    except FileNotFoundError:
        raise UnreadableData(f"{path.parent} is not a run: it has no manifest.json") from None
    except (OSError, ValueError, RecursionError) as error:
        raise UnreadableData(f"{path} cannot be read: {error}") from None
    if not isinstance(found, dict) or not isinstance(found.get("schema"), int):
        raise UnreadableData(f"{path} is not the manifest of a run")
    if found["schema"] > SCHEMA:
        raise UnreadableData(
            f"{path} has schema {found['schema']}; this version reads up to {SCHEMA}, take a newer"
        )
    for key, default in MANIFEST.items():
        value = found.get(key)
        if value is None:
            found[key] = default
        elif not isinstance(value, type(default)):
            raise UnreadableData(
                f"{path}: {key!r} must be of type {type(default).__name__}, "
                f"not {type(value).__name__}"
            )
    return found


def _table(path: Path, name: str, content: bytes | None) -> pd.DataFrame:
    required, optional = TABLES[name]
    types = required | optional
    if content is None:
        return pd.DataFrame({c: pd.Series(dtype=_dtype(kind)) for c, kind in types.items()})
    try:
        table = pd.read_parquet(BytesIO(content))
    except Exception as error:  # whatever the parquet reader stumbles over, the file is to blame
        raise UnreadableData(f"{path} cannot be read: {error}") from None
    missing = [column for column in required if column not in table]
    if missing and not table.empty:
        raise UnreadableData(f"{path} has no column {missing[0]!r}")
    if not table.columns.is_unique:
        raise UnreadableData(f"{path} has two columns of one name")
    table = table.reindex(columns=[*types, *(c for c in table if c not in types)])
    for column, kind in types.items():
        try:
            if kind == "str":
                table[column] = table[column].astype(object).where(table[column].notna(), "")
            if kind == "png" and not all(map(_is_png, table[column])):
                raise ValueError("an entry is no PNG file")
            table[column] = table[column].astype(_dtype(kind))
        except Exception as error:  # pandas and arrow each raise types of their own
            raise UnreadableData(f"{path}: column {column!r} is not {kind}: {error}") from None
    return table


def _dtype(kind: str) -> Any:
    return object if kind == "png" else kind


def _is_png(entry: Any) -> bool:
    return isinstance(entry, bytes) and entry.startswith(PNG) and len(entry) > HEADER
