"""Rips persistence engines behind one signature.

An engine takes a float32 distance matrix and returns one `(n, 2)` array per degree over Z/2. Both
engines here store filtration values in float32 and drop bars of zero length (so duplicated points
bring no bar in H0), and keep deaths beyond the threshold as inf: their diagrams are equal.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec

import numpy as np

from tdafeat.record import Registry

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
    """

    name: str
    module: str
    distribution: str
    compute: Compute

    @property
    def installed(self) -> bool:
        """Whether it can be imported, without importing it."""
        return find_spec(self.module) is not None

    @property
    def version(self) -> str:
        """Version of the installed distribution."""
        return version(self.distribution)


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
engines.add("ripser", Engine("ripser", "ripser", "ripser", _ripser))
engines.add("giotto-ph", Engine("giotto-ph", "gph", "giotto-ph", _giotto_ph))


def check_size(n_points: int, maxdim: int) -> None:
    """Refuse what would make the engines, which number all simplices, abort the whole process."""
    if math.comb(n_points, min(n_points // 2, maxdim + 2)) >= _MOST_SIMPLICES:
        raise ValueError(
            f"maxdim={maxdim} on {n_points} points asks for numbers beyond 2^55 simplices, where "
            "the engines end; lower maxdim or set n_landmarks"
        )


def choose(name: str) -> Engine:
    """The engine of this name; `"auto"` is giotto-ph where installed (faster), else ripser.

    Raises
    ------
    UnknownName for a name that is not registered; ImportError if it is not installed.
    """
    if name == "auto":
        name = "giotto-ph" if engines["giotto-ph"].installed else "ripser"
    engine = engines[name]
    if not engine.installed:
        raise ImportError(f"engine {name!r} needs: pip install {engine.distribution}")
    return engine
