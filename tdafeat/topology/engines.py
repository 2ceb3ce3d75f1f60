"""Rips persistence engines behind one signature.

An engine takes a float32 distance matrix, which it may overwrite, and returns one `(n, 2)` array
per degree over Z/2. All engines here hold filtration values in float32, drop bars of zero length
(so duplicated points bring no bar in H0) and keep deaths beyond the threshold as inf: their
diagrams are equal to the bit.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec

import numpy as np

from tdafeat.record import Registry

_MOST_POINTS = 65_535  # of `tdafeat`: an edge is one number below 2^32
_BYTES_PER_PAIR = 21  # two float64, one float32 and a mask while distances are computed
_SMALL = 400  # points that ripser has done before the kernels of `tdafeat` are loaded
_MOST_SIMPLICES = 1 << 55  # ripser's limit, 8 bits of 63 being kept for coefficients

Compute = Callable[[np.ndarray, int, float, int], Sequence[np.ndarray]]


@dataclass(frozen=True)
class Engine:
    """A library that computes Rips persistence.

    Attributes
    ----------
    name : as users type it.
    module : what is imported to use it.
    distribution : what is installed to have it.
    compute : (distances, maxdim, thresh, n_threads) -> diagrams by degree.
    maxdim : highest degree it can compute, None for any.
    """

    name: str
    module: str
    distribution: str
    compute: Compute
    maxdim: int | None = None

    @property
    def installed(self) -> bool:
        """Whether it can be imported, without importing it."""
        return find_spec(self.module) is not None

    @property
    def version(self) -> str:
        """Version of the installed distribution."""
        return version(self.distribution)


def _tdafeat(
    distances: np.ndarray, maxdim: int, thresh: float, n_threads: int
) -> Sequence[np.ndarray]:
    from tdafeat.topology.rips.engine import h0_h1

    return h0_h1(distances, thresh, n_threads)[: maxdim + 1]


def _ripser(
    distances: np.ndarray, maxdim: int, thresh: float, n_threads: int
) -> Sequence[np.ndarray]:
    from ripser import ripser

    return ripser(distances, maxdim=maxdim, thresh=thresh, distance_matrix=True)["dgms"]


def _giotto_ph(
    distances: np.ndarray, maxdim: int, thresh: float, n_threads: int
) -> Sequence[np.ndarray]:
    from gph import ripser_parallel

    return ripser_parallel(
        distances, maxdim=maxdim, thresh=thresh, metric="precomputed", n_threads=n_threads
    )["dgms"]


engines: Registry[Engine] = Registry("engine", "tdafeat.engines")
engines.add("tdafeat", Engine("tdafeat", "tdafeat", "tdafeat", _tdafeat, maxdim=1))
engines.add("ripser", Engine("ripser", "ripser", "ripser", _ripser))
engines.add("giotto-ph", Engine("giotto-ph", "gph", "giotto-ph", _giotto_ph))


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
        raise ValueError(
            f"maxdim={maxdim} on {n_points} points asks for numbers beyond 2^55 simplices, where "
            "the engine ends; lower maxdim or set n_landmarks"
        )


def check_memory(n_points: int) -> None:
    """Refuse a distance matrix that this machine cannot hold."""
    needed = _BYTES_PER_PAIR * n_points**2
    try:
        there = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # not told on this system
        return
    if needed > there:
        raise ValueError(
            f"the distances of {n_points} points need {needed / 1e9:.0f} GB and this machine has "
            f"{there / 1e9:.0f} GB; set n_landmarks"
        )


def choose(name: str, n_points: int, maxdim: int) -> tuple[Engine, str]:
    """The engine of this name, and why.

    `"auto"` is `tdafeat` in degrees 0 and 1, unless so few points are asked for that ripser is done
    before its kernels are loaded; above, giotto-ph where installed (faster), else ripser.

    Raises
    ------
    UnknownName for a name that is not registered; ImportError if it is not installed.
    """
    reason = "asked for"
    if name == "auto":
        loaded = "tdafeat.topology.rips.engine" in sys.modules
        if maxdim > 1:
            name = "giotto-ph" if engines["giotto-ph"].installed else "ripser"
            reason = "degrees above 1"
        elif n_points <= _SMALL and not loaded:
            name, reason = "ripser", "few points"
        else:
            name, reason = "tdafeat", "degrees 0 and 1"
    engine = engines[name]
    if not engine.installed:
        raise ImportError(f"engine {name!r} needs: pip install {engine.distribution}")
    return engine, reason
