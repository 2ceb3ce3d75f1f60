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
from concurrent.futures import BrokenExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args
from uuid import uuid4

from tdafeat.errors import DataUnavailable
from tdafeat.files import ASIDE, contents, is_local, make_folder, remove, replace
from tdafeat.log import Log

if TYPE_CHECKING:
    from distributed import Client

    from tdafeat.store import Store

PATIENCE = 10.0  # seconds until a scheduler that does not answer is none; between looks at workers
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
    check_jobs(jobs)
    if backend not in get_args(Backend):
        raise ValueError(f"backend must be among {', '.join(get_args(Backend))}; got {backend!r}")
    if (backend == "dask") != (scheduler is not None):
        raise ValueError("backend 'dask' and the address of its scheduler go together")
    if store is not None and (jobs is not None or scheduler is not None):
        check_shareable(store)
    if scheduler is not None:
        with _cluster(scheduler) as client:
            if store is not None:
                _check_seen(store, client)
            yield partial(_on_cluster, client, log or Log("quiet"))
    elif jobs is None:
        yield lambda function, calls: (function(*call) for call in calls)
    else:
        yield lambda function, calls: _parallel(
            [(os.getpid(), function, *call) for call in calls], **_processes(jobs, len(calls))
        )


def n_processes(jobs: int | None) -> int:
    """How many processes so many jobs are.

    Examples
    --------
    >>> n_processes(None), n_processes(3)
    (1, 3)
    """
    check_jobs(jobs)
    return os.cpu_count() or 1 if jobs == -1 else jobs or 1


def check_jobs(jobs: int | None) -> None:
    """Refuse a number of processes that is none."""
    if jobs is not None and (jobs == 0 or jobs < -1):
        raise ValueError(f"jobs must be at least 1, or -1 for all cores; got {jobs}")


def check_shareable(store: Store) -> None:
    """Refuse a store that no other process than this one sees."""
    if not is_local(store.root) and store.root.protocol == "memory":  # type: ignore[attr-defined]
        raise ValueError(
            f"{store.root} lies in the memory of this process, and others are to compute: "
            "take a folder or another URL"
        )


def _processes(jobs: int, n_calls: int) -> dict[str, Any]:
    """How joblib is asked for so many processes, none of them this one: it must hear Ctrl-C."""
    from joblib import effective_n_jobs

    jobs = max(1, min(effective_n_jobs(jobs), n_calls))
    # Of one job joblib makes none of its own process; two, one of which is never given a call, do.
    return {
        "n_jobs": max(2, jobs),
        "pre_dispatch": jobs,
        "inner_max_num_threads": 1,
        "initializer": _end_with,
        "initargs": (os.getpid(),),
    }


def _end_with(parent: int) -> None:
    """Let an idle worker end soon after its parent, also one that is never given a call.

    A thread of its own looks: the kernel's signal (`_no_orphan`) comes when the thread ends that
    started the worker, which idle workers outlive. Windows does not tell that a parent is gone.
    """
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


def _on_cluster(
    client: Client, log: Log, function: Callable[..., Any], calls: Sequence[Call]
) -> Iterator[Any]:
    """By a client of Dask's own: joblib's waits for ever for a call that its workers died of."""
    from distributed import CancelledError, KilledWorker, as_completed

    broken = None
    futures = [client.submit(function, *call, pure=False) for call in calls]
    over = threading.Event()
    threading.Thread(target=_look, args=(client, log, over), daemon=True).start()
    try:
        for future in as_completed(futures):
            try:
                result = future.result()
            except KilledWorker as error:  # several workers died of it; the others go on
                broken = error
                continue
            except CancelledError:
                raise DataUnavailable(
                    "the Dask scheduler is gone; what was finished is kept"
                ) from None
            yield result
    finally:
        over.set()
        client.cancel(futures)
    if broken is not None:
        raise BrokenExecutor(str(broken)) from broken


def _look(client: Client, log: Log, over: threading.Event) -> None:
    """Until it is over tell where no worker is left: calls wait for one, for ever if none comes."""
    told = False
    while not over.wait(PATIENCE):
        try:
            left = client.nthreads()
        except Exception:  # no scheduler: whoever waits for the calls is told of that
            return
        if not left and not told:
            log("waiting", "no worker of the Dask cluster is left; the run waits until one comes")
        told = not left


@contextlib.contextmanager
def _cluster(scheduler: str) -> Iterator[Client]:
    """A client of a cluster, after a look at its workers."""
    try:
        from distributed import Client
    except ImportError:
        raise DataUnavailable("backend 'dask' needs pip install 'tdafeat[cluster]'") from None

    from tdafeat.writing import versions

    try:
        client = Client(scheduler, timeout=PATIENCE)
    except (OSError, ValueError) as error:
        raise DataUnavailable(f"no Dask scheduler answers at {scheduler}: {error}") from None
    with client:
        threads = client.nthreads()
        if not threads:
            raise DataUnavailable(f"the Dask scheduler at {scheduler} has no workers")
        if max(threads.values()) > 1:
            raise DataUnavailable(
                "Dask workers must have one thread each (dask worker --nthreads 1 --nworkers N), "
                "so that results do not depend on what runs beside them"
            )
        own = versions()
        for worker, theirs in client.run(versions).items():
            for package in sorted(own.keys() | theirs.keys()):
                if own.get(package) != theirs.get(package):
                    raise DataUnavailable(
                        f"worker {worker} has {package} {theirs.get(package)} where this process "
                        f"has {own.get(package)}; install the same, for the same numbers"
                    )
        yield client


def _check_seen(store: Store, client: Client) -> None:
    """Let every worker read what is written into the store here."""
    token = uuid4().hex.encode()
    path = store.root / f"{ASIDE}{token.decode()}"
    try:
        make_folder(store.root)
        replace(path, token)
    except OSError:  # a read-only store may hold all that is asked for; if not, writing tells
        return
    try:
        for worker, seen in client.run(_sees, path, token, on_error="return").items():
            if seen is not True:
                reason = f" ({seen})" if isinstance(seen, Exception) else ""
                raise DataUnavailable(
                    f"worker {worker} does not see the store {store.root}{reason}; take a folder "
                    "that all machines share, or a URL"
                )
    finally:
        remove(path)


def _sees(path: Path, token: bytes) -> bool:
    try:
        return contents(path) == token
    except FileNotFoundError:
        return False
