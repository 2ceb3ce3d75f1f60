"""Exit codes, and one sentence for what a user can mend.

0 done, 1 finished with holes, 2 refused before starting, 3 stopped by an error that is not the
user's (its traceback is printed), 130 interrupted.
"""

from __future__ import annotations

import errno
import os
import sys
import traceback
from collections.abc import Callable


def guarded(action: Callable[[], int]) -> int:
    """Run, and turn what a user can mend into one sentence and an exit code."""
    from tdafeat.errors import TdafeatError

    try:
        return action()
    except KeyboardInterrupt:
        print("interrupted; what was finished is kept, run again to go on", file=sys.stderr)
        return 130
    except OSError as error:
        if error.errno == errno.ENOSPC:
            message = "the disk is full; what was finished is kept, make room and run again"
        else:
            message = str(error)
        print(f"tdafeat: {message}", file=sys.stderr)
        return 2
    except (TdafeatError, ValueError, TypeError) as error:
        if os.environ.get("TDAFEAT_TRACEBACK"):
            raise
        print(f"tdafeat: {error}", file=sys.stderr)
        return 2
    except Exception:
        traceback.print_exc()
        return 3
