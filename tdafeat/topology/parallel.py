"""The same function of many things, in processes or in threads of which the caller is one."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
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
    if threads or n_workers(n_jobs) == 1:
        return in_threads(function, items, n_workers(n_jobs))
    from joblib import Parallel, delayed

    return Parallel(n_jobs=n_jobs)(delayed(function)(item) for item in items)


def in_threads(function: Callable[[T], R], items: Iterable[T], n_threads: int) -> list[R]:
    """`function` of every item, in their order; each is begun as soon as a thread is free.

    The caller works beside the others, which stay for later calls: nobody waits for a thread that
    has yet to start, or to wake, which can take as long as all the work of a small cloud. No item
    is begun after one that failed.

    Examples
    --------
    >>> in_threads(abs, [-1, 2, -3], n_threads=2)
    [1, 2, 3]
    """
    if n_threads == 1:
        return [function(item) for item in items]
    todo, done = deque(enumerate(items)), dict[int, R]()

    def work() -> None:
        while True:
            try:
                k, item = todo.popleft()
            except IndexError:
                return
            try:
                done[k] = function(item)
            except BaseException:
                todo.clear()
                raise

    helpers = [_pool(os.getpid(), n_threads - 1).submit(work) for _ in range(n_threads - 1)]
    work()
    for helper in helpers:
        if not helper.cancel():  # it has begun
            helper.result()
    return [done[k] for k in range(len(done))]


@cache
def _pool(process: int, n_threads: int) -> ThreadPoolExecutor:
    """Threads of this process: a fork has none of those of its parent."""
    return ThreadPoolExecutor(n_threads)
