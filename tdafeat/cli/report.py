"""``tdafeat report``: the report of a run, written again."""

from __future__ import annotations

import argparse
from typing import Any


def add(commands: Any) -> None:
    """Add the command to the ``tdafeat`` parser."""
    report = commands.add_parser("report", help="write report.html and report.pdf of a run again")
    report.add_argument("run", metavar="RUN", help="folder of a run")
    report.add_argument(
        "--tables",
        metavar="DIR",
        help="write the report's tables there instead, each as .csv and as .tex (booktabs)",
    )
    report.add_argument(
        "--no-thumbnails", action="store_true", help="leave small pictures of the images out"
    )
    report.set_defaults(action=_report)


def _report(arguments: argparse.Namespace) -> int:
    from tdafeat.report import write, write_tables
    from tdafeat.run import Run

    run = Run.read(arguments.run)
    if arguments.tables:
        print(*write_tables(run, arguments.tables), sep="\n")
    else:
        print(*write(run, thumbnails=not arguments.no_thumbnails), sep="\n")
    return 0
