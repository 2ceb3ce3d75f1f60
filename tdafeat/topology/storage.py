"""Diagrams in a file, without pickle: a `.npz` archive of arrays, the record as JSON."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from tdafeat.errors import DataUnavailable, UnreadableData
from tdafeat.files import at, contents, replace
from tdafeat.topology.diagrams import Diagrams


def save_diagrams(path: str | Path, diagrams: Diagrams) -> None:
    """Write diagrams and their record to a file, whole or not at all.

    Parameters
    ----------
    path : file to write or its URL, by custom ``.npz``; one that is there is replaced.
    diagrams : from `persistence` or an interchange function.

    Raises
    ------
    TypeError for what are no Diagrams, and for a record that JSON cannot hold; OSError where the
    folder cannot be written to.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "circle.npz"
    >>> save_diagrams(path, Diagrams([[[0, np.inf]], [[0.2, 1.7]]], {"engine": "by hand"}))
    >>> load_diagrams(path)
    Diagrams(H0: 1 bars, H1: 1 bars; by hand)
    """
    if not isinstance(diagrams, Diagrams):
        raise TypeError(
            "diagrams must be Diagrams, as `persistence` returns them or Diagrams(arrays) makes "
            f"them; got {type(diagrams).__name__}"
        )
    try:
        record = json.dumps(diagrams.record, default=_plain)
    except TypeError as error:
        raise TypeError(f"the record of diagrams must be JSON; {error}") from None
    arrays = {f"h{degree}": diagram for degree, diagram in enumerate(diagrams)}
    buffer = io.BytesIO()
    np.savez(buffer, record=np.array(record), **arrays)
    replace(at(path), buffer.getvalue())


def load_diagrams(path: str | Path) -> Diagrams:
    """Read what `save_diagrams` wrote: the same numbers and record, its arrays as lists.

    Parameters
    ----------
    path : the file, or its URL.

    Returns
    -------
    Diagrams, float64 to the bit, in the units they were saved in.

    Raises
    ------
    DataUnavailable if there is no such file; UnreadableData if it is damaged or another thing.
    Nothing in it is ever unpickled.

    Examples
    --------
    >>> save_diagrams("memory://examples/point.npz", Diagrams([[[0, np.inf]]], {}))
    >>> load_diagrams("memory://examples/point.npz")[0]
    array([[ 0., inf]])
    """
    try:
        content = contents(at(path))
    except IsADirectoryError:
        raise DataUnavailable(f"{path} is a folder, not a file of diagrams") from None
    except FileNotFoundError:
        raise DataUnavailable(f"{path}: there is no such file") from None
    try:
        _check_members(content)
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            arrays = dict(archive)
        if "record" not in arrays:
            raise ValueError("it has no record")
        record = json.loads(str(arrays.pop("record")))
        diagrams = [arrays.pop(f"h{degree}") for degree in range(len(arrays))]
        if not isinstance(record, dict):
            raise ValueError("its record is no dictionary")
        return Diagrams(diagrams, record)
    except Exception as error:  # a damaged or malicious file can raise whatever its readers raise
        raise UnreadableData(
            f"{path} holds no diagrams as tdafeat saves them: {error or type(error).__name__}"
        ) from None


def _check_members(content: bytes) -> None:
    """Refuse an archive that is larger unpacked than packed; `save_diagrams` compresses none."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = archive.infolist()
    if any(member.compress_type != zipfile.ZIP_STORED for member in members):
        raise ValueError("its arrays are compressed")
    if sum(member.file_size for member in members) > len(content):
        raise ValueError("its arrays are larger than the file")


def _plain(value: Any) -> Any:
    """A numpy number as Python's own, an array as lists of them."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} is not")
