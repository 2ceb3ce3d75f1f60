"""Exit codes, and one sentence for what a user can mend.

0 done, 1 finished with holes, 2 refused before starting, 3 stopped by an error that is not the
user's (its traceback is printed), 130 interrupted.
"""

from __future__ import annotations

import errno
import os
import traceback
from collections.abc import Callable

from tdafeat.cli.interrupt import interruptible
from tdafeat.log import Form, Log

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def guarded(action: Callable[[], int], form: Form = "text") -> int:
    """Run, and turn what a user can mend into one sentence and an exit code."""
    from tdafeat.errors import TdafeatError

    log = Log(form)
    told = False

    def interrupted() -> None:
        nonlocal told
        if not told:
            told = True
            log("interrupted", "interrupted; what was finished is kept, run again to go on")

    try:
        with interruptible(interrupted):
            return action()
    except KeyboardInterrupt:
        interrupted()
        return 130
    except OSError as error:
        if error.errno in FULL:
            message = "the disk is full; what was finished is kept, make room and run again"
        else:
            message = str(error)
        log("error", f"tdafeat: {message}", message=message)
        return 2
    except (TdafeatError, ValueError, TypeError) as error:
        if os.environ.get("TDAFEAT_TRACEBACK"):
            raise
        log("error", f"tdafeat: {error}", message=str(error))
        return 2
    except Exception:
        traceback.print_exc()
        return 3
