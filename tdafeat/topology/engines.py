"""Rips persistence engines behind one signature.

An engine takes a problem, whose float32 distance matrix it may overwrite, and returns one `(n, 2)`
array per degree. All engines here hold filtration values in float32, drop bars of zero length (so
duplicated points bring no bar in H0) and keep deaths beyond the threshold as inf: their diagrams
are equal to the bit.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

import numpy as np

from tdafeat.errors import UnknownName
from tdafeat.record import Registry

_SMALL = 400  # points that ripser has done before the kernels of `tdafeat` are loaded

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
    bytes_per_simplex : of the highest degree, at its peak, for degrees above 1; measured on clouds
        of up to 14 million (ripser 70 to 88, giotto-ph 0.6 to 5.3).
    maxdim : highest degree it can compute, None for any.
    any_field : whether it computes over fields other than Z/2, and from sparse distances.
    cocycles : whether it gives cocycles.
    """

    name: str
    module: str
    distribution: str
    compute: Callable[[Problem], Bars]
    bytes_per_pair: float
    bytes_per_simplex: float = 16
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
engines.add(
    "tdafeat", Engine("tdafeat", "tdafeat", "tdafeat", _tdafeat, 1, maxdim=1, any_field=False)
)
engines.add("ripser", Engine("ripser", "ripser", "ripser", _ripser, 21, 90, cocycles=True))
engines.add("giotto-ph", Engine("giotto-ph", "gph", "giotto-ph", _giotto_ph, 8, 5))


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
