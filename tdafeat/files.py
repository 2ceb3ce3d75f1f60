"""Files by path or URL, written so that a reader meets the old one or the new one, never a half.

A URL is any that fsspec knows (``s3://``, ``gs://``, ``memory://``); ``file://`` is a path.
"""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import cast

from tdafeat.errors import DataUnavailable, Unreachable

ASIDE = ".writing-"  # what the names of files begin with that are not whole yet
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}  # errors of a disk that holds no more


def at(where: str | Path) -> Path:
    """A path, or a URL as an object with the methods of one.

    Raises
    ------
    DataUnavailable if nothing installed reads such URLs, or the URL says too little; TypeError for
    what is neither.

    Examples
    --------
    >>> at("data/store").name
    'store'
    >>> place = at("memory://bucket/notes.txt")
    >>> replace(place, b"kept")
    >>> place.read_bytes()
    b'kept'
    """
    if not isinstance(where, str) and not hasattr(where, "read_bytes"):
        raise TypeError(f"a file must be given by its path or URL; got {where!r}")
    if not isinstance(where, str) or "://" not in where:
        return Path(where) if isinstance(where, str) else where
    from upath import UPath

    try:
        place = UPath(where)
        if place.protocol in ("file", "local"):
            return Path(place.path)
        place.fs  # noqa: B018  made when first used; what it lacks is told here
        return cast(Path, place)
    except (ImportError, ValueError, TypeError) as error:
        raise DataUnavailable(f"{where} cannot be used: {error}") from None


def is_local(place: Path) -> bool:
    """Whether a place is a path of this machine's file systems, and not a URL."""
    return isinstance(place, Path) and not hasattr(place, "fs")


@contextlib.contextmanager
def asking(place: Path) -> Iterator[None]:
    """Whatever a URL's own library raises inside, as an OSError in one sentence.

    Clients of object stores raise types of their own, which nothing else would expect.
    """
    try:
        yield
    except OSError:
        raise
    except Exception as error:
        if is_local(place):
            raise
        reason = str(error).strip().split("\n")[0] or type(error).__name__
        raise Unreachable(f"{place} cannot be read or written to: {reason}") from error


def contents(place: Path) -> bytes:
    """The bytes of a file.

    Raises
    ------
    FileNotFoundError where there is none; OSError, Unreachable where it cannot be read.
    """
    with asking(place):
        return place.read_bytes()


def make_folder(place: Path) -> None:
    """Make a folder and those it lies in, where they are not there yet.

    Object stores have none, and would make a bucket of whatever name was misspelt.
    """
    if not _is_object(place):
        with asking(place):
            place.mkdir(parents=True, exist_ok=True)


def _is_object(place: Path) -> bool:
    """Whether a place is one of an object store."""
    if is_local(place):
        return False
    from upath.implementations.cloud import CloudPath

    return isinstance(place, CloudPath)


def remove(place: Path) -> None:
    """Delete a file, if there is one."""
    with asking(place):
        place.unlink(missing_ok=True)


@contextlib.contextmanager
def hold(lock: Path, wait: bool) -> Iterator[bool | None]:
    """Hold a lock, a file made for nothing else, which goes with the process however that ends.

    Yields
    ------
    True while it is held; False where another process holds it; None where there are no locks:
    behind a URL, where nothing can be written, on file systems that know none.

    Parameters
    ----------
    wait : until whoever holds it lets go.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as folder, hold(Path(folder) / "lock", False) as held:
    ...     held
    True
    """
    from filelock import FileLock, Timeout

    if not is_local(lock):
        yield None
        return
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        held = FileLock(lock).acquire(timeout=-1 if wait else 0, poll_interval=0.05)
    except Timeout:
        yield False
        return
    except (OSError, NotImplementedError):
        yield None
        return
    with held:
        yield True


@contextlib.contextmanager
def local_copy(place: Path) -> Iterator[Path]:
    """A file for what reads paths alone: the file itself, or a copy of the URL's, removed after."""
    if is_local(place):
        yield place
        return
    with tempfile.TemporaryDirectory(prefix="tdafeat-") as folder:
        copy = Path(folder) / place.name
        copy.write_bytes(contents(place))
        yield copy


def replace(path: Path, content: bytes | memoryview) -> None:
    """Write a file; an error leaves the old one, and nothing else, behind."""
    replace_all({path: content})


def replace_all(files: Mapping[Path, bytes | memoryview]) -> None:
    """Write files aside, all of them, before any is renamed into place; a URL is put at once.

    Contents and names are on the disk, not in its cache alone, when it returns.

    Raises
    ------
    OSError where the disk is full or the folder cannot be written to; Unreachable for a URL.
    """
    written: dict[Path, str] = {}
    try:
        for path, content in files.items():
            if is_local(path):
                written[path] = _aside(path, content)
        for path, aside in written.items():
            os.replace(aside, path)
    except BaseException:
        for aside in written.values():
            Path(aside).unlink(missing_ok=True)
        raise
    for folder in {path.parent for path in written}:
        sync_folder(folder)
    for path, content in files.items():
        if path not in written:
            try:
                _put(path, content)
            except FileNotFoundError as error:
                if _is_object(path):  # there is no such bucket
                    raise Unreachable(f"{path} cannot be written to: {error}") from error
                # the first in a folder, on what makes none by itself
                make_folder(path.parent)
                _put(path, content)


def _put(url: Path, content: bytes | memoryview) -> None:
    with asking(url):
        url.fs.pipe_file(url.path, bytes(content))  # type: ignore[attr-defined]


def _aside(path: Path, content: bytes | memoryview) -> str:
    try:
        handle, aside = tempfile.mkstemp(prefix=ASIDE, dir=path.parent)
    except FileNotFoundError:  # which would name the file aside
        raise FileNotFoundError(errno.ENOENT, "no such folder", str(path.parent)) from None
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(aside, 0o644)
    except BaseException:
        Path(aside).unlink(missing_ok=True)
        raise
    return aside


def sync_folder(folder: Path) -> None:
    """Put the names in a folder on the disk, on file systems that know of such."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:  # Windows opens no folders
        return
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some network and FUSE file systems
            raise
    finally:
        os.close(handle)
