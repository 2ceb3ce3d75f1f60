"""Exit codes, and one sentence for what a user can mend.

0 done, 1 finished with holes, 2 refused before starting, 3 stopped by an error that is not the
user's (its traceback is printed), 130 interrupted. Where TDAFEAT_TRACEBACK is set, the traceback
of what is refused is printed too.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from io import StringIO
from itertools import pairwise

from tdafeat.cli.interrupt import interruptible
from tdafeat.errors import MENDABLE, in_words
from tdafeat.files import FULL
from tdafeat.log import Form, Log


def parsed(parser: argparse.ArgumentParser, argv: Sequence[str] | None) -> argparse.Namespace:
    """The options of a command; what is wrong with them is told as they ask to be told.

    Raises
    ------
    SystemExit 2 for options that cannot be; 0 after ``--help``.
    """
    words = sys.argv[1:] if argv is None else list(argv)
    if "--log=json" not in words and ("--log", "json") not in pairwise(words):
        return parser.parse_args(words)
    said = StringIO()
    try:
        with contextlib.redirect_stderr(said):
            return parser.parse_args(words)
    except SystemExit as end:
        if end.code:
            Log("json")("error", "", message=said.getvalue().partition(": error: ")[2].strip())
        raise


def guarded(action: Callable[[], int], form: Form = "text") -> int:
    """Run, and turn what a user can mend into one sentence and an exit code."""
    log = Log(form)
    told = False

    def interrupted() -> None:
        nonlocal told
        if not told:
            told = True
            log("interrupted", "interrupted; what was finished is kept, run again to go on")

    try:
        with interruptible(interrupted), log.warnings():
            return action()
    except KeyboardInterrupt:
        interrupted()
        return 130
    except Exception as error:
        mendable, message = isinstance(error, MENDABLE), in_words(error)
        if isinstance(error, OSError) and error.errno in FULL:
            message = "the disk is full; what was finished is kept, make room and run again"
        if mendable and not os.environ.get("TDAFEAT_TRACEBACK"):
            log("error", f"tdafeat: {message}", message=message)
        else:
            trace = traceback.format_exc().rstrip()
            log("error", trace, message=message, trace=trace)
        return 2 if mendable else 3
