"""``tdafeat report``: the report of a run, written again."""

from __future__ import annotations

import argparse
from typing import Any


def add(commands: Any) -> None:
    """Add the command to the ``tdafeat`` parser."""
    report = commands.add_parser("report", help="write report.html and report.pdf of a run again")
    report.add_argument("run", metavar="RUN", help="folder of a run")
    report.set_defaults(action=_report)


def _report(arguments: argparse.Namespace) -> int:
    from tdafeat.report import write
    from tdafeat.run import Run

    for path in write(Run.read(arguments.run)):
        print(path)
    return 0
