"""Progress of long work: a bar on a terminal, a log line now and then otherwise."""

from __future__ import annotations

import sys
import time
from types import TracebackType

LOG_EVERY = 10.0  # seconds between log lines


class Progress:
    """Counts steps of one stage; use as a context manager.

    Examples
    --------
    >>> with Progress("features", total=2, quiet=True) as progress:
    ...     progress.advance()
    ...     progress.advance()
    """

    def __init__(self, title: str, total: int, quiet: bool = False) -> None:
        self.title, self.total, self.done = title, total, 0
        self._quiet = quiet
        self._bar = None
        self._started = self._logged = time.monotonic()
        if not quiet and sys.stderr.isatty():
            from tqdm import tqdm

            self._bar = tqdm(total=total, desc=f"{title:<12}", unit="", ncols=80, leave=True)

    def advance(self, steps: int = 1) -> None:
        """Count `steps` more as done."""
        self.done += steps
        if self._bar is not None:
            self._bar.update(steps)
        elif not self._quiet and time.monotonic() - self._logged > LOG_EVERY:
            self._logged = time.monotonic()
            self._log()

    def _log(self) -> None:
        seconds = time.monotonic() - self._started
        print(
            f"{self.title}: {self.done}/{self.total} ({seconds:.1f} s)", file=sys.stderr, flush=True
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
        elif not self._quiet:
            self._log()
