"""``tdafeat store``: what the store holds, what of it can go, what is damaged."""

from __future__ import annotations

import argparse
from typing import Any


def add(commands: Any) -> None:
    """Add the command to the ``tdafeat`` parser."""
    store = commands.add_parser("store", help="how large the store is; clean it; verify it")
    doing = store.add_subparsers(dest="doing", required=True, metavar="size|gc|verify")
    for name, about, action in (
        ("size", "artefacts and bytes of each stage", _size),
        ("gc", "remove what no run will read again", _gc),
        ("verify", "read every artefact and name the damaged ones", _verify),
    ):
        parser = doing.add_parser(name, help=about, description=about)
        parser.add_argument(
            "--store", metavar="DIR", help="folder or URL (default: $TDAFEAT_STORE or data/store)"
        )
        parser.set_defaults(action=action)
        if name == "gc":
            parser.add_argument("--dry-run", action="store_true", help="say what would go")


def _size(arguments: argparse.Namespace) -> int:
    from tdafeat.store import store_at
    from tdafeat.upkeep import size

    stages = size(store_at(arguments.store))
    stages["all"] = [size for sizes in stages.values() for size in sizes]
    for name, sizes in stages.items():
        print(f"{name:<14} {len(sizes):>9,} artefacts {sum(sizes) / 1e6:>12,.1f} MB")
    return 0


def _gc(arguments: argparse.Namespace) -> int:
    from tdafeat.store import store_at
    from tdafeat.upkeep import garbage, remove

    total = 0
    store = store_at(arguments.store)
    for dropping in list(garbage(store)):
        if arguments.dry_run or remove(store, dropping):
            total += dropping.size
            print(f"{dropping.path}: {dropping.reason}")
    print(f"{total / 1e6:,.1f} MB {'can go' if arguments.dry_run else 'removed'}")
    return 0


def _verify(arguments: argparse.Namespace) -> int:
    from tdafeat.store import store_at
    from tdafeat.upkeep import artefacts, damaged

    store = store_at(arguments.store)
    bad = list(damaged(store))
    for dropping in bad:
        print(f"{dropping.path}: {dropping.reason}")
    print(f"{len(list(artefacts(store))):,} artefacts, {len(bad):,} damaged")
    if bad:
        print("the next run computes the damaged ones again, where it needs them")
    return 1 if bad else 0
