"""Cells on disk: content-addressed, written aside and renamed into place, verified on read.

An artefact is a file ``STAGE/KEY.zip`` under the store's root (see `tdafeat.artefact`). The key is
a hash of everything that changes the numbers, so a changed parameter or a mended stage never meets
an old result, and a second run finds all it needs. A damaged file is as good as none.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tdafeat.artefact import Artefact, meta, pack, unpack
from tdafeat.errors import Missing, StoreFailed, UnreadableData
from tdafeat.files import at, contents, hold, is_local, remove, replace, sync_folder

SCHEMA = 2
LOCKS = ".locks"
UNFINISHED = "unfinished"  # folder of trainings that were stopped


def digest(value: Any) -> str:
    """SHA-256 (hex) of a JSON-able value, the same for equal values in every process.

    Examples
    --------
    >>> digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    True
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


class Store:
    """A folder of artefacts, safe to share between processes.

    Parameters
    ----------
    root : folder, made when first written to, or a URL that fsspec knows (``s3://bucket/store``),
        where an artefact is put at once.

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
        # absolute: a worker process may have been started in another folder
        self.root = at(root).absolute()

    def path(self, stage: str, spec: Mapping[str, Any]) -> Path:
        """Where the artefact of this specification lies, or would lie."""
        return self.root / stage / f"{_key(stage, spec)}.zip"

    def intact(self, stage: str, spec: Mapping[str, Any]) -> bool:
        """Whether the artefact is there, answers this and every byte is as it was written."""
        found = self._content(stage, spec)
        try:
            return found is not None and meta(found) == _meta(stage, spec)
        except UnreadableData:
            return False

    def read(self, stage: str, spec: Mapping[str, Any]) -> Artefact | None:
        """The artefact, or None where it is missing, damaged or that of something else."""
        found = self._content(stage, spec)
        try:
            artefact = None if found is None else unpack(found)
        except UnreadableData:
            return None
        return artefact if artefact and artefact.meta == _meta(stage, spec) else None

    def _content(self, stage: str, spec: Mapping[str, Any]) -> bytes | None:
        with _failing():
            try:
                return contents(self.path(stage, spec))
            except (FileNotFoundError, IsADirectoryError):
                return None

    def remove(self, stage: str, spec: Mapping[str, Any]) -> None:
        """Forget an artefact, so that it is computed again."""
        with _failing():
            remove(self.path(stage, spec))

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
        StoreFailed if the disk is full, the store read-only or what is behind its URL fails;
        nothing half-written stays behind.
        """
        path = self.path(stage, spec)
        packed = pack(_meta(stage, spec), tables or {}, arrays or {})
        with _failing():
            if is_local(path) and not path.parent.is_dir():
                path.parent.mkdir(parents=True, exist_ok=True)
                sync_folder(self.root)
            replace(path, packed)

    @property
    def near(self) -> Path:
        """The folder of this machine for what is not whole: the store, or the user's cache."""
        return self.root if is_local(self.root) else _cache()

    @contextlib.contextmanager
    def unfinished(self, name: str) -> Iterator[Path]:
        """A folder of this machine for what goes on where it was stopped, one process at a time.

        It lies in the store, or in the user's cache where that is behind a URL
        (``$XDG_CACHE_HOME/tdafeat``), which no other user can write to.
        """
        with self.hold_unfinished(name, wait=True):
            folder = self.near / UNFINISHED / name
            folder.mkdir(parents=True, exist_ok=True)
            yield folder
            with contextlib.suppress(OSError):  # it is not empty: there is something to go on with
                folder.rmdir()

    @contextlib.contextmanager
    def hold_unfinished(self, name: str, wait: bool) -> Iterator[bool]:
        """The lock of `unfinished`; without waiting False where another process has it."""
        with hold(self.near / LOCKS / f"unfinished-{name}", wait) as mine:
            yield mine is not False

    @contextlib.contextmanager
    def claim(self, stage: str, spec: Mapping[str, Any], wait: bool = True) -> Iterator[bool]:
        """Hold an artefact while it is made, so that no other process makes it too.

        The lock goes with the process that holds it, however that ends. A few keys share one of
        4,096. Behind a URL, and where nothing can be written, there are none: then two processes
        may make the same artefact, which is the same bytes.

        Parameters
        ----------
        wait : until whoever holds it is done; otherwise yield False at once.
        """
        with self.hold_key(_key(stage, spec), wait) as mine:
            yield mine

    @contextlib.contextmanager
    def claim_all(self, stage: str, specs: Iterable[Mapping[str, Any]]) -> Iterator[None]:
        """`claim` of several that are made together."""
        with contextlib.ExitStack() as held:
            # each lock once, in the order that all keep: so no two wait for each other
            for lock in sorted({_lock(_key(stage, spec)) for spec in specs}):
                held.enter_context(hold(self.root / LOCKS / lock, wait=True))
            yield

    @contextlib.contextmanager
    def hold_key(self, key: str, wait: bool) -> Iterator[bool]:
        """`claim` by the key, which names the artefact's file."""
        # a read-only store may hold all that is asked for; if not, writing tells
        with hold(self.root / LOCKS / _lock(key), wait) as mine:
            yield mine is not False


def store_at(where: str | Path | None) -> Store:
    """The store of a folder or URL; None is ``$TDAFEAT_STORE``, or ``data/store`` without it.

    Raises
    ------
    ValueError where a file is in the way of the folder; DataUnavailable for a URL nothing reads.
    """
    store = Store(where or os.environ.get("TDAFEAT_STORE") or Path("data") / "store")
    if is_local(store.root):
        for place in (store.root, *store.root.parents):
            if os.path.isfile(place):
                raise ValueError(f"store must be a folder; {place} is a file")
    return store


@contextlib.contextmanager
def _failing() -> Iterator[None]:
    """Tell an error of the store from those of the cells that use it."""
    try:
        yield
    except OSError as error:
        if error.errno is None:
            raise StoreFailed(str(error)) from error
        raise StoreFailed(error.errno, error.strerror, error.filename) from error


def _cache() -> Path:
    """The user's folder for what can be made again."""
    own = os.environ.get("XDG_CACHE_HOME")
    return (Path(own) if own else Path.home() / ".cache") / "tdafeat"


def stored(store: Store, stage: str, spec: Mapping[str, Any]) -> Artefact:
    """An artefact another stage needs; Missing where it is not there."""
    artefact = store.read(stage, spec)
    if artefact is None:
        raise Missing(f"its {stage} stage is missing or failed")
    return artefact


def _lock(key: str) -> str:
    return key[:3]


def _key(stage: str, spec: Mapping[str, Any]) -> str:
    return digest(_meta(stage, spec))


def _meta(stage: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    """What an artefact says of itself, in the types that JSON gives back."""
    return dict(json.loads(json.dumps({"schema": SCHEMA, "stage": stage, "spec": dict(spec)})))
