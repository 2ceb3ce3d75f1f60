"""Upkeep of a store: how much it holds, what of it no run will read again, what is damaged."""

from __future__ import annotations

import contextlib
import re
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tdafeat import files
from tdafeat.artefact import meta
from tdafeat.errors import DataUnavailable, UnreadableData
from tdafeat.files import ASIDE, asking, contents, is_local
from tdafeat.store import LOCKS, SCHEMA, UNFINISHED, Store, digest

KEY = re.compile("[0-9a-f]{64}")  # what artefacts are named by; any other file is somebody else's
FRESH = 3600.0  # seconds that a file written aside may still be in somebody's hands
FORGOTTEN = 30 * 86400.0  # seconds after which nobody goes on with a training that was stopped


@dataclass(frozen=True)
class Dropping:
    """A file that can go, or the folder of an unfinished training, and why."""

    path: Path
    size: int
    reason: str


def size(store: Store) -> dict[str, list[int]]:
    """The sizes in bytes of the artefacts of each stage, and of trainings that were stopped."""
    sizes: dict[str, list[int]] = {}
    for path in artefacts(store):
        with contextlib.suppress(FileNotFoundError):  # it was taken away meanwhile
            sizes.setdefault(path.parent.name, []).append(path.stat().st_size)
    for folder in _unfinished(store):
        sizes.setdefault(UNFINISHED, []).append(_extent(folder)[0])
    return sizes


def damaged(store: Store) -> Iterator[Dropping]:
    """Artefacts that are not as they were written, or not where: every byte is read."""
    for path in artefacts(store):
        try:
            found = contents(path)
        except FileNotFoundError:  # another run took it away meanwhile
            continue
        if reason := _fault(path, found):
            yield Dropping(path, len(found), reason)


def garbage(store: Store, fresh: float = FRESH) -> Iterator[Dropping]:
    """What no run reads: damaged artefacts, those of earlier versions, what was left half-done.

    Parameters
    ----------
    fresh : seconds; a file written aside later than that may be in the hands of a run.
    """
    yield from _leftovers(store, fresh)
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
        if reason := _of_no_use(path, found):
            yield Dropping(path, len(found), reason)
    for folder in _unfinished(store):
        extent, changed = _extent(folder)
        if time.time() - changed > FORGOTTEN:
            yield Dropping(folder, extent, "a training stopped a month ago")


def remove(store: Store, dropping: Dropping) -> bool:
    """Delete it, unless a run has it in hand or has mended it since it was found.

    An artefact is judged again while its key is held. Behind a URL nothing is held, and a run may
    mend it between the judgement and the deletion: it is then computed once more.

    Returns
    -------
    Whether it is gone.
    """
    path = dropping.path
    if path.parent == store.near / UNFINISHED:
        with store.hold_unfinished(path.name, wait=False) as mine:
            if not mine or time.time() - _extent(path)[1] <= FORGOTTEN:
                return False
            shutil.rmtree(path)
        return True
    if path.suffix == ".zip" and KEY.fullmatch(path.stem):
        with store.hold_key(path.stem, wait=False) as mine:
            try:
                useless = mine and _of_no_use(path, contents(path))
            except FileNotFoundError:
                return True
            if useless:
                files.remove(path)
            return bool(useless)
    files.remove(path)
    if dropping.reason == "of an earlier format" and not any(path.parent.iterdir()):
        path.parent.rmdir()
    return True


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


def _leftovers(store: Store, fresh: float) -> Iterator[Dropping]:
    if not is_local(store.root) or not store.root.is_dir():
        return  # behind a URL nothing is written aside
    for path in sorted(store.root.glob(f"**/{ASIDE}*")):
        with contextlib.suppress(FileNotFoundError):  # its run has renamed it into place
            found = path.stat()
            if path.is_file() and time.time() - found.st_mtime > fresh:
                yield Dropping(path, found.st_size, "left half-written")


def _unfinished(store: Store) -> list[Path]:
    """Folders of trainings that were stopped; those of a URL's store lie in the user's cache."""
    place = store.near / UNFINISHED
    return sorted(p for p in place.iterdir() if p.is_dir()) if place.is_dir() else []


def _extent(folder: Path) -> tuple[int, float]:
    """Bytes of the files in a folder, and when the last was changed (seconds since 1970)."""
    try:
        stats = [path.stat() for path in folder.rglob("*") if path.is_file()]
        emptied = folder.stat().st_mtime
    except FileNotFoundError:  # a training is at it
        return 0, time.time()
    return sum(s.st_size for s in stats), max((s.st_mtime for s in stats), default=emptied)


def _fault(path: Path, content: bytes) -> str:
    """What is wrong with an artefact that lies at this path; empty if nothing."""
    try:
        found = meta(content)
        key = digest({name: found[name] for name in ("schema", "stage", "spec")})
    except (UnreadableData, KeyError, ValueError, RecursionError):
        return "damaged"
    return "" if (found["stage"], key) == (path.parent.name, path.stem) else "under another's name"


def _of_no_use(path: Path, content: bytes) -> str:
    """Why no run will read this artefact; empty if one may."""
    if fault := _fault(path, content):
        return fault
    try:
        found = meta(content)
        old = found["schema"] != SCHEMA or _is_outdated(found["stage"], found["spec"])
    except (TypeError, ValueError, AttributeError):
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
