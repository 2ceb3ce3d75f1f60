"""Who computes the cells: this process, processes of this machine, or a Dask cluster.

Every call runs on one thread: so the results are the same bits, whoever computes them, on machines
of one kind with the same versions.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, get_args

from tdafeat.files import is_local
from tdafeat.jobs import n_workers
from tdafeat.log import Log

if TYPE_CHECKING:
    from tdafeat.store import Store

GLANCE = 1.0  # seconds between two looks of a worker at whether its parent is there

Backend = Literal["joblib", "dask"]
Call = tuple[Any, ...]
Work = Callable[[Callable[..., Any], Sequence[Call]], Iterator[Any]]
"""Results of a function for every call's arguments, in the order in which they are ready.

A BrokenExecutor where a process that computed was killed; the next call finds others."""


@contextlib.contextmanager
def computing(
    jobs: int | None = None,
    backend: Backend = "joblib",
    scheduler: str | None = None,
    store: Store | None = None,
    log: Log | None = None,
) -> Iterator[Work]:
    """Those who compute.

    Parameters
    ----------
    jobs : processes; -1 for all cores; None for this process itself.
    backend : ``"joblib"`` or ``"dask"``.
    scheduler : address of the Dask scheduler, ``"tcp://host:8786"``.
    store : what all of them must see.
    log : where it is told that no worker of the cluster is left.

    Raises
    ------
    ValueError for arguments that do not fit; DataUnavailable if there is no such cluster, or its
    workers have other versions of what makes the numbers, or several threads, or another store.
    """
    n_workers(jobs, "jobs")  # refuses what is none
    if backend not in get_args(Backend):
        raise ValueError(f"backend must be among {', '.join(get_args(Backend))}; got {backend!r}")
    if (backend == "dask") != (scheduler is not None):
        raise ValueError("backend 'dask' and the address of its scheduler go together")
    if store is not None and (jobs is not None or scheduler is not None):
        check_shareable(store)
    if scheduler is not None:
        from tdafeat import cluster

        with cluster.connected(scheduler) as client:
            if store is not None:
                cluster.check_seen(store, client)
            yield partial(cluster.computed, client, log or Log("quiet"))
    elif jobs is None:
        yield lambda function, calls: (function(*call) for call in calls)
    else:
        yield lambda function, calls: _parallel(
            [(os.getpid(), function, *call) for call in calls], **_processes(jobs, len(calls))
        )


def check_shareable(store: Store) -> None:
    """Refuse a store that no other process than this one sees."""
    if not is_local(store.root) and store.root.protocol == "memory":  # type: ignore[attr-defined]
        raise ValueError(
            f"{store.root} lies in the memory of this process, and others are to compute: "
            "take a folder or another URL"
        )


def _processes(jobs: int, n_calls: int) -> dict[str, Any]:
    """How joblib is asked for so many processes, none of them this one: it must hear Ctrl-C."""
    jobs = max(1, min(n_workers(jobs), n_calls))
    # Of one job joblib makes none of its own process; two, one of which is never given a call, do.
    return {
        "n_jobs": max(2, jobs),
        "pre_dispatch": jobs,
        "inner_max_num_threads": 1,
        "initializer": _end_with,
        "initargs": (os.getpid(),),
    }


def _end_with(parent: int) -> None:
    """Let a worker end by its parent alone: not by Ctrl-C, and idle soon after the parent is gone.

    A thread of its own looks: the kernel's signal (`_no_orphan`) comes when the thread ends that
    started the worker, which idle workers outlive. Windows does not tell that a parent is gone.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears it too, and kills its workers
    if sys.platform != "win32":
        threading.Thread(target=_watch_over, args=(parent,), daemon=True).start()


def _watch_over(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(GLANCE)
    os._exit(1)


def _no_orphan(parent: int, function: Callable[..., Any], *call: Any) -> Any:
    """Call a function in a worker that is killed, whatever it is doing, when its parent dies.

    Linux alone does that; elsewhere `_end_with` has to wait until compiled code lets it look.
    """
    if not sys.platform.startswith("linux"):
        return function(*call)
    _signal_at_parents_death(signal.SIGKILL)
    if os.getppid() != parent:  # it died before the kernel was asked
        os._exit(1)
    try:
        return function(*call)
    finally:
        _signal_at_parents_death(0)  # idle workers outlive the thread that started them


def _signal_at_parents_death(number: int) -> None:
    import ctypes

    ctypes.CDLL(None).prctl(1, number)  # PR_SET_PDEATHSIG


def _parallel(calls: Sequence[Call], **options: Any) -> Iterator[Any]:
    from joblib import Parallel, delayed

    if not calls:
        return
    with warnings.catch_warnings():
        # Workers that grew are replaced between tasks; joblib tells of it, and nothing is lost.
        warnings.filterwarnings("ignore", "A worker stopped while some jobs", UserWarning)
        parallel = Parallel(return_as="generator_unordered", batch_size=1, **options)
        yield from parallel(delayed(_no_orphan)(*call) for call in calls)
