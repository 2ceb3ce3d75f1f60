"""The same function of many things, in processes or in threads of which the caller is one."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from threading import Lock
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
        return list(in_turn(function, items, n_workers(n_jobs)))
    from joblib import Parallel, delayed

    return Parallel(n_jobs=n_jobs)(delayed(function)(item) for item in items)


def in_turn(
    function: Callable[[T], R], items: Iterable[T], n_threads: int
) -> Generator[R, None, None]:
    """`function` of every item, in their order, each as soon as it and those before it are there.

    The caller works beside the other threads while there is nothing to give, and these stay for
    later calls. So nobody waits for a thread that has yet to start, or to wake, which can take as
    long as all the work of a small cloud. No item is begun once the iterator has been closed.

    Examples
    --------
    >>> list(in_turn(abs, [-1, 2, -3], n_threads=2))
    [1, 2, 3]
    """
    if n_threads == 1:
        yield from map(function, items)
        return
    todo, begun, lock = deque(items), deque[Future[R]](), Lock()

    def do_one() -> bool:
        with lock:  # so that both queues are in the same order
            if not todo:
                return False
            item, future = todo.popleft(), Future[R]()
            begun.append(future)
        try:
            future.set_result(function(item))
        except BaseException as error:
            future.set_exception(error)
            raise
        return True

    def do_all() -> None:
        while do_one():
            pass

    try:
        for _ in range(n_threads - 1):
            _helpers(os.getpid(), n_threads - 1).submit(do_all)
        while True:
            if not (begun and begun[0].done()) and do_one():
                continue
            if not begun:
                return
            yield begun.popleft().result()
    finally:
        todo.clear()


@cache
def _helpers(process: int, n_threads: int) -> ThreadPoolExecutor:
    """Threads of this process: a fork has none of those of its parent."""
    return ThreadPoolExecutor(n_threads)
