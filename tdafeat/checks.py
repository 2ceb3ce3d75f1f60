"""Checks at the door: every public function of the maths rooms looks at its input once, here."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from operator import index
from typing import Any

import numpy as np

from tdafeat.sharing import shared

# Of a cloud's largest entry: every float32 lies between, and fourth powers stay within float64.
SMALLEST, LARGEST = 1e-50, 1e50


def _as_numpy(values: Any) -> Any:
    """A torch tensor as a numpy array, bfloat16 as float32; anything else as it is."""
    if not hasattr(values, "detach"):  # torch is not imported for it
        return values
    values = values.detach().cpu()
    try:
        return values.numpy()
    except TypeError:  # of a type that numpy lacks
        return values.float().numpy()


def as_entries(values: Any, name: str) -> np.ndarray:
    """Array-like or torch tensor to a numpy array of any type, or a clear error."""
    if values is None:
        raise TypeError(f"{name} must be given; got None")
    _check_dense(values, name)
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        raise ValueError(f"{name} must have no masked entries")
    try:
        return np.asarray(_as_numpy(values))
    except (TypeError, ValueError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"{name} must be a rectangular array; {error}") from None


def _check_dense(values: Any, name: str) -> None:
    kind = type(values)  # of scipy's and torch's; of a data frame, attributes are columns
    if hasattr(kind, "nnz") or "sparse" in str(getattr(values, "layout", "")):
        raise TypeError(f"{name} must be a dense array; got a sparse {kind.__name__}")


def as_numbers(values: Any, name: str) -> np.ndarray:
    """The same of real numbers."""
    array = as_entries(values, name)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} must hold real numbers; got dtype {array.dtype}")
    return array


def as_array(values: Any, name: str, ndim: int) -> np.ndarray:
    """The same with `ndim` axes."""
    array = as_numbers(values, name)
    if array.ndim != ndim:
        raise ValueError(f"{name} must have {ndim} axes; got shape {array.shape}")
    return array


def as_cloud(values: Any, name: str = "features", min_samples: int = 1) -> np.ndarray:
    """Features as a finite float64 array of shape (n_samples, n_features).

    Torch takes it as it is: a read-only or reversed array is copied.

    Raises
    ------
    TypeError if the entries are not real numbers; ValueError if the shape is not
    (n_samples, n_features), there are fewer than `min_samples` rows, no columns, any entry is NaN
    or infinite, or the largest in size is neither 0 nor between 1e-50 and 1e50: powers of others
    leave float64's range, which would make wrong values of them without a word.

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
    with np.errstate(over="ignore"):  # of longer floats, to infinity, which is refused
        array = as_array(values, name, 2).astype(np.float64, copy=False)
    if min(array.strides) < 0 or not array.flags.writeable:
        array = array.copy()
    if array.shape[1] == 0:
        raise ValueError(f"{name} must have at least one column; got shape {array.shape}")
    largest = max(array.max(), -array.min()) if array.size else 0.0
    if largest == 0 or SMALLEST <= largest <= LARGEST:
        return array
    finite = np.isfinite(array)
    if not finite.all():
        row = int(np.flatnonzero(~finite.all(axis=1))[0])
        count = int(np.size(finite) - np.count_nonzero(finite))
        raise ValueError(
            f"{name} must be finite; {count} of {array.size} entries are NaN or infinite, "
            f"the first in row {row}"
        )
    raise ValueError(
        f"{name} must have a largest entry (in size) between {SMALLEST:g} and {LARGEST:g}; "
        f"got {largest:.3g}: rescale it"
    )


def as_rows(values: Any, name: str = "features") -> Any:
    """What can be read some rows at a time, (n, D), n >= 1; its entries are not looked at.

    Arrays, memory maps and torch tensors as they are, lists and frames as a numpy array.

    Examples
    --------
    >>> as_rows([[1, 2], [3, 4]])[[1]]
    array([[3, 4]])
    """
    _check_dense(values, name)
    if not (hasattr(values, "shape") and hasattr(values, "dtype")):
        values = as_array(values, name, 2)
    shape = tuple(values.shape)
    if len(shape) != 2 or not shape[0]:
        raise ValueError(f"{name} must have 2 axes and at least one row; got shape {shape}")
    return values


def as_count(value: Any, name: str, least: int = 1) -> int:
    """A whole number of at least `least`, or a clear error.

    Examples
    --------
    >>> as_count(np.int64(3), "k")
    3
    >>> as_count(0, "k")
    Traceback (most recent call last):
    ValueError: k must be at least 1; got 0
    """
    try:
        count = index(value)
    except TypeError:
        raise TypeError(f"{name} must be a whole number; got {value!r}") from None
    if count < least:
        raise ValueError(f"{name} must be at least {least}; got {count}")
    return count


def as_number(value: Any, name: str) -> float:
    """A real number, or a clear error; what it may be is left to the caller.

    Examples
    --------
    >>> as_number(np.float32(0.5), "sigma")
    0.5
    >>> as_number("0.5", "sigma")
    Traceback (most recent call last):
    TypeError: sigma must be a number; got '0.5'
    """
    try:
        return float(value + 0)
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be a number; got {value!r}") from None


def as_generator(random_state: Any) -> np.random.Generator:
    """The random numbers of a seed, a whole number of at least 0, or a clear error.

    Examples
    --------
    >>> as_generator(-1)
    Traceback (most recent call last):
    ValueError: random_state must be at least 0; got -1
    """
    return np.random.default_rng(as_count(random_state, "random_state", least=0))


def as_labels(values: Any, n_samples: int, name: str = "labels") -> np.ndarray:
    """Class labels as an int64 array of shape (n_samples,), or a clear error."""
    array = as_array(values, name, 1)
    if array.dtype.kind == "f" and not _whole(array):
        raise TypeError(f"{name} must be whole numbers; got dtype {array.dtype} with others")
    if len(array) != n_samples:
        raise ValueError(
            f"{name} must have one entry per row: {n_samples} rows, {len(array)} labels"
        )
    return array.astype(np.int64, copy=False)


def as_names(values: Any, name: str) -> np.ndarray:
    """Names as (n,) strings, or whole numbers as (n,) int64, or a clear error."""
    array = as_entries(values, name)
    if array.ndim != 1:
        raise ValueError(f"{name} must have 1 axis; got shape {array.shape}")
    if array.dtype.kind == "O" and all(isinstance(entry, str) for entry in array):
        array = array.astype(str)
    if array.dtype.kind not in "biufU" or (array.dtype.kind == "f" and not _whole(array)):
        raise TypeError(f"{name} must be names or whole numbers; got dtype {array.dtype}")
    return array if array.dtype.kind == "U" else array.astype(np.int64)


def _whole(values: np.ndarray) -> bool:
    """Whether floats are whole numbers, all of which fit into int64."""
    values = values.astype(np.float64)
    return bool((np.abs(values) < 2.0**63).all() and (values % 1 == 0).all())


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


def check_distinct(values: Iterable[Hashable], name: str) -> None:
    """Refuse a value that is given twice.

    Examples
    --------
    >>> check_distinct((0, 1, 0), "seeds")
    Traceback (most recent call last):
    ValueError: seeds must differ from each other; 0 is given twice
    """
    seen: set[Hashable] = set()
    for value in values:
        if value in seen:
            raise ValueError(f"{name} must differ from each other; {value!r} is given twice")
        seen.add(value)


def check_positive(value: Any, name: str) -> None:
    """Refuse what is no positive, finite number.

    Examples
    --------
    >>> check_positive(0, "sigma")
    Traceback (most recent call last):
    ValueError: sigma must be positive and finite; got 0
    """
    if not 0 < as_number(value, name) < np.inf:
        raise ValueError(f"{name} must be positive and finite; got {value}")


def check_flag(value: Any, name: str) -> None:
    """Refuse what is neither True nor False: any text would count as True.

    Examples
    --------
    >>> check_flag("no", "paired")
    Traceback (most recent call last):
    TypeError: paired must be True or False; got 'no'
    """
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{name} must be True or False; got {value!r}")


def check_share(value: Any, name: str) -> None:
    """Refuse what is no number strictly between 0 and 1, as a level of a test must be.

    Examples
    --------
    >>> check_share(5, "alpha")
    Traceback (most recent call last):
    ValueError: alpha must lie between 0 and 1; got 5
    """
    if not 0 < as_number(value, name) < 1:
        raise ValueError(f"{name} must lie between 0 and 1; got {value}")
