"""An artefact as one file: a ZIP archive that ends in the SHA-256 of all before.

Being one file it is there whole or not at all, by one rename or one put, and one hash verifies
all of it before anything in it is parsed. The archive holds ``meta.json`` (the specification it
answers), tables as parquet and arrays as ``.npy``, none compressed; the checksum is the archive's
comment, so that any ZIP tool opens it. Nothing is ever unpickled or extracted to a path.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
import pandas as pd

from tdafeat.errors import UnreadableData

CHECKSUM = 64  # bytes of a SHA-256 in hexadecimal
META = "meta.json"
EPOCH = (1980, 1, 1, 0, 0, 0)  # the same artefact is the same bytes, whenever it is written


@dataclass(frozen=True)
class Artefact:
    """What a stage left: tables and arrays by name, and what it says of itself."""

    tables: Mapping[str, pd.DataFrame]
    arrays: Mapping[str, np.ndarray]
    meta: Mapping[str, Any]


def pack(
    meta: Mapping[str, Any],
    tables: Mapping[str, pd.DataFrame],
    arrays: Mapping[str, np.ndarray],
) -> memoryview:
    """The bytes of an artefact.

    Raises
    ------
    ValueError for an array of objects, which only pickle could hold, or a meta that JSON cannot.

    Examples
    --------
    >>> content = pack({"stage": "probe"}, {}, {"x": np.eye(2)})
    >>> unpack(content).arrays["x"].tolist(), meta(content)
    ([[1.0, 0.0], [0.0, 1.0]], {'stage': 'probe'})
    """
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.comment = bytes(CHECKSUM)
        with _member(archive, META) as file:
            file.write(json.dumps(dict(meta), indent=1, allow_nan=False).encode())
        for name, table in tables.items():
            with _member(archive, f"{name}.parquet") as file:
                encoded = BytesIO()
                table.to_parquet(encoded, index=False)
                file.write(encoded.getbuffer())
        for name, array in arrays.items():
            with _member(archive, f"{name}.npy") as file:
                np.lib.format.write_array(file, np.asanyarray(array), allow_pickle=False)
    content = buffer.getbuffer()
    content[-CHECKSUM:] = _checksum(content)
    return content


def is_whole(content: bytes | memoryview) -> bool:
    """Whether every byte is as it was written.

    Examples
    --------
    >>> content = bytearray(pack({}, {}, {}))
    >>> content[5] ^= 1
    >>> is_whole(content), is_whole(b"")
    (False, False)
    """
    return len(content) > CHECKSUM and content[-CHECKSUM:] == _checksum(content)


def unpack(content: bytes | memoryview) -> Artefact:
    """The tables and arrays of an artefact.

    Raises
    ------
    UnreadableData for anything but what `pack` made.
    """
    with _opened(content) as archive:
        tables, arrays = {}, {}
        for name in archive.namelist():
            stem, _, kind = name.rpartition(".")
            if kind == "parquet":
                tables[stem] = pd.read_parquet(BytesIO(_read(archive, name)))
            elif kind == "npy":
                arrays[stem] = np.load(BytesIO(_read(archive, name)), allow_pickle=False)
        return Artefact(tables, arrays, _meta(archive))


def meta(content: bytes | memoryview) -> dict[str, Any]:
    """What an artefact says of itself.

    Raises
    ------
    UnreadableData for anything but what `pack` made.
    """
    with _opened(content) as archive:
        return _meta(archive)


def _meta(archive: zipfile.ZipFile) -> dict[str, Any]:
    return dict(json.loads(_read(archive, META)))


def _checksum(content: bytes | memoryview) -> bytes:
    return hashlib.sha256(memoryview(content)[:-CHECKSUM]).hexdigest().encode()


def _member(archive: zipfile.ZipFile, name: str) -> Any:
    return archive.open(zipfile.ZipInfo(name, EPOCH), "w", force_zip64=True)


def _read(archive: zipfile.ZipFile, name: str) -> bytes:
    if archive.getinfo(name).compress_type != zipfile.ZIP_STORED:
        raise ValueError(f"{name} is compressed")  # a small file could unfold to fill the memory
    return archive.read(name)


class _opened:
    """The archive inside, if its checksum holds; whatever fails within, the content is to blame."""

    def __init__(self, content: bytes | memoryview) -> None:
        self.content = content

    def __enter__(self) -> zipfile.ZipFile:
        if not is_whole(self.content):
            raise UnreadableData("the artefact is damaged: its checksum does not hold")
        try:
            self.archive = zipfile.ZipFile(BytesIO(self.content))
        except Exception as error:  # zipfile fails with a dozen kinds of exceptions
            raise UnreadableData(f"the artefact is no archive: {error}") from None
        return self.archive

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        self.archive.close()
        if isinstance(error, Exception):
            raise UnreadableData(f"the artefact is not one of tdafeat: {error}") from None
