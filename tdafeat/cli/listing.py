"""``tdafeat list``: what can be named in a study."""

from __future__ import annotations

import argparse
from typing import Any

from tdafeat.record import analyses, first_line, metrics


def add(commands: Any) -> None:
    """Add the command to the ``tdafeat`` parser."""
    listing = commands.add_parser("list", help="what can be named in a study")
    listing.add_argument("kind", choices=("encoders", "datasets", "noises", "metrics", "analyses"))
    listing.set_defaults(action=_list)


def _list(arguments: argparse.Namespace) -> int:
    if arguments.kind == "metrics":
        for name, metric in metrics.items():
            arrow = {"higher": "up", "lower": "down", None: ""}[metric.better]
            print(f"{name:<28} {metric.room:<11} {arrow:<5} {metric.title:<45} {metric.summary}")
    elif arguments.kind == "analyses":
        for name, analysis in analyses.items():
            print(f"{name:<16} {first_line(analysis.function)}")
    elif arguments.kind == "noises":
        from tdafeat.noise import load, noises

        for name in noises:
            noise = load(name)
            levels = " ".join(f"{level:g}" for level in noise.levels)
            print(f"{name:<22} {noise.units:<11} {noise.parameter:<8} {levels}")
    elif arguments.kind == "datasets":
        from tdafeat.datasets import datasets

        for name, loader in datasets.items():
            print(f"{name:<16} {first_line(loader)}")
    else:
        from tdafeat.encoders import encoders
        from tdafeat.encoders.catalogue import table

        for line in table():
            print(line)
        print("\nfamilies, for any other model by name")
        for name, family in encoders.items():
            print(f"  {name:<12} {first_line(family)}")
    return 0
