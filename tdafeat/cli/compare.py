"""``tdafeat compare``: several runs side by side."""

from __future__ import annotations

import argparse
from typing import Any


def add(commands: Any) -> None:
    """Add the command to the ``tdafeat`` parser."""
    compare = commands.add_parser(
        "compare", help="write comparison.html and comparison.pdf of several runs"
    )
    compare.add_argument("runs", nargs="+", metavar="RUN", help="folder of a run; two or more")
    compare.add_argument("--out", required=True, metavar="DIR", help="folder of the comparison")
    compare.set_defaults(action=_compare)


def _compare(arguments: argparse.Namespace) -> int:
    from tdafeat.report import compare
    from tdafeat.run import Run

    for path in compare([Run.read(run) for run in arguments.runs], arguments.out):
        print(path)
    return 0
