"""Watching a run: `Watch` keeps a small file in the run's folder, `status` reads it.

The file is for another shell: ``tdafeat status RUN``. Whether the run is still going is told by a
lock that its process holds, so a killed one is seen to be so, whatever the clocks say. A run
written to a URL has no lock, nor has a file system that knows none; there the file alone tells.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType

from tdafeat.errors import UnreadableData
from tdafeat.files import at, contents, hold, is_local, make_folder, replace
from tdafeat.log import Log
from tdafeat.progress import Progress, duration

FILE = "progress.json"
LOCK = ".running"
KEEP_EVERY = 1.0  # seconds between writes of the file
MOST = 2**63  # no count or time comes near


@dataclass(frozen=True)
class Status:
    """How far a run is.

    Attributes
    ----------
    state : ``running``, ``finished``, ``interrupted`` (by Ctrl-C), ``failed`` (by an error) or
        ``killed`` (its process is gone without a word).
    title, stage : what is counted (``features``: images; ``cells``; nothing before that), and the
        stage they are of.
    done, found, failed, total : how many; `found` are those of `done` that were in the store.
    pace : per second; 0 where nothing was made yet.
    to_go : seconds at that pace; None where none is known.
    updated : when this was written, ISO 8601.
    """

    name: str
    state: str
    title: str
    stage: str
    done: int
    found: int
    failed: int
    total: int
    pace: float
    to_go: float | None
    updated: str

    def lines(self) -> list[str]:
        """In words."""
        left = self.total - self.done
        lines = [
            f"{self.name}: {self.state}" + (f", {self.stage}" if self.stage else ""),
            f"{self.title}: {self.done - self.failed} done ({self.found} of them found in the "
            f"store), {self.failed} failed, {left} left of {self.total}"
            if self.title
            else "nothing was counted yet",
        ]
        if self.state == "running" and self.pace > 0:
            to_go = f", about {duration(self.to_go)} to go" if self.to_go is not None else ""
            lines.append(f"pace: {self.pace:.3g} per second{to_go}")
        if self.title == "features":
            lines.append("images are being encoded; cells are counted after that")
        return [*lines, f"as of {self.updated}"]


class Watch:
    """What is seen of a run while it goes; use as a context manager.

    Parameters
    ----------
    folder : of the run, made if need be; None for a run that nobody watches.
    log : what it tells.
    name : of the study.

    Raises
    ------
    ValueError if another run is writing to the folder.
    """

    def __init__(self, folder: Path | None = None, log: Log | None = None, name: str = "") -> None:
        self.log = log or Log("quiet")
        self._folder, self._name = folder, name
        self._kept = float("-inf")
        self._counted = Progress("", 0, Log("quiet"))
        self._held = contextlib.ExitStack()

    def count(self, title: str, total: int) -> Progress:
        """Begin to count; the file follows it."""
        self._counted = Progress(title, total, self.log, self._follow)
        self._kept = float("-inf")  # its first step is told at once
        return self._counted

    def _follow(self, progress: Progress) -> None:
        now = time.monotonic()
        if progress is self._counted and now - self._kept >= KEEP_EVERY:
            self._kept = now
            self._keep("running")

    def _keep(self, state: str) -> None:
        counted = self._counted
        if self._folder is None:
            return
        now = datetime.datetime.now().astimezone().isoformat(timespec="seconds")
        status = Status(
            name=self._name,
            state=state,
            title=counted.title,
            stage=counted.stage,
            done=counted.done,
            found=counted.found,
            failed=counted.failed,
            total=counted.total,
            pace=counted.pace,
            to_go=counted.to_go,
            updated=now,
        )
        replace(self._folder / FILE, json.dumps(asdict(status), indent=1).encode())

    def __enter__(self) -> Watch:
        with contextlib.ExitStack() as held:
            if self._folder is not None:
                make_folder(self._folder)
                held.enter_context(_alone(self._folder))
            self._keep("running")
            held.enter_context(self.log.warnings())
            self._held = held.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._held:
            state = "finished" if kind is None else "failed"
            state = "interrupted" if kind is KeyboardInterrupt else state
            try:
                self._keep(state)
            except OSError:
                if kind is None:  # otherwise the first error is the one to tell
                    raise


def status(folder: str | Path) -> Status:
    """How far the run of this folder (or URL) is.

    Raises
    ------
    UnreadableData if no run has left its progress there.
    """
    folder = at(folder)
    path = folder / FILE
    try:
        found = Status(**json.loads(contents(path)))
        _check(found)
    except FileNotFoundError:
        raise UnreadableData(f"{folder} holds no {FILE}: no run was started there") from None
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise UnreadableData(f"{path} cannot be read: {error}") from None
    if found.state == "running" and is_local(folder) and not _is_held(folder):
        found = dataclasses.replace(found, state="killed")
    return found


def _check(found: Status) -> None:
    """Refuse entries that no run writes."""
    texts = (found.name, found.state, found.title, found.stage, found.updated)
    numbers = (found.done, found.found, found.failed, found.total, found.pace, found.to_go or 0.0)
    if not all(isinstance(text, str) for text in texts):
        raise ValueError("an entry is no text")
    if not all(isinstance(n, int | float) and abs(n) < MOST for n in numbers):
        raise ValueError("an entry is no number")


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    with hold(folder / LOCK, wait=False) as mine:
        if mine is False:
            raise ValueError(
                f"another run is writing to {folder}; wait for it, or name another folder "
                "(out, --out)"
            )
        yield


def _is_held(folder: Path) -> bool:
    """Whether a run holds the folder, or may: without locks the file alone tells."""
    with hold(folder / LOCK, wait=False) as mine:
        return mine is not True
