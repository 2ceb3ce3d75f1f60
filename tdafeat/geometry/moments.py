"""Counts, means and scatter of a cloud: exact spectra and class statistics without the cloud.

Moments are gathered a chunk at a time, so that the features may be a memory-mapped file larger than
memory, and merge: the parts of a data set may be read in any order, on several machines.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from tdafeat.checks import as_cloud, as_count, as_labels, as_rows
from tdafeat.directions import directions
from tdafeat.mapped import give_back

CHUNK = 8192  # rows read at a time: 32 MB in float64 at 512 columns


@dataclass(frozen=True, eq=False)
class Moments:
    """First and second moments of a cloud whose rows fall into classes.

    Attributes
    ----------
    classes : (C,) int64, ascending.
    counts : (C,) int64, rows of each class.
    means : (C, D) float64, mean of each class.
    squares : (C,) float64, sum of the squared distances of a class's rows to its mean.
    within : (D, D) float64, sum over all rows of the outer square of the deviation from the mean
        of their own class.
    directions : (D,) float64, sum of the rows, each divided by its length; NaN where one is all
        zeros and has no direction.
    scatters : (C, D, D) float64, `within` of each class alone, whose sum it is; None unless they
        were asked for.

    `spectrum`, `rankme`, `total_variance`, `mean_cosine`, `principal_components`,
    `collapse_verdict`, `nc1` and the other class statistics of `tdafeat.geometry`, and with
    scatters `class_angles`, take moments in place of features and labels; `principal_angles` and
    `angles_to_clean` take those of both clouds.

    References
    ----------
    Chan, Golub, LeVeque (1983), Algorithms for computing the sample variance.

    Examples
    --------
    >>> cloud = np.array([[0.0, 0], [0, 2], [4, 0], [4, 2]])
    >>> first, second = (Moments.of(cloud[part], [0, 1]) for part in ([0, 2], [1, 3]))
    >>> (first + second).means
    array([[0., 1.],
           [4., 1.]])
    """

    classes: np.ndarray
    counts: np.ndarray
    means: np.ndarray
    squares: np.ndarray
    within: np.ndarray
    directions: np.ndarray
    scatters: np.ndarray | None = None

    @classmethod
    def of(
        cls, features: Any, labels: Any = None, chunk: int = CHUNK, scatters: bool = False
    ) -> Moments:
        """Gather the moments of a cloud, `chunk` rows at a time.

        Parameters
        ----------
        features : (n, D) array-like or torch tensor, n >= 1; a numpy memory map is read in
            chunks, and its pages are given back as they are done with.
        labels : (n,) class of each row; None puts all rows into one class, 0.
        scatters : keep the scatter of each class: C D^2 numbers, 2 GB for 1,000 classes and 512
            columns.

        Raises
        ------
        ValueError or TypeError as for any other features, by the chunk that a wrong row is in; for
        a `chunk` below 1.
        """
        features = as_rows(features)
        n = len(features)
        known = as_labels(np.zeros(n) if labels is None else labels, n)
        total: Moments | None = None
        for start, rows in chunks(features, chunk):
            part = cls._of_chunk(rows, known[start : start + len(rows)], scatters)
            total = part if total is None else total + part
        assert total is not None
        return total

    @classmethod
    def _of_chunk(cls, rows: torch.Tensor, labels: np.ndarray, scatters: bool) -> Moments:
        classes, index = np.unique(labels, return_inverse=True)
        member = torch.from_numpy(index.reshape(-1))
        counts = torch.bincount(member)
        origin = rows[0]  # means relative to a row: a large common offset costs no digits
        sums = torch.zeros((len(classes), rows.shape[1]), dtype=rows.dtype)
        means = sums.index_add(0, member, rows - origin) / counts[:, None] + origin
        deviations = rows - means[member]
        squares = torch.zeros(len(classes), dtype=rows.dtype)
        squares = squares.index_add(0, member, deviations.square().sum(1))
        units = directions(rows.numpy())
        along = units.sum(axis=0) if units.any(axis=1).all() else np.full(rows.shape[1], np.nan)
        each = None
        if scatters:
            own = [deviations[member == c] for c in range(len(classes))]
            each = torch.stack([part.T @ part for part in own]).numpy()
        within = (deviations.T @ deviations).numpy() if each is None else each.sum(axis=0)
        first = classes, counts.numpy(), means.numpy(), squares.numpy()
        return cls(*first, within, along, each)

    def __add__(self, other: Moments) -> Moments:
        """Moments of both clouds together; they must not share rows."""
        if self.means.shape[1] != other.means.shape[1]:
            raise ValueError(
                "moments must be of equally many columns to be added; "
                f"got {self.means.shape[1]} and {other.means.shape[1]}"
            )
        if (self.scatters is None) != (other.scatters is None):
            raise ValueError("moments must both keep the scatters of classes, or neither")
        classes = np.union1d(self.classes, other.classes)
        counts = np.zeros((2, len(classes)), dtype=np.int64)
        means = np.zeros((2, len(classes), self.means.shape[1]))
        squares = np.zeros(len(classes))
        for k, part in enumerate((self, other)):
            own = np.searchsorted(classes, part.classes)
            counts[k, own], means[k, own] = part.counts, part.means
            squares[own] += part.squares
        total = counts.sum(0)
        # a class that only one part has keeps that part's mean: the other's share is 0
        gap = (means[1] - means[0]) * (counts > 0).all(0)[:, None]
        start = np.where(counts[0] > 0, 0, 1)
        merged = means[start, np.arange(len(classes))] + gap * (counts[1] / total)[:, None]
        weighted = torch.from_numpy(gap * np.sqrt(counts[0] * (counts[1] / total))[:, None])
        within = self.within + other.within + (weighted.T @ weighted).numpy()
        scatters = None
        if self.scatters is not None and other.scatters is not None:
            scatters = (weighted[:, :, None] * weighted[:, None, :]).numpy()
            for part in (self, other):
                scatters[np.searchsorted(classes, part.classes)] += part.scatters
        squares += weighted.square().sum(1).numpy()
        directions = self.directions + other.directions
        return Moments(classes, total, merged, squares, within, directions, scatters)

    @property
    def n(self) -> int:
        """Number of rows."""
        return int(self.counts.sum())

    @property
    def mean(self) -> np.ndarray:
        """(D,) mean of all rows."""
        return self.means[0] + (self.counts / self.n) @ (self.means - self.means[0])

    @property
    def scatter(self) -> np.ndarray:
        """(D, D) sum over all rows of the outer square of the deviation from the mean."""
        return self._about(self.mean)

    @property
    def raw(self) -> np.ndarray:
        """(D, D) sum over all rows of their outer square, not centred."""
        return self._about(np.zeros(self.means.shape[1]))

    def _about(self, origin: np.ndarray) -> np.ndarray:
        away = torch.from_numpy((self.means - origin) * np.sqrt(self.counts)[:, None])
        return self.within + (away.T @ away).numpy()


def chunks(features: Any, size: int, name: str = "features") -> Iterator[tuple[int, torch.Tensor]]:
    """First row and rows of each chunk of features, checked, as float64 tensors."""
    size = as_count(size, "chunk")
    for start in range(0, len(features), size):
        rows = features[start : start + size]
        part = f"{name}[{start}:{start + len(rows)}]"
        yield start, torch.from_numpy(np.array(as_cloud(rows, part)))
        give_back(features)


def check_left_out(value: Any, name: str) -> None:
    """Refuse what would be given a second time beside moments."""
    if value is not None:
        raise ValueError(f"{name} must be left out beside moments, which are of both already")
