"""What a cell takes of memory, and whether it fits."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from tdafeat.cgroups import memory_left
from tdafeat.sources.groups import Size
from tdafeat.topology.limits import memory_of_machine

if TYPE_CHECKING:
    from tdafeat.study import Study

PER_PAIR = 16  # bytes of the homology of one pair of points, distances included
MOST_POINTS = 65_535  # of the engine that needs the least memory
CHUNK = 1024  # rows compared with all others at a time
WORK = {"topology": "their topology", "measure": "measuring them"}


def check_memory(
    study: Study, sizes: Mapping[tuple[str, str], Size], free: float, jobs: int = 1
) -> None:
    """Refuse a study whose cells do not fit into memory, before anything is computed.

    Parameters
    ----------
    jobs : cells that are computed side by side.

    Raises
    ------
    ValueError that proposes landmarks, fewer images where the features alone are too many, or
    fewer jobs where only the largest cells side by side are too many.
    """
    for (name, _), size in sizes.items():
        needed = memory(size, study.n_landmarks)
        if needed["measure"] > free:
            raise ValueError(
                f"a cell of {name} does not fit: {size.rows:,} rows of {size.dimension} features "
                f"take {in_bytes(needed['measure'])} to measure and {in_bytes(free)} are free; "
                "lower limit, or read the features in chunks by tdafeat.geometry.Moments and "
                "sampled_metrics"
            )
        points = min(size.rows, study.n_landmarks or size.rows)
        if needed["topology"] > free or (study.maxdim == 1 and points > MOST_POINTS):
            fitting = min(MOST_POINTS, _fitting(size, free))
            raise ValueError(
                f"a cell of {name} does not fit: the topology of {points:,} points takes "
                f"{in_bytes(needed['topology'])} and {in_bytes(free)} are free; set n_landmarks "
                f"(--landmarks) to {max(2, fitting // 1000 * 1000 or fitting):,} or fewer"
            )

    for stage in ("topology", "measure"):
        cells = [
            memory(s, study.n_landmarks)[stage] for s in sizes.values() for _ in range(s.cells)
        ]
        together = list(itertools.accumulate(sorted(cells, reverse=True)[:jobs]))
        if together and together[-1] > free:
            fitting = sum(needed <= free for needed in together)
            raise ValueError(
                f"{len(together)} cells side by side do not fit: {WORK[stage]} takes "
                f"{in_bytes(together[-1])} and {in_bytes(free)} are free; set jobs (--jobs) to "
                f"{fitting}"
            )


def _fitting(size: Size, free: float) -> int:
    """The most points whose topology fits: where `memory`, a parabola in them, meets `free`."""
    rest = max(0.0, free - memory(size, 1)["topology"]) / PER_PAIR
    half = 8 * size.dimension / PER_PAIR / 2
    return int(math.sqrt(half**2 + rest) - half)


def memory(size: Size, n_landmarks: int | None) -> dict[str, int]:
    """Bytes that a cell takes, by stage: the stages that grow with the cloud.

    Examples
    --------
    >>> memory(Size(2000, 2000, 512, 20), None)["topology"] // 10**6
    84
    """
    points = min(size.rows, n_landmarks or size.rows)
    cloud = size.rows * size.dimension
    return {
        "topology": 12 * cloud + 8 * points * size.dimension + PER_PAIR * points**2,
        "measure": 64 * cloud + 48 * min(CHUNK, size.rows) * size.rows,
    }


def free_memory() -> float:
    """Bytes that this process can still take, inf where the system does not tell.

    Examples
    --------
    >>> free_memory() > 10**6
    True
    """
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        (available,) = (line.split()[1] for line in lines if line.startswith("MemAvailable"))
        free = 1024.0 * int(available)
    except (OSError, ValueError):
        free = memory_of_machine()
    return min(free, memory_left())


def in_bytes(n: float) -> str:
    """A number of bytes, for people.

    Examples
    --------
    >>> in_bytes(5_640**2 * 16)
    '509 MB'
    """
    for unit in ("B", "kB", "MB", "GB"):
        if n < 999.5:
            return f"{n:.0f} {unit}" if n >= 9.95 or unit == "B" else f"{n:.1f} {unit}"
        n /= 1000
    return f"{n:,.1f} TB"
