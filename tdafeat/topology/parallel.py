"""The same function of many things, in one process or several."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from tdafeat.jobs import n_workers

T = TypeVar("T")
R = TypeVar("R")


def of_each(
    function: Callable[[T], R], items: Iterable[T], n_jobs: int | None, threads: bool = False
) -> list[R]:
    """`function` of every item, in their order; the same for any `n_jobs`, as `n_workers` takes it.

    Whatever is random is drawn before, by the caller, and lies in the items. Threads serve where
    compiled code does the work, and processes elsewhere.

    Examples
    --------
    >>> of_each(abs, [-1, 2], n_jobs=None)
    [1, 2]
    """
    if n_workers(n_jobs) == 1:
        return [function(item) for item in items]
    from joblib import Parallel, delayed

    return Parallel(n_jobs=n_jobs, prefer="threads" if threads else "processes")(
        delayed(function)(item) for item in items
    )
