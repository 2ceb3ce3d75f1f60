"""Rips persistence engines behind one signature.

An engine takes a problem, whose float32 distance matrix it may overwrite, and returns one `(n, 2)`
array per degree. All engines here hold filtration values in float32, drop bars of zero length (so
duplicated points bring no bar in H0) and keep deaths beyond the threshold as inf: their diagrams
are equal to the bit.
"""

from __future__ import annotations

import functools
import math
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

import numpy as np

from tdafeat.cgroups import memory_left
from tdafeat.errors import UnknownName
from tdafeat.record import Registry

_MOST_POINTS = 65_535  # of `tdafeat`: an edge is one number below 2^32
_SMALL = 400  # points that ripser has done before the kernels of `tdafeat` are loaded
_MOST_SIMPLICES = 1 << 55  # ripser's limit, 8 bits of 63 being kept for coefficients
_LITTLE = 1e8  # bytes, below which no container's limits are asked: they take 0.3 ms to read
_SAMPLE = 20_000  # simplices drawn to see how many enter

Bars = tuple[Sequence[np.ndarray], Sequence[Sequence[np.ndarray]] | None]


@dataclass(frozen=True)
class Problem:
    """What is asked of an engine.

    Attributes
    ----------
    distances : float32 matrix, or a `scipy.sparse` one in coordinates.
    maxdim : highest degree.
    thresh : longest edge that enters.
    coefficients : the prime p of the field Z/p.
    cocycles : whether a cocycle is asked for with each bar.
    n_threads : threads to use, by an engine that has any.
    """

    distances: Any
    maxdim: int
    thresh: float
    coefficients: int = 2
    cocycles: bool = False
    n_threads: int = 1


@dataclass(frozen=True)
class Engine:
    """A library that computes Rips persistence.

    Attributes
    ----------
    name : as users type it.
    module : what is imported to use it.
    distribution : what is installed to have it.
    compute : problem -> diagrams by degree, and their cocycles if asked for.
    bytes_per_pair : of points, at its peak, beside the matrix and for degrees up to 1.
    maxdim : highest degree it can compute, None for any.
    any_field : whether it computes over fields other than Z/2, and from sparse distances.
    cocycles : whether it gives cocycles.
    """

    name: str
    module: str
    distribution: str
    compute: Callable[[Problem], Bars]
    bytes_per_pair: float
    maxdim: int | None = None
    any_field: bool = True
    cocycles: bool = False

    @property
    def installed(self) -> bool:
        """Whether it can be imported, without importing it."""
        return _found(self.module)

    @property
    def version(self) -> str:
        """Version of the installed distribution."""
        return _version(self.distribution)


@functools.cache  # both take longer than the homology of a hundred points
def _found(module: str) -> bool:
    return find_spec(module) is not None


@functools.cache
def _version(distribution: str) -> str:
    return version(distribution)


def _tdafeat(problem: Problem) -> Bars:
    from tdafeat.topology.rips.engine import h0_h1

    return h0_h1(problem.distances, problem.thresh, problem.n_threads, problem.maxdim), None


def _ripser(problem: Problem) -> Bars:
    from ripser import ripser

    found = ripser(
        problem.distances,
        maxdim=problem.maxdim,
        thresh=problem.thresh,
        coeff=problem.coefficients,
        distance_matrix=True,
        do_cocycles=problem.cocycles,
    )
    return found["dgms"], found["cocycles"] if problem.cocycles else None


def _giotto_ph(problem: Problem) -> Bars:
    from gph import ripser_parallel

    found = ripser_parallel(
        problem.distances,
        maxdim=problem.maxdim,
        thresh=problem.thresh,
        coeff=problem.coefficients,
        metric="precomputed",
        n_threads=problem.n_threads,
    )
    return found["dgms"], None


engines: Registry[Engine] = Registry("engine", "tdafeat.engines")
engines.add("tdafeat", Engine("tdafeat", "tdafeat", "tdafeat", _tdafeat, 1, 1, any_field=False))
engines.add("ripser", Engine("ripser", "ripser", "ripser", _ripser, 21, cocycles=True))
engines.add("giotto-ph", Engine("giotto-ph", "gph", "giotto-ph", _giotto_ph, 8))


def check_size(engine: Engine, n_points: int, maxdim: int) -> None:
    """Refuse what an engine cannot number, which would abort the whole process in some."""
    if engine.maxdim is not None:
        if maxdim > engine.maxdim:
            raise ValueError(
                f"engine {engine.name!r} computes degrees up to {engine.maxdim}; got "
                f"maxdim={maxdim}: take engine='ripser', 'giotto-ph' or 'auto'"
            )
        if n_points > _MOST_POINTS:
            raise ValueError(
                f"engine {engine.name!r} takes at most {_MOST_POINTS} points; got {n_points}: "
                "set n_landmarks"
            )
    elif math.comb(n_points, min(n_points // 2, maxdim + 2)) >= _MOST_SIMPLICES:
        needed = 16 * Decimal(math.comb(n_points, min(n_points // 2, maxdim + 1)))
        raise ValueError(
            f"maxdim={maxdim} on {n_points} points needs up to {needed / 10**9:.3g} GB for its "
            f"simplices and this machine has {memory_of_machine() / 1e9:.0f} GB; an engine numbers "
            "2^55 of them at most: lower maxdim or set n_landmarks"
        )


def check_memory(n_points: int, bytes_per_pair: float, instead: str = "set n_landmarks") -> None:
    """Refuse a distance matrix that memory cannot hold, with what is added to it."""
    needed, there = bytes_per_pair * n_points**2, memory_of_machine()
    if needed > _LITTLE:
        there = min(there, memory_left())
    if needed > there:
        raise ValueError(
            f"the distances of {n_points} points need {needed / 1e9:.0f} GB and there are "
            f"{there / 1e9:.0f} GB; {instead}"
        )


def check_simplices(distances: np.ndarray, maxdim: int, thresh: float) -> None:
    """Refuse more simplices of degree `maxdim` than memory holds, 16 bytes each.

    How many enter is estimated from a sample. None is needed that is longer than the smallest
    distance within which one point has all others: from there on the complex is a cone.
    """
    n, there = len(distances), memory_of_machine()
    all_simplices = math.comb(n, maxdim + 1)
    if maxdim < 2 or 16 * all_simplices <= there:
        return
    there = min(there, memory_left())
    longest = min(thresh, float(distances.max(axis=1).min()))
    rng = np.random.default_rng(0)
    if n > 200:  # where a vertex is hardly ever drawn twice
        simplices = rng.integers(n, size=(_SAMPLE, maxdim + 1))
    else:
        simplices = rng.random((_SAMPLE, n)).argsort(axis=1)[:, : maxdim + 1]
    edges = distances[simplices[:, :, None], simplices[:, None]]
    share = float((edges.reshape(_SAMPLE, -1).max(axis=1) <= longest).mean())
    needed = 16 * share * all_simplices
    if needed > there:
        raise ValueError(
            f"maxdim={maxdim} on {n} points needs about {needed / 1e9:.3g} GB for its simplices "
            f"and there are {there / 1e9:.0f} GB; lower maxdim or thresh, or set n_landmarks"
        )


def memory_of_machine() -> float:
    """Bytes of memory of this machine, inf where the system does not tell."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return math.inf


def choose(
    name: str,
    n_points: int,
    maxdim: int,
    coefficients: int = 2,
    cocycles: bool = False,
    sparse: bool = False,
) -> tuple[Engine, str]:
    """The engine of this name, and why.

    `"auto"` is `tdafeat` in degrees 0 and 1 over Z/2, unless so few points are asked for that
    ripser is done before its kernels are loaded; elsewhere giotto-ph where installed (faster), else
    ripser, which alone gives cocycles.

    Raises
    ------
    UnknownName for a name that is not registered; ImportError if it is not installed; ValueError
    if it cannot do what is asked.
    """
    reason = "asked for"
    if name == "auto":
        peer = "giotto-ph" if engines["giotto-ph"].installed else "ripser"
        if cocycles:
            name, reason = "ripser", "cocycles"
        elif coefficients != 2:
            name, reason = peer, "coefficients other than Z/2"
        elif sparse:
            name, reason = peer, "sparse distances"
        elif maxdim > 1:
            name, reason = peer, "degrees above 1"
        elif n_points <= _SMALL and "tdafeat.topology.rips.engine" not in sys.modules:
            name, reason = "ripser", "few points"
        else:
            name, reason = "tdafeat", "degrees 0 and 1"
    try:
        engine = engines[name]
    except UnknownName as error:
        raise UnknownName(f"{error}, auto") from None
    if not engine.installed:
        raise ImportError(f"engine {name!r} needs: pip install {engine.distribution}")
    if cocycles and not engine.cocycles:
        raise ValueError(f"engine {name!r} gives no cocycles: take engine='ripser' or 'auto'")
    if (coefficients != 2 or sparse) and not engine.any_field:
        asked = "dense distances" if sparse else "coefficients=2"
        raise ValueError(
            f"engine {name!r} takes {asked} alone: take engine='ripser', 'giotto-ph' or 'auto'"
        )
    return engine, reason
