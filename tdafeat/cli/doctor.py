"""``tdafeat doctor``: what is installed, and where data is looked for."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any


def add(commands: Any) -> None:
    """Add the command to the ``tdafeat`` parser."""
    doctor = commands.add_parser("doctor", help="what is installed, and where data is looked for")
    doctor.set_defaults(action=_doctor)


def _doctor(arguments: argparse.Namespace) -> int:
    import torch

    from tdafeat.writing import versions

    print("packages")
    for name, version in versions().items():
        print(f"  {name:<16} {version}")
    print("device")
    cuda = torch.cuda.get_device_name(0) if torch.cuda.is_available() else "none; CPU is used"
    print(f"  {'CUDA':<16} {cuda}")
    print(f"  {'cores':<16} {os.cpu_count()}")
    print("data")
    root = Path(os.environ.get("TDAFEAT_DATA") or "data")
    for name, folder in (("dtd", "dtd"), ("fashion_mnist", "FashionMNIST")):
        found = "found" if (root / folder).is_dir() else "not here; downloaded when first used"
        print(f"  {name:<16} {root / folder}: {found}")
    return 0
