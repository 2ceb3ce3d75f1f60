"""A heap of columns, the nearest on top, in which a column can come nearer (kernels).

`heap` holds columns, `place` where in it each column is, `distance` what they are ordered by.
"""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(inline="always")
def rise(heap: np.ndarray, place: np.ndarray, distance: np.ndarray, j: int) -> None:
    """Move column j up the heap to where its distance belongs."""
    at = place[j]
    while at > 0 and distance[heap[(at - 1) // 2]] > distance[j]:
        heap[at] = heap[(at - 1) // 2]
        place[heap[at]] = at
        at = (at - 1) // 2
    heap[at], place[j] = j, at


@njit(inline="always")
def sink(heap: np.ndarray, place: np.ndarray, distance: np.ndarray, j: int, size: int) -> None:
    """Move column j from the top of the heap down to where its distance belongs."""
    at = 0
    while 2 * at + 1 < size:
        child = 2 * at + 1
        if child + 1 < size and distance[heap[child + 1]] < distance[heap[child]]:
            child += 1
        if distance[heap[child]] >= distance[j]:
            break
        heap[at] = heap[child]
        place[heap[at]] = at
        at = child
    heap[at], place[j] = j, at
