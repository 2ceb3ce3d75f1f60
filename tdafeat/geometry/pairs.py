"""One pass over all pairs of rows, for everything that metrics read from their distances.

Every distance is made of the inner products of centred rows: the Euclidean ones, and those of the
rows as directions. Where metrics share their work, one pass finds both.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numba import njit

from tdafeat.checks import as_cloud
from tdafeat.directions import directions, unit_rows
from tdafeat.geometry.threads import over_threads
from tdafeat.sharing import is_sharing, shared

CHUNK = 256  # rows compared with all later ones at a time: 2 MB per thousand rows
COMMON = 20  # neighbours found at once where metrics share them: none of them asks for more
NEAR = 1e-4  # of the squared lengths; below it a squared distance is taken from differences
SHORT = 0.1  # of the length of the mean: shorter rows would lose digits as directions


class Pairs(NamedTuple):
    """What a pass over all pairs of n rows found.

    Attributes
    ----------
    distances, nearest : (n, k) float64 and int64, Euclidean distances to the k nearest other
        rows, ascending, and which rows they are.
    kernel : mean of exp(-2 |x - y|^2) over all pairs; NaN where it was not asked for.
    """

    distances: np.ndarray
    nearest: np.ndarray
    kernel: float


class _Reading(NamedTuple):
    """How inner products of centred rows are read as squared distances.

    |i - j|^2 = square_i + square_j - 2 scale_i scale_j (product_ij + shift_i + shift_j), (n,) each.
    """

    square: np.ndarray
    scale: np.ndarray
    shift: np.ndarray
    kernel: bool


def all_pairs(points: np.ndarray, k: int, kernel: bool = False) -> Pairs:
    """Compare every two of more than `k` rows, once for all who share it.

    Examples
    --------
    >>> all_pairs(np.array([[0.0], [1.0], [3.0]]), 1).nearest.ravel()
    array([1, 0, 1])
    """
    if is_sharing() and not kernel and _as_directions(points) is not None:
        return _first(_both(points, _common(points, k))[0], k)
    return _first(_alone(points, _common(points, k), kernel), k)


def pairs_of_directions(
    features: Any, name: str = "features", k: int = 1, kernel: bool = False
) -> Pairs:
    """All pairs of the rows on the unit sphere, with the k nearest of each.

    Where metrics share the pass, it takes the kernel with it whoever comes first.
    """
    units = unit_rows(features, name, min_samples=k + 1)
    if is_sharing():
        points = as_cloud(features, name)
        if _as_directions(points) is not None:
            return _first(_both(points, _common(points, k))[1], k)
    return _first(_alone(units, _common(units, k), kernel or is_sharing()), k)


def _common(points: np.ndarray, k: int) -> int:
    return max(k, min(COMMON, len(points) - 1)) if is_sharing() else k


def _first(pairs: Pairs, k: int) -> Pairs:
    return Pairs(pairs.distances[:, :k], pairs.nearest[:, :k], pairs.kernel)


@shared
def _alone(points: np.ndarray, k: int, kernel: bool) -> Pairs:
    centred = points - points.mean(axis=0)  # a common offset costs digits
    (found,) = _compare(centred, k, [_euclidean(centred, kernel)])
    return _refined(points, *found)


@shared
def _both(points: np.ndarray, k: int) -> tuple[Pairs, Pairs]:
    """Of the rows, and of their directions."""
    centred = points - points.mean(axis=0)
    units, reading = directions(points), _as_directions(points)
    assert reading is not None
    plain, turned = _compare(centred, k, [_euclidean(centred, False), reading])
    return _refined(points, *plain), _refined(units, *turned)


def _euclidean(centred: np.ndarray, kernel: bool) -> _Reading:
    n_samples = len(centred)
    lengths = np.einsum("nd,nd->n", centred, centred)
    return _Reading(lengths, np.ones(n_samples), np.zeros(n_samples), kernel)


@shared
def _as_directions(points: np.ndarray) -> _Reading | None:
    """The rows read as directions; None where that would cost digits, or a row has no direction."""
    mean = points.mean(axis=0)
    lengths, offset = np.linalg.norm(points, axis=1), np.linalg.norm(mean)
    if lengths.min() <= SHORT * offset or lengths.min() < 1e-100:
        return None
    # x.y = (x - m).(y - m) + m.x + m.y - m.m
    return _Reading(np.ones(len(points)), 1 / lengths, points @ mean - offset**2 / 2, True)


def _compare(
    centred: np.ndarray, k: int, readings: Sequence[_Reading]
) -> list[tuple[np.ndarray, np.ndarray, np.ndarray, float]]:
    """By each reading, squared lengths, those of distances to the k nearest, which, the kernel."""
    rows = torch.from_numpy(centred)
    n_samples, step = len(rows), torch.get_num_threads()

    def part(first: int) -> tuple[list[tuple[np.ndarray, np.ndarray]], list[list[float]]]:
        """Heaps and sums of the kernel, by reading, of each `step`-th chunk from the `first`."""
        heaps = [
            (np.full((n_samples, k), np.inf), np.zeros((n_samples, k), dtype=np.int64))
            for _ in readings
        ]
        sums: list[list[float]] = [[] for _ in readings]
        memory = rows.new_empty(min(CHUNK, n_samples) * n_samples)
        for start in range(first * CHUNK, n_samples, step * CHUNK):
            own, later = rows[start : start + CHUNK], rows[start:]
            products = memory[: len(own) * len(later)].view(len(own), len(later))
            torch.matmul(own, later.T, out=products)
            for reading, heap, total in zip(readings, heaps, sums, strict=True):
                _offer(products.numpy(), start, *reading, *heap)
                if reading.kernel:
                    total.append(float(products.mul_(-2).exp_().sum()))
        return heaps, sums

    parts = over_threads(part, range(min(step, -(-n_samples // CHUNK))))
    found = []
    for place, reading in enumerate(readings):
        squared = np.concatenate([heaps[place][0] for heaps, _ in parts], axis=1)
        nearest = np.concatenate([heaps[place][1] for heaps, _ in parts], axis=1)
        kept = np.lexsort((nearest, squared))[:, :k]
        # exact, so that it does not depend on who summed what
        total = math.fsum(value for _, sums in parts for value in sums[place])
        found.append(
            (
                reading.square,
                np.take_along_axis(squared, kept, axis=1),
                np.take_along_axis(nearest, kept, axis=1),
                2 * total / (n_samples * (n_samples - 1)) if reading.kernel else np.nan,
            )
        )
    return found


def _refined(
    points: np.ndarray,
    lengths: np.ndarray,
    squared: np.ndarray,
    nearest: np.ndarray,
    kernel: float,
) -> Pairs:
    """Distances from squared ones, and once more from differences between near rows.

    Sums of squares have few digits left there. A column at a time: the differences of all k would
    fill memory where D is large.
    """
    distances = np.sqrt(squared.clip(min=0))
    near = squared < NEAR * (lengths[:, None] + lengths[nearest])
    for column in np.flatnonzero(near.any(axis=0)):
        (close,) = np.nonzero(near[:, column])
        differences = points[close] - points[nearest[close, column]]
        distances[close, column] = np.linalg.norm(differences, axis=1)
    order = distances.argsort(axis=1, kind="stable")
    return Pairs(
        np.take_along_axis(distances, order, axis=1),
        np.take_along_axis(nearest, order, axis=1),
        kernel,
    )


@njit(cache=True, nogil=True)
def _offer(
    products: np.ndarray,
    start: int,
    square: np.ndarray,
    scale: np.ndarray,
    shift: np.ndarray,
    keep: bool,
    closest: np.ndarray,
    nearest: np.ndarray,
) -> None:
    """Offer every pair of a row from `start` on and a later one to both rows.

    Each row of `closest` is a heap, its largest value first; of equal values the larger name. To
    `keep` the squared distances is to write them over the products, and infinity over the rest.
    """
    farthest = closest[:, 0].copy()  # side by side, because every pair looks at them
    square, scale, shift = square[start:], scale[start:], shift[start:]
    values = np.empty(products.shape[1])
    for i in range(products.shape[0]):
        own = start + i
        for j in range(products.shape[1]):  # apart from what follows, so that it takes few steps
            read = scale[i] * scale[j] * (products[i, j] + shift[i] + shift[j])
            values[j] = square[i] + square[j] - 2 * read
        for j in range(i + 1, products.shape[1]):
            value, other = values[j], start + j
            if value <= farthest[own]:
                _replace_farthest(closest[own], nearest[own], value, other)
                farthest[own] = closest[own, 0]
            if value <= farthest[other]:
                _replace_farthest(closest[other], nearest[other], value, own)
                farthest[other] = closest[other, 0]
        if keep:
            products[i] = np.maximum(values, 0.0)
            products[i, : i + 1] = np.inf


@njit(cache=True, nogil=True)
def _replace_farthest(closest: np.ndarray, nearest: np.ndarray, value: float, name: int) -> None:
    """Put a value in the place of the farthest, unless it comes later in the order."""
    if closest[0] == value and nearest[0] < name:
        return
    place = 0
    while True:
        child = 2 * place + 1
        if child + 1 < len(closest) and _after(closest, nearest, child + 1, child):
            child += 1
        if child >= len(closest) or closest[child] < value:
            break
        if closest[child] == value and nearest[child] < name:
            break
        closest[place], nearest[place] = closest[child], nearest[child]
        place = child
    closest[place], nearest[place] = value, name


@njit(cache=True, nogil=True)
def _after(closest: np.ndarray, nearest: np.ndarray, a: int, b: int) -> bool:
    if closest[a] != closest[b]:
        return closest[a] > closest[b]
    return nearest[a] > nearest[b]
