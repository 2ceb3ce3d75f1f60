"""Upkeep of a store: how much it holds, what of it no run will read again, what is damaged."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tdafeat import files
from tdafeat.artefact import is_whole, meta
from tdafeat.errors import DataUnavailable, UnreadableData
from tdafeat.files import ASIDE, asking, contents, is_local
from tdafeat.store import LOCKS, SCHEMA, Store

KEY = re.compile("[0-9a-f]{64}")  # what artefacts are named by; any other file is somebody else's
FRESH = 3600.0  # seconds that a file written aside may still be in somebody's hands


@dataclass(frozen=True)
class Dropping:
    """A file that can go, and why."""

    path: Path
    size: int
    reason: str


def size(store: Store) -> dict[str, list[int]]:
    """The sizes in bytes of the artefacts of each stage."""
    sizes: dict[str, list[int]] = {}
    for path in artefacts(store):
        sizes.setdefault(path.parent.name, []).append(path.stat().st_size)
    return sizes


def damaged(store: Store) -> Iterator[Dropping]:
    """Artefacts that are not as they were written: every byte is read."""
    for path in artefacts(store):
        try:
            if not is_whole(contents(path)):
                yield Dropping(path, path.stat().st_size, "damaged")
        except FileNotFoundError:  # another run took it away meanwhile
            continue


def garbage(store: Store, fresh: float = FRESH) -> Iterator[Dropping]:
    """What no run reads: damaged artefacts, those of earlier versions, files left half-written.

    Parameters
    ----------
    fresh : seconds; a file written aside later than that may be in the hands of a run.
    """
    for path in _leftovers(store, fresh):
        yield Dropping(path, path.stat().st_size, "left half-written")
    if is_local(store.root):
        for old in sorted(store.root.glob("*/*/meta.json")):
            if KEY.fullmatch(old.parent.name):
                for path in sorted(old.parent.iterdir()):
                    yield Dropping(path, path.stat().st_size, "of an earlier format")
    for path in artefacts(store):
        try:
            found = contents(path)
        except FileNotFoundError:
            continue
        if reason := _of_no_use(found):
            yield Dropping(path, len(found), reason)


def remove(dropping: Dropping) -> None:
    """Delete the file; of an earlier format, its folder too once that is empty."""
    files.remove(dropping.path)
    folder = dropping.path.parent
    if dropping.reason == "of an earlier format" and not any(folder.iterdir()):
        folder.rmdir()


def artefacts(store: Store) -> Iterator[Path]:
    """Every artefact's file, in order.

    Raises
    ------
    DataUnavailable if there is no store.
    """
    with asking(store.root):
        if not store.root.is_dir():
            raise DataUnavailable(f"{store.root}: there is no store")
        folders = sorted(store.root.iterdir(), key=str)
    for folder in folders:
        with asking(folder):
            named = folder.is_dir() and folder.name != LOCKS
            whole = [path for path in folder.iterdir() if path.suffix == ".zip"] if named else []
        yield from sorted((path for path in whole if KEY.fullmatch(path.stem)), key=str)


def _leftovers(store: Store, fresh: float) -> list[Path]:
    if not is_local(store.root) or not store.root.is_dir():
        return []  # behind a URL nothing is written aside
    found = sorted(store.root.glob(f"**/{ASIDE}*"))
    now = time.time()
    return [path for path in found if path.is_file() and now - path.stat().st_mtime > fresh]


def _of_no_use(content: bytes) -> str:
    """Why no run will read this artefact; empty if one may."""
    try:
        found = meta(content)
        stage, spec = found["stage"], found["spec"]
        old = found.get("schema") != SCHEMA or _is_outdated(stage, spec)
    except (UnreadableData, KeyError, TypeError, ValueError, AttributeError):
        return "damaged"
    return "of an earlier version" if old else ""


def _is_outdated(stage: str, spec: Mapping[str, Any]) -> bool:
    """Whether the stage, a metric or an analysis has another version by now.

    What another environment registers is not known here, and stays.
    """
    from tdafeat.cells import FEATURES_VERSION
    from tdafeat.record import analyses, metrics
    from tdafeat.sources.training import TRAINING_VERSION
    from tdafeat.stages import VERSIONS

    made = dict.fromkeys(("features", "text", "head"), FEATURES_VERSION)
    trained = dict.fromkeys(("training", "checkpoint"), TRAINING_VERSION)
    version = spec.get("version")
    if version != (VERSIONS | made | trained).get(stage, version):
        return True
    measured = {name: metric.version for name, metric in metrics.items()}
    if any(then != measured.get(name, then) for name, then in spec.get("metrics", ())):
        return True
    known = {name: analysis.version for name, analysis in analyses.items()}
    name, then = spec.get("analysis", ("", None))
    return then != known.get(name, then)
