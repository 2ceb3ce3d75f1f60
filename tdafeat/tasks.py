"""Runs one stage of a study: what is not stored yet, in parallel, each result kept at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tdafeat.backends import Call, Work
from tdafeat.holes import Fallen, Hole
from tdafeat.log import Log
from tdafeat.progress import Progress
from tdafeat.store import Store
from tdafeat.watch import Watch

Result = tuple[Mapping[str, Any], Mapping[str, Any]]  # tables, arrays

_AHEAD = -1  # number of the call that makes no artefact
KILLED = "the process that computed it was killed, which systems do where memory runs out"


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


def run_tasks(
    title: str,
    tasks: Sequence[Task],
    store: Store,
    work: Work,
    watch: Watch,
    progress: Progress,
    force: bool = False,
    ahead: Callable[[], None] | None = None,
) -> list[Hole]:
    """Make the missing artefacts of `tasks`; failures are told and returned, not raised.

    What fell away is not told here: `tdafeat.holes.fold` does, at the end.
    Every task runs on one thread, so that results do not depend on who computes them. A full disk
    (OSError) or a store that fails (StoreFailed) ends it: nothing after it could be kept.

    Parameters
    ----------
    ahead : what one worker does first, for later stages; left out where nothing is missing.
    """
    if force:
        for task in tasks:
            store.remove(task.stage, task.spec)
    pending = [task for task in tasks if not store.intact(task.stage, task.spec)]
    holes: list[Hole] = []
    progress.enter(title)
    progress.advance(len(tasks) - len(pending), found=True)
    for wait in (False, True):  # what another run is making comes last
        busy = []
        for outcome in _outcomes(pending, store, work, wait, watch.log, None if wait else ahead):
            if isinstance(outcome, Task):
                busy.append(outcome)
                continue
            progress.advance(failed=outcome is not None)
            if outcome is not None:
                if not isinstance(outcome, Fallen):
                    outcome.tell(watch.log)
                holes.append(outcome)
        pending = busy
    return sorted(holes, key=lambda hole: (hole.stage, str(sorted(hole.label.items()))))


def _outcomes(
    tasks: Sequence[Task],
    store: Store,
    work: Work,
    wait: bool,
    log: Log,
    ahead: Callable[[], None] | None = None,
) -> Iterator[Hole | Task | None]:
    """What `_run` returns of each task, in whatever order.

    Where a process is killed, all that were computing are lost, and nobody tells which task it
    was: the first one left is made alone, which is the hole if it happens again, and the others
    go on together.
    """
    left = dict(enumerate(tasks))
    while left:
        calls: list[Call] = [(n, _run, task, store, wait, log) for n, task in left.items()]
        if ahead is not None:
            calls.insert(0, (_AHEAD, ahead))
            ahead = None
        try:
            for number, outcome in work(_numbered, calls):
                if number != _AHEAD:
                    del left[number]
                    yield outcome
        except BrokenExecutor:
            if not left:  # it was killed after all was done
                return
            number = min(left)
            task = left.pop(number)
            try:
                call = (number, _run, task, store, wait, log)
                yield from (outcome for _, outcome in work(_numbered, [call]))
            except BrokenExecutor:
                yield Hole(task.stage, task.label, KILLED, "")


def _numbered(number: int, function: Callable[..., Any], *arguments: Any) -> tuple[int, Any]:
    return number, function(*arguments)


def _run(task: Task, store: Store, wait: bool, log: Log) -> Hole | Task | None:
    """Make one artefact: nothing to tell, a hole, or the task again if another run makes it."""
    try:
        with log.warnings(), store.claim(task.stage, task.spec, wait) as mine:
            if not mine:
                return task
            if not store.intact(task.stage, task.spec):
                make(task, store)
    except Exception as error:  # any failure of one cell is a hole, never the end of the run
        return Hole.of(task.stage, task.label, error)
    return None


def make(task: Task, store: Store) -> None:
    """Compute an artefact on one thread, since cells share the cores, and store it."""
    with _one_thread():
        tables, arrays = task.function(store, **task.arguments)
    store.write(task.stage, task.spec, tables, arrays)


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
