"""What the control groups of a container or of a batch job leave of memory (Linux)."""

from __future__ import annotations

import math
from pathlib import Path

# Where the groups lie; files of limit and use; the entry of memory.stat that is given back first.
V1 = ("sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes")
V2 = ("sys/fs/cgroup", "memory.max", "memory.current")
CACHE = {V1: "total_inactive_file", V2: "inactive_file"}


def memory_left(root: Path = Path("/")) -> float:
    """Bytes until the first limit on this process is met; inf where there is none.

    A group's limit holds for all groups in it, so each up to the root is asked. Inactive file
    cache is no use of memory: the kernel gives it back first.

    Examples
    --------
    >>> memory_left() > 0
    True
    """
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return math.inf
    left = math.inf
    for line in lines:
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controllers and "memory" not in controllers.split(","):
            continue
        kind = V1 if controllers else V2
        parts = [part for part in path.split("/") if part not in ("", "..")]
        for depth in range(len(parts) + 1):  # in a container the first may be all that is there
            left = min(left, _left(root.joinpath(kind[0], *parts[:depth]), kind))
    return left


def _left(group: Path, kind: tuple[str, str, str]) -> float:
    try:
        limit, used = (int((group / name).read_text()) for name in kind[1:])
        entries = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
        return max(0, limit - used + int(entries.get(CACHE[kind], 0)))
    except (OSError, ValueError):  # no such group, or no limit: "max"
        return math.inf
