"""Cells on disk: content-addressed, written aside and renamed into place, verified on read.

An artefact is a folder ``STAGE/KEY`` of parquet tables and ``.npy`` arrays with a ``meta.json``
that holds the specification it answers and the SHA-256 of every file. The key is a hash of
everything that changes the numbers, so a changed parameter or a mended stage never meets an old
result, and a second run finds all it needs.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

SCHEMA = 1


def digest(value: Any) -> str:
    """SHA-256 (hex) of a JSON-able value, the same for equal values in every process.

    Examples
    --------
    >>> digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    True
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Artefact:
    """What a stage left: tables and arrays by name."""

    tables: Mapping[str, pd.DataFrame]
    arrays: Mapping[str, np.ndarray]


class Store:
    """A folder of artefacts, safe to share between processes.

    Parameters
    ----------
    root : folder, made when first written to.

    Examples
    --------
    >>> import tempfile, pandas as pd
    >>> store = Store(tempfile.mkdtemp())
    >>> spec = {"cloud": "circle", "version": 1}
    >>> store.write("topology", spec, tables={"diagrams": pd.DataFrame({"birth": [0.0]})})
    >>> store.read("topology", spec).tables["diagrams"]["birth"].tolist()
    [0.0]
    >>> store.read("topology", {"cloud": "torus", "version": 1}) is None
    True
    """

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)

    def folder(self, stage: str, spec: Mapping[str, Any]) -> Path:
        """Where the artefact of this specification lies, or would lie."""
        return self.root / stage / digest({"schema": SCHEMA, "stage": stage, "spec": dict(spec)})

    def intact(self, stage: str, spec: Mapping[str, Any]) -> bool:
        """Whether the artefact is there and every file of it is as it was written."""
        return self._verified(self.folder(stage, spec)) is not None

    def read(self, stage: str, spec: Mapping[str, Any]) -> Artefact | None:
        """The artefact, or None where it is missing or damaged; a damaged one is removed."""
        files = self._verified(self.folder(stage, spec))
        if files is None:
            return None
        tables, arrays = {}, {}
        for name, content in files.items():
            stem, kind = name.rsplit(".", 1)
            if kind == "parquet":
                tables[stem] = pd.read_parquet(BytesIO(content))
            else:
                arrays[stem] = np.load(BytesIO(content), allow_pickle=False)
        return Artefact(tables, arrays)

    def remove(self, stage: str, spec: Mapping[str, Any]) -> None:
        """Forget an artefact, so that it is computed again."""
        shutil.rmtree(self.folder(stage, spec), ignore_errors=True)

    def _verified(self, folder: Path) -> dict[str, bytes] | None:
        """Contents of the artefact's files whose checksums hold; None, and no folder, if not."""
        try:
            meta = json.loads((folder / "meta.json").read_bytes())
            files = {name: (folder / name).read_bytes() for name in meta["files"]}
            intact = all(
                hashlib.sha256(content).hexdigest() == meta["files"][name]
                for name, content in files.items()
            )
        except FileNotFoundError:
            if not folder.exists():
                return None
            intact = False
        except (ValueError, KeyError, TypeError, AttributeError):
            intact = False
        if not intact:
            shutil.rmtree(folder, ignore_errors=True)
            return None
        return files

    def write(
        self,
        stage: str,
        spec: Mapping[str, Any],
        tables: Mapping[str, pd.DataFrame] | None = None,
        arrays: Mapping[str, np.ndarray] | None = None,
    ) -> None:
        """Write an artefact so that it is there whole or not at all.

        Raises
        ------
        OSError if the disk is full or the store read-only; nothing half-written stays behind.
        """
        folder = self.folder(stage, spec)
        folder.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=".writing-", dir=self.root))
        try:
            checksums = {}
            for name, table in (tables or {}).items():
                buffer = BytesIO()
                table.to_parquet(buffer, index=False)
                checksums[f"{name}.parquet"] = _write_file(aside / f"{name}.parquet", buffer)
            for name, array in (arrays or {}).items():
                buffer = BytesIO()
                np.save(buffer, array, allow_pickle=False)
                checksums[f"{name}.npy"] = _write_file(aside / f"{name}.npy", buffer)
            meta = {"schema": SCHEMA, "stage": stage, "spec": dict(spec), "files": checksums}
            _write_file(aside / "meta.json", BytesIO(json.dumps(meta, indent=1).encode()))
            try:
                os.rename(aside, folder)
            except OSError:
                # Another process was first with the same content; anything else is an error.
                if not (folder / "meta.json").is_file():
                    raise
        finally:
            shutil.rmtree(aside, ignore_errors=True)


def stored(store: Store, stage: str, spec: Mapping[str, Any]) -> Artefact:
    """An artefact another stage needs; that it is missing is a ValueError."""
    artefact = store.read(stage, spec)
    if artefact is None:
        raise ValueError(f"its {stage} stage is missing or failed")
    return artefact


def _write_file(path: Path, buffer: BytesIO) -> str:
    content = buffer.getvalue()
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return hashlib.sha256(content).hexdigest()
