"""``tdafeat list``: what can be named in a study."""

from __future__ import annotations

import argparse
from typing import Any


def add(commands: Any) -> None:
    """Add the command to the ``tdafeat`` parser."""
    listing = commands.add_parser("list", help="what can be named in a study")
    listing.add_argument("kind", choices=("encoders", "datasets", "noises", "metrics", "analyses"))
    listing.set_defaults(action=_list)


def _list(arguments: argparse.Namespace) -> int:
    if arguments.kind == "metrics":
        from tdafeat.record import metrics

        for name, metric in metrics.items():
            arrow = {"higher": "up", "lower": "down", None: ""}[metric.better]
            print(f"{name:<28} {metric.room:<11} {arrow:<5} {metric.summary}")
    elif arguments.kind == "analyses":
        from tdafeat.record import analyses

        for name, analysis in analyses.items():
            print(f"{name:<16} {_first_line(analysis.function)}")
    elif arguments.kind == "noises":
        from tdafeat.noise import load, noises

        for name in noises:
            noise = load(name)
            levels = " ".join(f"{level:g}" for level in noise.levels)
            print(f"{name:<22} {noise.units:<11} {noise.parameter:<8} {levels}")
    elif arguments.kind == "datasets":
        from tdafeat.datasets import datasets

        for name, loader in datasets.items():
            print(f"{name:<16} {_first_line(loader)}")
    else:
        from tdafeat.encoders import encoders
        from tdafeat.encoders.catalogue import table

        for line in table():
            print(line)
        print("\nfamilies, for any other model by name")
        for name, family in encoders.items():
            print(f"  {name:<12} {_first_line(family)}")
    return 0


def _first_line(thing: Any) -> str:
    return (thing.__doc__ or "").strip().split("\n")[0]
