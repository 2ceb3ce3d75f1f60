"""Kernels for the distances of many pairs of diagrams, each of which is put in order only once.

Between small diagrams a call from Python takes about as long as what it computes. numba compiles
each kernel on first use (seconds in all), then caches it on disk.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numba import njit

from tdafeat.topology.whole import bottleneck_in_order, in_order, wasserstein_in_order


class Many(NamedTuple):
    """Diagrams one after the other, as `in_order` has each: the k-th from starts[k] on."""

    finite: np.ndarray
    finite_starts: np.ndarray
    births: np.ndarray
    births_starts: np.ndarray


def gathered(diagrams: Sequence[np.ndarray]) -> Many:
    """Checked diagrams as the kernels below take them.

    Examples
    --------
    >>> gathered([np.array([[1.0, 2.0], [0.0, 3.0]]), np.array([[0.0, np.inf]])]).finite
    array([[0., 3.],
           [1., 2.]])
    """
    finite, births = [np.empty((0, 2))], [np.empty(0)]
    for diagram in diagrams:
        of_finite, of_essential = in_order(diagram)
        finite.append(diagram[of_finite])
        births.append(diagram[of_essential, 0])
    return Many(
        np.concatenate(finite),
        np.cumsum([len(bars) for bars in finite]),
        np.concatenate(births),
        np.cumsum([len(each) for each in births]),
    )


def both_gathered(first: Sequence[np.ndarray], second: Sequence[np.ndarray]) -> tuple[Many, Many]:
    """Two lists of diagrams, which may be one."""
    one = gathered(first)
    return one, one if second is first else gathered(second)


@njit(inline="always")
def _one(many: Many, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Finite bars, and births of essential ones, of the k-th diagram."""
    return (
        many.finite[many.finite_starts[k] : many.finite_starts[k + 1]],
        many.births[many.births_starts[k] : many.births_starts[k + 1]],
    )


@njit(cache=True, nogil=True)
def wasserstein_of_many(
    first: Many,
    second: Many,
    rows: np.ndarray,
    columns: np.ndarray,
    order: float,
    internal_p: float,
) -> np.ndarray:
    """Wasserstein distance of the diagram `rows[k]` of `first` to `columns[k]` of `second`."""
    distances = np.empty(len(rows))
    no_matching = bool(0)  # as a literal it would have all kernels compiled once more
    for k in range(len(rows)):
        a, births_a = _one(first, rows[k])
        b, births_b = _one(second, columns[k])
        distances[k], _ = wasserstein_in_order(
            a, births_a, b, births_b, order, internal_p, no_matching
        )
    return distances


@njit(cache=True, nogil=True)
def bottleneck_of_many(
    first: Many, second: Many, rows: np.ndarray, columns: np.ndarray
) -> np.ndarray:
    """Bottleneck distance of the diagram `rows[k]` of `first` to `columns[k]` of `second`."""
    distances = np.empty(len(rows))
    for k in range(len(rows)):
        a, births_a = _one(first, rows[k])
        b, births_b = _one(second, columns[k])
        mates_a, mates_b = np.full(len(a), -1), np.full(len(b), -1)
        distances[k] = bottleneck_in_order(a, births_a, b, births_b, mates_a, mates_b)
    return distances
