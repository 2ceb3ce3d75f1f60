"""The same linear algebra of many small matrices, on all of torch's threads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

import torch

from tdafeat.jobs import one_blas_thread

T = TypeVar("T")
R = TypeVar("R")


def over_threads(function: Callable[[T], R], items: Sequence[T]) -> list[R]:
    """`function` of every item, in their order, as many at a time as torch has threads.

    Each is worked out on one thread: LAPACK gains nothing from several on matrices of a hundred
    rows, and the bits then do not depend on how many there are. What is shared by `sharing` is
    shared with them.

    Examples
    --------
    >>> over_threads(abs, [-1, 2])
    [1, 2]
    """
    n_threads = torch.get_num_threads()
    if n_threads == 1 or len(items) < 2:
        return [function(item) for item in items]
    contexts = [copy_context() for _ in items]
    try:
        with (
            one_blas_thread(),
            ThreadPoolExecutor(n_threads, initializer=torch.set_num_threads, initargs=(1,)) as pool,
        ):
            return list(pool.map(lambda context, x: context.run(function, x), contexts, items))
    finally:
        torch.set_num_threads(n_threads)  # a thread's own setting is also what new threads get
