"""Where data sets lie, and what to say when they do not."""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
import tarfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from tdafeat.errors import DataUnavailable


def data_root(root: Path | None) -> Path:
    """`root`, else ``$TDAFEAT_DATA``, else ``./data``.

    Raises
    ------
    DataUnavailable if `root` or ``$TDAFEAT_DATA`` names something that is not a folder.
    """
    given = root or os.environ.get("TDAFEAT_DATA")
    if given is None or given == "":
        return Path("data")
    if not Path(given).is_dir():
        source = "the data root" if root else "TDAFEAT_DATA"
        raise DataUnavailable(f"{source} names {given}, which is not a folder; create it first")
    return Path(given)


def download(fetch: Callable[[], Any], what: str, where: Path, contents: str) -> None:
    """Run a downloader; where it fails, say what the user can put where instead.

    Raises
    ------
    DataUnavailable naming the data set, the reason, the folder and its expected contents.
    """
    try:
        with contextlib.redirect_stdout(sys.stderr), _confined():  # torchvision prints as it goes
            fetch()
    except (OSError, RuntimeError, tarfile.TarError) as error:  # either of two when offline
        reason = str(error).strip().splitlines()[0] if str(error).strip() else repr(error)
        raise DataUnavailable(
            f"{what} is not in {where} and could not be downloaded ({reason}); put {contents} there"
        ) from error


@contextlib.contextmanager
def _confined() -> Iterator[None]:
    """Archives are unpacked below their folder alone, as Python does by itself from 3.14 on."""
    before = tarfile.TarFile.extraction_filter
    tarfile.TarFile.extraction_filter = staticmethod(tarfile.data_filter)
    try:
        yield
    finally:
        tarfile.TarFile.extraction_filter = before


def stamp(paths: Sequence[Path], names: Sequence[str]) -> str:
    """Version of a set of files: a hash of their names, sizes and times of change."""
    digest = hashlib.sha256()
    for path, name in zip(paths, names, strict=True):
        status = path.stat()
        digest.update(f"{name}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:16]
