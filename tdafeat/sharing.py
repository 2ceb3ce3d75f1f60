"""Work that several metrics of the same features need, such as their neighbours, done once."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from threading import Lock
from typing import Any, ParamSpec, TypeVar

import numpy as np

P = ParamSpec("P")
T = TypeVar("T")

# by function and arguments, what becomes of it, and the arguments
Found = ChainMap[Any, tuple[Future[Any], tuple[Any, ...]]]

_asking = Lock()
_found: ContextVar[Found | None] = ContextVar("found", default=None)


@contextmanager
def sharing() -> Iterator[None]:
    """Within this block, what metrics have in common is computed once for each array.

    Arrays are told apart by identity, so none may be changed within the block. Results are kept
    until it ends; a block within another finds what that one has, and threads wait for what
    another is at.

    Examples
    --------
    >>> import numpy as np
    >>> from tdafeat.geometry import hubness, levina_bickel, two_nn
    >>> cloud = np.random.default_rng(0).normal(size=(100, 5))
    >>> with sharing():  # one search for neighbours instead of three
    ...     values = hubness(cloud), two_nn(cloud), levina_bickel(cloud)
    """
    around = _found.get()
    token = _found.set(ChainMap() if around is None else around.new_child())
    try:
        yield
    finally:
        _found.reset(token)


def is_sharing() -> bool:
    """Whether results are being kept for others."""
    return _found.get() is not None


def shared(function: Callable[P, T]) -> Callable[P, T]:
    """Let the results of a pure function be kept, for the same arguments, while `sharing`."""

    @wraps(function)
    def once(*args: P.args, **kwargs: P.kwargs) -> T:
        found = _found.get()
        if found is None:
            return function(*args, **kwargs)
        values = (*args, *kwargs.values())
        key = (function, *kwargs, *map(_name, values))
        with _asking:
            known = found.get(key)
            if known is None:
                result: Future[T] = Future()
                # with the arguments, so that no later array can be given their identity
                found[key] = result, values
        if known is not None:
            return known[0].result()
        try:
            result.set_result(function(*args, **kwargs))
        except BaseException as error:
            del found[key]
            result.set_exception(error)
            raise
        return result.result()

    return once


def _name(value: Any) -> Any:
    plain = value is None or isinstance(value, (bool, int, float, str))
    return (type(value), value) if plain else id(value)


@shared
def rows_of(values: np.ndarray, labels: np.ndarray, label: int) -> np.ndarray:
    """The rows of one class: the same array for all who ask.

    Examples
    --------
    >>> rows_of(np.array([1.0, 2.0, 3.0]), np.array([0, 1, 0]), 0)
    array([1., 3.])
    """
    return values[labels == label]
