"""Ctrl-C ends the process soon, whatever its workers and libraries are doing."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType

PATIENCE = 1.0  # seconds for an orderly end


@contextlib.contextmanager
def interruptible(last_words: Callable[[], None]) -> Iterator[None]:
    """On Ctrl-C kill the workers and raise KeyboardInterrupt; if that takes long, end the process.

    Whatever is stored is stored whole, so that nothing is lost with the processes.

    Parameters
    ----------
    last_words : said before the process is ended.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # signals are the main thread's
        return

    def interrupt(signum: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # once is enough
        timer = threading.Timer(PATIENCE, _end, [last_words])
        timer.daemon = True
        timer.start()
        _kill_workers()
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    except KeyboardInterrupt:
        raise
    except BaseException:
        signal.signal(signal.SIGINT, before)
        raise
    else:
        signal.signal(signal.SIGINT, before)


def _kill_workers() -> None:
    import psutil

    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if not any("resource_tracker" in part for part in child.cmdline()):  # it cleans up
                child.kill()


def _end(last_words: Callable[[], None]) -> None:
    last_words()
    os._exit(130)
