"""Progress of long work: a bar on a terminal, a log line now and then otherwise."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType

from tdafeat.log import Log

LOG_EVERY = 10.0  # seconds between log lines


class Progress:
    """Counts steps of one piece of work; use as a context manager.

    Parameters
    ----------
    log : where it is told, on standard error in sentences if None.
    follow : called after every step.

    Attributes
    ----------
    stage : what the next steps are part of.
    done, found, failed : steps so far; those of them that had not to be made; those that failed.

    Examples
    --------
    >>> with Progress("features", total=2, log=Log("quiet")) as progress:
    ...     progress.advance()
    ...     progress.advance()
    >>> progress.done
    2
    """

    def __init__(
        self,
        title: str,
        total: int,
        log: Log | None = None,
        follow: Callable[[Progress], None] = lambda progress: None,
    ) -> None:
        self.title, self.total, self.stage = title, total, ""
        self.done = self.found = self.failed = 0
        self.started = self._logged = time.monotonic()
        self._log, self._follow = log or Log(), follow
        self._bar = None
        if self._log.has_bar:
            from tqdm import tqdm

            self._bar = tqdm(total=total, desc=f"{title:<12}", unit="", ncols=80, leave=True)

    def enter(self, stage: str) -> None:
        """Name what the next steps are part of."""
        self.stage = stage
        if self._bar is not None:
            self._bar.set_postfix_str(stage)
        self._follow(self)

    def advance(self, steps: int = 1, *, found: bool = False, failed: bool = False) -> None:
        """Count `steps` more as done."""
        self.done += steps
        self.found += steps * found
        self.failed += steps * failed
        if self._bar is not None:
            self._bar.update(steps)
        elif time.monotonic() - self._logged > LOG_EVERY:
            self._logged = time.monotonic()
            self._tell()
        self._follow(self)

    @property
    def pace(self) -> float:
        """Steps made per second since the start; 0 where none was."""
        return (self.done - self.found) / max(1e-9, time.monotonic() - self.started)

    @property
    def to_go(self) -> float | None:
        """Seconds until all is done, at the pace so far; None while nothing is known of it."""
        return (self.total - self.done) / self.pace if self.pace > 0 else None

    def _tell(self) -> None:
        seconds = time.monotonic() - self.started
        stage = f", {self.stage}" if self.stage else ""
        failed = f", {self.failed} failed" if self.failed else ""
        self._log(
            "progress",
            f"{self.title}: {self.done}/{self.total}{stage}{failed} ({seconds:.1f} s)",
            title=self.title,
            stage=self.stage,
            done=self.done,
            failed=self.failed,
            total=self.total,
            seconds=round(seconds, 3),
        )

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.close()
        else:
            self._tell()


def duration(seconds: float) -> str:
    """A time in the unit that fits, for people.

    Examples
    --------
    >>> duration(40), duration(600), duration(9000)
    ('40 s', '10 min', '2.5 h')
    """
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:,.1f} h"
