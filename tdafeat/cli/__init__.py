"""The same study from a shell: ``tdafeat run``, ``status``, ``report``, ``store`` ...

Each command is a file of its own with a function ``add``; COMMANDS lists them as ``--help`` does.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from tdafeat import __version__
from tdafeat.cli import compare, doctor, listing, report, run, status, store
from tdafeat.cli.guard import guarded, parsed
from tdafeat.cli.run import study_main

__all__ = ["main", "study_main"]

COMMANDS = (run, status, report, compare, store, listing, doctor)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the ``tdafeat`` command and return its exit code."""
    parser = argparse.ArgumentParser(
        prog="tdafeat",
        allow_abbrev=False,
        description="Topology and geometry of feature spaces, and how they go with robustness.",
    )
    parser.add_argument("--version", action="version", version=f"tdafeat {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add(commands)
    arguments = parsed(parser, argv)
    return guarded(lambda: arguments.action(arguments), getattr(arguments, "log", "text"))
