"""Whether a problem fits: into what an engine can number, and into memory."""

from __future__ import annotations

import math
import os
from decimal import Decimal
from typing import Any

import numpy as np

from tdafeat.cgroups import memory_left
from tdafeat.topology.engines import Engine

_MOST_POINTS = 65_535  # of `tdafeat`: an edge is one number below 2^32
_MOST_SIMPLICES = 1 << 55  # ripser's limit, 8 bits of 63 being kept for coefficients
_LITTLE = 1e8  # bytes, below which no container's limits are asked: they take 0.3 ms to read
_SAMPLE = 20_000  # simplices drawn to see how many enter


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
        most = math.comb(n_points, min(n_points // 2, maxdim + 1))
        needed = Decimal(engine.bytes_per_simplex) * most
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


def check_simplices(engine: Engine, distances: Any, maxdim: int, thresh: float) -> None:
    """Refuse more simplices of degree `maxdim` than memory holds.

    How many enter is estimated from a sample. Of a matrix of all distances none is needed that is
    longer than the smallest distance within which one point has all others: from there on the
    complex is a cone.
    """
    n, there, size = distances.shape[0], memory_of_machine(), engine.bytes_per_simplex
    if maxdim < 2 or size * math.comb(n, maxdim + 1) <= there:
        return
    there = min(there, memory_left())
    drawn = _of_graph if hasattr(distances, "tocsr") else _of_matrix
    needed = size * drawn(distances, maxdim, thresh)
    if needed > there:
        raise ValueError(
            f"maxdim={maxdim} on {n} points needs about {needed / 1e9:.3g} GB for its simplices "
            f"and there are {there / 1e9:.3g} GB; lower maxdim or thresh, or set n_landmarks"
        )


def _of_matrix(distances: np.ndarray, degree: int, thresh: float) -> float:
    """About how many simplices enter, by the share of those that are drawn."""
    n, longest = len(distances), min(thresh, float(distances.max(axis=1).min()))
    rng = np.random.default_rng(0)
    if n > 200:  # where a vertex is hardly ever drawn twice
        simplices = rng.integers(n, size=(_SAMPLE, degree + 1))
    else:
        simplices = rng.random((_SAMPLE, n)).argsort(axis=1)[:, : degree + 1]
    edges = distances[simplices[:, :, None], simplices[:, None]]
    share = float((edges.reshape(_SAMPLE, -1).max(axis=1) <= longest).mean())
    return share * math.comb(n, degree + 1)


def _of_graph(distances: Any, degree: int, thresh: float) -> float:
    """The same of a sparse matrix: a vertex and some of its neighbours, joined among themselves."""
    from scipy.special import comb

    entering = distances.tocsr(copy=True)
    entering.data = entering.data <= thresh
    entering.eliminate_zeros()
    degrees = np.diff(entering.indptr)
    stars = comb(degrees, degree)
    if not stars.any():
        return 0.0
    rng = np.random.default_rng(0)
    centres = rng.choice(len(stars), size=_SAMPLE, p=stars / stars.sum())
    joined = np.ones(_SAMPLE, bool)
    chosen = np.empty((_SAMPLE, degree), np.int64)
    for k, centre in enumerate(centres):
        places = rng.choice(degrees[centre], size=degree, replace=False)
        chosen[k] = entering.indices[entering.indptr[centre] + places]
    for first in range(degree):
        for second in range(first):
            joined &= np.asarray(entering[chosen[:, first], chosen[:, second]]).ravel() > 0
    return float(joined.mean() * stars.sum() / (degree + 1))  # seen from each of its vertices


def memory_of_machine() -> float:
    """Bytes of memory of this machine, inf where the system does not tell."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return math.inf
