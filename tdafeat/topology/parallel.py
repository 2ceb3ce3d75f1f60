"""The same function of many things, in one process or several."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import TypeVar

from tdafeat.checks import as_count

T = TypeVar("T")
R = TypeVar("R")


def of_each(
    function: Callable[[T], R], items: Iterable[T], n_jobs: int | None, threads: bool = False
) -> list[R]:
    """`function` of every item, in their order; the same for any `n_jobs`, as `workers` takes it.

    Whatever is random is drawn before, by the caller, and lies in the items. Threads serve where
    compiled code does the work, and processes elsewhere.

    Examples
    --------
    >>> of_each(abs, [-1, 2], n_jobs=None)
    [1, 2]
    """
    if workers(n_jobs) == 1:
        return [function(item) for item in items]
    from joblib import Parallel, delayed

    return Parallel(n_jobs=n_jobs, prefer="threads" if threads else "processes")(
        delayed(function)(item) for item in items
    )


def workers(n_jobs: int | None) -> int:
    """How many work at once: one for None, one for each core for -1; others must be at least 1.

    Examples
    --------
    >>> workers(None), workers(3)
    (1, 3)
    """
    if n_jobs == -1:
        return os.cpu_count() or 1
    return 1 if n_jobs is None else as_count(n_jobs, "n_jobs")
