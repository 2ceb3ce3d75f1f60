"""How many processes or threads share work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from operator import index
from threading import Lock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController

_guard = Lock()
_limits: list[Any] = []  # the one that is set, once for each who asked for it


def n_workers(n_jobs: int | None, name: str = "n_jobs") -> int:
    """How many work at once.

    Parameters
    ----------
    n_jobs : None for one, -1 for one on each core that this process may use; others at least 1.
    name : of the argument, for its error.

    Raises
    ------
    ValueError for another number; TypeError for what is no whole one.

    Examples
    --------
    >>> n_workers(None), n_workers(3)
    (1, 3)
    >>> n_workers(0)
    Traceback (most recent call last):
    ValueError: n_jobs must be at least 1, or -1 for all cores; got 0
    """
    if n_jobs is None:
        return 1
    try:
        count = index(n_jobs)
    except TypeError:
        raise TypeError(f"{name} must be a whole number; got {n_jobs!r}") from None
    if count < -1 or count == 0:
        raise ValueError(f"{name} must be at least 1, or -1 for all cores; got {count}")
    if count > 0:
        return count
    from joblib import cpu_count

    return int(cpu_count())


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Keep numpy's matrix products to one thread, while threads of ours share the work.

    Theirs within each of ours would hinder each other. The limit is of the whole process: the
    first who asks sets it, the last takes it back.
    """
    with _guard:
        _limits.append(_limits[-1] if _limits else _libraries().limit(limits=1, user_api="blas"))
    try:
        yield
    finally:
        with _guard:
            limit = _limits.pop()
            if not _limits:
                limit.restore_original_limits()


@cache
def _libraries() -> ThreadpoolController:
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
