"""``tdafeat status``: how far a run is, from any shell."""

from __future__ import annotations

import argparse
from typing import Any


def add(commands: Any) -> None:
    """Add the command to the ``tdafeat`` parser."""
    status = commands.add_parser("status", help="how far a run is: cells done, failed, left")
    status.add_argument("run", metavar="RUN", help="folder of a run, or its URL")
    status.set_defaults(action=_status)


def _status(arguments: argparse.Namespace) -> int:
    from tdafeat.watch import status

    print("\n".join(status(arguments.run).lines()))
    return 0
