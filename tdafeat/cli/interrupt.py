"""Ctrl-C, or SIGTERM, ends the process soon, whatever its workers and libraries are doing."""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

PATIENCE = 1.0  # seconds for an orderly end
ENDING = (signal.SIGINT, signal.SIGTERM)  # of a terminal, and of whoever stops services and jobs


@contextlib.contextmanager
def interruptible(last_words: Callable[[], None]) -> Iterator[None]:
    """On Ctrl-C or SIGTERM kill the workers and raise KeyboardInterrupt, or soon end the process.

    Whatever is stored is stored whole, so that nothing is lost with the processes.

    Parameters
    ----------
    last_words : said before the process is ended.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # signals are the main thread's
        return

    stopped = False

    def interrupt(signum: int, frame: FrameType | None) -> None:
        nonlocal stopped
        stopped = True
        for each in ENDING:
            signal.signal(each, signal.SIG_IGN)  # once is enough
        timer = threading.Timer(PATIENCE, _end, [last_words])
        timer.daemon = True
        timer.start()
        sys.unraisablehook = _without_interrupts(sys.unraisablehook)
        atexit.register(_leave)
        _kill_workers()
        raise KeyboardInterrupt

    before = {each: signal.signal(each, interrupt) for each in ENDING}
    try:
        yield
    except Exception as error:
        if stopped:  # the interrupt was lost in C, and this came of it
            raise KeyboardInterrupt from error
        raise
    else:
        if stopped:
            raise KeyboardInterrupt
    finally:
        if not stopped:  # otherwise a second signal must not stop what the first began
            for each, handler in before.items():
                signal.signal(each, handler)


def _without_interrupts(told: Callable[[Any], object]) -> Callable[[Any], object]:
    """The hook, silent of what is lost where C called Python, as LLVM does: the timer ends that."""
    return lambda lost: None if issubclass(lost.exc_type, KeyboardInterrupt) else told(lost)


def _kill_workers() -> None:
    import psutil

    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if not any("resource_tracker" in part for part in child.cmdline()):  # it cleans up
                child.kill()


def _end(last_words: Callable[[], None]) -> None:
    last_words()
    os._exit(130)


def _leave() -> None:
    """End at once: libraries take seconds to clear away what ends with the process anyway."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(130)
