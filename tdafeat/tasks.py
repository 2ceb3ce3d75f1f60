"""Runs one stage of a study: what is not stored yet, in parallel, each result kept at once."""

from __future__ import annotations

import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tdafeat.progress import Progress
from tdafeat.store import Store

Result = tuple[Mapping[str, Any], Mapping[str, Any]]  # tables, arrays


@dataclass(frozen=True)
class Task:
    """One artefact to make.

    Attributes
    ----------
    stage, spec : the address of the artefact in the store.
    label : what it is about, for messages (a cell's coordinates).
    function : ``function(store, **arguments)`` returns tables and arrays; importable by name,
        because it may run in another process.
    """

    stage: str
    spec: Mapping[str, Any]
    label: Mapping[str, Any]
    function: Callable[..., Result]
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Hole:
    """A task that failed: the run goes on without it and the report shows it."""

    stage: str
    label: Mapping[str, Any]
    error: str
    trace: str


def run_tasks(
    title: str,
    tasks: Sequence[Task],
    store: Store,
    jobs: int = 1,
    force: bool = False,
    quiet: bool = False,
) -> list[Hole]:
    """Make the missing artefacts of `tasks`; failures are returned, not raised.

    Every task runs on one thread, so that results do not depend on `jobs`. A full disk or a
    read-only store raises OSError at once: nothing after it could be kept.
    """
    if force:
        for task in tasks:
            store.remove(task.stage, task.spec)
    pending = [task for task in tasks if not store.intact(task.stage, task.spec)]
    holes: list[Hole] = []
    with Progress(title, len(tasks), quiet) as progress, warnings.catch_warnings():
        # Workers that grew are replaced between tasks; joblib tells of it, and nothing is lost.
        warnings.filterwarnings("ignore", "A worker stopped while some jobs", UserWarning)
        progress.advance(len(tasks) - len(pending))
        for hole in _results(pending, store, min(jobs, max(1, len(pending)))):
            progress.advance()
            if hole is not None:
                holes.append(hole)
    return sorted(holes, key=lambda hole: (hole.stage, str(sorted(hole.label.items()))))


def _results(tasks: Sequence[Task], store: Store, jobs: int) -> Iterator[Hole | None]:
    if jobs == 1:
        yield from (_run(task, store) for task in tasks)
        return
    from joblib import Parallel, delayed

    parallel = Parallel(n_jobs=jobs, return_as="generator_unordered", inner_max_num_threads=1)
    yield from parallel(delayed(_run)(task, store) for task in tasks)


def _run(task: Task, store: Store) -> Hole | None:
    try:
        with _one_thread():
            tables, arrays = task.function(store, **task.arguments)
        store.write(task.stage, task.spec, tables, arrays)
    except OSError:
        raise
    except Exception as error:  # any failure of one cell is a hole, never the end of the run
        reason = str(error).split("\n")[0] or type(error).__name__
        return Hole(task.stage, task.label, reason, traceback.format_exc())
    return None


@contextmanager
def _one_thread() -> Iterator[None]:
    import torch
    from threadpoolctl import threadpool_limits

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            yield
    finally:
        torch.set_num_threads(before)
