"""Cells on a Dask cluster: its workers are looked at before, and watched while they compute."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from tdafeat.errors import DataUnavailable
from tdafeat.files import ASIDE, contents, make_folder, remove, replace
from tdafeat.log import Log

if TYPE_CHECKING:
    from distributed import Client

    from tdafeat.backends import Call
    from tdafeat.store import Store

PATIENCE = 10.0  # seconds until a scheduler that does not answer is none; between looks at workers


@contextlib.contextmanager
def connected(scheduler: str) -> Iterator[Client]:
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


def check_seen(store: Store, client: Client) -> None:
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


def computed(
    client: Client, log: Log, function: Callable[..., Any], calls: Sequence[Call]
) -> Iterator[Any]:
    """By a client of Dask's own: joblib's waits for ever for a call that its workers died of."""
    from distributed import CancelledError, KilledWorker, as_completed

    broken = None
    futures = [client.submit(function, *call, pure=False) for call in calls]
    over = threading.Event()
    threading.Thread(target=watch_workers, args=(client, log, over), daemon=True).start()
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


def watch_workers(client: Client, log: Log, over: threading.Event) -> None:
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
