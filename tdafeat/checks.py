"""Checks at the door: every public function of the maths rooms looks at its input once, here."""

from __future__ import annotations

from typing import Any

import numpy as np

from tdafeat.sharing import shared

LARGEST = 1e150


def as_array(values: Any, name: str, ndim: int) -> np.ndarray:
    """Array-like or torch tensor to a numpy array with `ndim` axes, or a clear error."""
    if hasattr(values, "detach"):  # a torch tensor, recognised without importing torch
        values = values.detach().cpu().numpy()
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise ValueError(f"{name} must be a rectangular array; {error}") from None
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} must hold real numbers; got dtype {array.dtype}")
    if array.ndim != ndim:
        raise ValueError(f"{name} must have {ndim} axes; got shape {array.shape}")
    return array


def as_cloud(values: Any, name: str = "features", min_samples: int = 1) -> np.ndarray:
    """Features as a finite float64 array of shape (n_samples, n_features).

    Raises
    ------
    TypeError if the entries are not real numbers; ValueError if the shape is not
    (n_samples, n_features), there are fewer than `min_samples` rows, no columns, or any entry
    is NaN, infinite or beyond 1e150.

    Examples
    --------
    >>> as_cloud([[0, 1], [1, 0]]).dtype
    dtype('float64')
    """
    array = _cloud(values, name)
    if len(array) < min_samples:
        raise ValueError(f"{name} must have at least {min_samples} rows; got shape {array.shape}")
    return array


@shared
def _cloud(values: Any, name: str) -> np.ndarray:
    array = as_array(values, name, 2).astype(np.float64, copy=False)
    if min(array.strides) < 0:  # a reversed view, which torch does not take
        array = array.copy()
    if array.shape[1] == 0:
        raise ValueError(f"{name} must have at least one column; got shape {array.shape}")
    if array.size == 0 or max(array.max(), -array.min()) <= LARGEST:
        return array
    finite = np.isfinite(array)
    if not finite.all():
        row = int(np.flatnonzero(~finite.all(axis=1))[0])
        count = int(np.size(finite) - np.count_nonzero(finite))
        raise ValueError(
            f"{name} must be finite; {count} of {array.size} entries are NaN or infinite, "
            f"the first in row {row}"
        )
    raise ValueError(f"{name} must not exceed {LARGEST:g} in size: its squares would overflow")


def as_labels(values: Any, n_samples: int, name: str = "labels") -> np.ndarray:
    """Class labels as an int64 array of shape (n_samples,), or a clear error."""
    array = as_array(values, name, 1)
    if array.dtype.kind == "f" and not np.equal(np.mod(array, 1), 0).all():
        raise TypeError(f"{name} must be whole numbers; got dtype {array.dtype} with fractions")
    if len(array) != n_samples:
        raise ValueError(
            f"{name} must have one entry per row: {n_samples} rows, {len(array)} labels"
        )
    return array.astype(np.int64, copy=False)


def as_pair(
    a: Any, b: Any, names: tuple[str, str] = ("features", "clean")
) -> tuple[np.ndarray, np.ndarray]:
    """Two clouds whose rows describe the same images, or a clear error."""
    first, second = as_cloud(a, names[0]), as_cloud(b, names[1])
    if first.shape != second.shape:
        raise ValueError(
            f"{names[0]} and {names[1]} must have the same shape; "
            f"got {first.shape} and {second.shape}"
        )
    return first, second


def as_images(a: Any, b: Any, min_samples: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Two feature spaces of the same images, whose columns may differ, or a clear error."""
    first, second = as_cloud(a, "a", min_samples), as_cloud(b, "b", min_samples)
    check_same_images(first, second)
    return first, second


def check_same_images(a: Any, b: Any) -> None:
    """Refuse feature spaces of unequally many rows, which need not be in memory."""
    if len(a) != len(b):
        raise ValueError(
            f"a and b must have rows of the same images; got {len(a)} and {len(b)} rows"
        )


def as_file_name(value: str, name: str) -> str:
    r"""A name that is safe as that of one file or folder: never a way to another place.

    Raises
    ------
    ValueError if it is empty, longer than 100 characters, starts with a dot, or holds a slash,
    a backslash, a colon or a character that does not print.

    Examples
    --------
    >>> as_file_name("koleo_collapse", "name")
    'koleo_collapse'
    >>> as_file_name("../elsewhere", "name")
    Traceback (most recent call last):
    ValueError: name must be usable as the name of a folder: up to 100 printable characters
    without / \ or :, the first no dot; got '../elsewhere'
    """
    fits = 0 < len(value) <= 100 and value.isprintable() and value[0] != "."
    if not fits or set(value) & set("/\\:"):
        raise ValueError(
            f"{name} must be usable as the name of a folder: up to 100 printable characters "
            f"without / \\ or :, the first no dot; got {value!r}"
        )
    return value
