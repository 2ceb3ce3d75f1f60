"""The command line every trainer shares: its options, itself in words, its errors."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from tdafeat.errors import TdafeatError


def options(description: str, epochs: int) -> argparse.ArgumentParser:
    """A parser with the options every trainer has."""
    parser = argparse.ArgumentParser(description=description.split("\n")[0])
    parser.add_argument("--data", default="fashion_mnist", help="data set, as in a study")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1], help="of procedural images")
    parser.add_argument("--epochs", type=int, default=epochs)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--out", type=Path, required=True, help="safetensors file")
    parser.add_argument("--evaluate", action="store_true", help="measure --out on the test part")
    return parser


def in_words(module: str, argv: Sequence[str] | None) -> str:
    """The command as typed, to stand in a card beside what it made.

    Examples
    --------
    >>> in_words("tdafeat.training.densenet", ["--data", "folder:my images"])
    "python -m tdafeat.training.densenet --data 'folder:my images'"
    """
    return shlex.join(["python", "-m", module, *(sys.argv[1:] if argv is None else argv)])


def guarded(action: Callable[[], None]) -> int:
    """Run, and turn what a user can mend into one sentence and exit code 2.

    Examples
    --------
    >>> guarded(lambda: None)
    0
    """
    try:
        action()
    except KeyboardInterrupt:
        print("interrupted; run again to go on from the last whole epoch", file=sys.stderr)
        return 130
    except (TdafeatError, ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0
