"""Upkeep of a store: how much it holds, what of it no run will read again, what is damaged."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tdafeat.artefact import is_whole, meta
from tdafeat.errors import DataUnavailable, UnreadableData
from tdafeat.files import ASIDE, is_local
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
            if not is_whole(path.read_bytes()):
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
            content = path.read_bytes()
        except FileNotFoundError:
            continue
        if reason := _of_no_use(content):
            yield Dropping(path, len(content), reason)


def remove(dropping: Dropping) -> None:
    """Delete the file; of an earlier format, its folder too once that is empty."""
    dropping.path.unlink(missing_ok=True)
    folder = dropping.path.parent
    if dropping.reason == "of an earlier format" and not any(folder.iterdir()):
        folder.rmdir()


def artefacts(store: Store) -> Iterator[Path]:
    """Every artefact's file, in order.

    Raises
    ------
    DataUnavailable if there is no store.
    """
    if not store.root.is_dir():
        raise DataUnavailable(f"{store.root}: there is no store")
    for folder in sorted(store.root.iterdir(), key=str):
        if folder.is_dir() and folder.name != LOCKS:
            whole = (path for path in folder.iterdir() if path.suffix == ".zip")
            yield from sorted((path for path in whole if KEY.fullmatch(path.stem)), key=str)


def _leftovers(store: Store, fresh: float) -> list[Path]:
    if not is_local(store.root) or not store.root.is_dir():
        return []  # behind a URL nothing is written aside
    found = sorted(store.root.glob(f"**/{ASIDE}*"))
    now = time.time()
    return [path for path in found if path.is_file() and now - path.stat().st_mtime > fresh]


def _of_no_use(content: bytes) -> str:
    """Why no run will read this artefact; empty if one may."""
    from tdafeat.stages import VERSIONS

    try:
        found = meta(content)
        version = found["spec"].get("version")
        current = VERSIONS.get(found["stage"], version)
    except (UnreadableData, KeyError, TypeError, AttributeError, json.JSONDecodeError):
        return "damaged"
    if found.get("schema") != SCHEMA or version != current:
        return "of an earlier version"
    return ""
