"""Joint moments of two feature spaces: exact likeness without either cloud, mergeable.

What linear CKA and Procrustes need of two spaces of the same images are products of their columns,
and of the squared lengths of their rows. Both are sums over images, about means that are known
only at the end: third moments are kept to move the fourth ones there. What alignment and
displacement need are sums of a distance between the two rows of an image.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from tdafeat.checks import as_rows, check_same_images
from tdafeat.directions import directions
from tdafeat.geometry.moments import CHUNK, chunks


@dataclass(frozen=True, eq=False)
class Joint:
    """Moments of n rows (x, y) about their means, of one space with another or with itself.

    Attributes
    ----------
    products : (D, E) sum of x y'.
    squares : sum of |x|^2, and of |y|^2.
    tilted : (D,) sum of |y|^2 x, and (E,) sum of |x|^2 y.
    quartic : sum of |x|^2 |y|^2.
    """

    products: np.ndarray
    squares: tuple[float, float]
    tilted: tuple[np.ndarray, np.ndarray]
    quartic: float

    @classmethod
    def of(cls, x: torch.Tensor, y: torch.Tensor) -> Joint:
        """Of rows less their mean."""
        u, v = x.square().sum(1), y.square().sum(1)
        return cls(
            (x.T @ y).numpy(),
            (float(u.sum()), float(v.sum())),
            ((v @ x).numpy(), (u @ y).numpy()),
            float(u @ v),
        )

    def about(self, n: int, d: np.ndarray, e: np.ndarray) -> Joint:
        """The same about points that lie `d` and `e` from the means of these n rows."""
        p, (u, v), (t, s) = self.products, self.squares, self.tilted
        dd, ee = float(d @ d), float(e @ e)
        pe, dp = p @ e, d @ p
        return Joint(
            p + n * np.outer(d, e),
            (u + n * dd, v + n * ee),
            (t - v * d - 2 * pe - n * ee * d, s - u * e - 2 * dp - n * dd * e),
            float(
                self.quartic - 2 * (e @ s + d @ t) + 4 * (d @ pe) + ee * u + dd * v + n * dd * ee
            ),
        )

    def __add__(self, other: Joint) -> Joint:
        """Of both together, about the same points."""
        return Joint(
            self.products + other.products,
            (self.squares[0] + other.squares[0], self.squares[1] + other.squares[1]),
            (self.tilted[0] + other.tilted[0], self.tilted[1] + other.tilted[1]),
            self.quartic + other.quartic,
        )


@dataclass(frozen=True, eq=False)
class PairedMoments:
    """Joint moments of two feature spaces of the same images.

    `linear_cka`, `procrustes_disparity`, `alignment` and `displacement` take them in place of the
    two clouds. Gathered a chunk at a time, merged by `+`, in any order: parts of a data set may be
    read on several machines.

    Attributes
    ----------
    n : number of images.
    means : (D,) and (E,).
    cross, first, second : `Joint` moments of both spaces, and of each with itself.
    moved : sum of the distances of x and y; NaN for unequal numbers of columns.
    turned : sum of the squared distances of x and y as unit vectors; NaN then too, and where a row
        is all zeros and has no direction.

    References
    ----------
    Chan, Golub, LeVeque (1983), Algorithms for computing the sample variance.

    Examples
    --------
    >>> from tdafeat.geometry import linear_cka
    >>> a = np.random.default_rng(0).normal(size=(60, 3))
    >>> parts = [PairedMoments.of(a[rows], 2 * a[rows]) for rows in (slice(25), slice(25, None))]
    >>> round(linear_cka(parts[0] + parts[1]), 9)
    1.0
    """

    n: int
    means: tuple[np.ndarray, np.ndarray]
    cross: Joint
    first: Joint
    second: Joint
    moved: float
    turned: float

    @classmethod
    def of(cls, a: Any, b: Any, chunk: int = CHUNK) -> PairedMoments:
        """Gather the moments of two spaces, `chunk` rows of each at a time.

        Parameters
        ----------
        a, b : (n, D) and (n, E) array-like, torch tensor or numpy memory map, n >= 1, rows of the
            same images.

        Raises
        ------
        ValueError or TypeError as for any other features, by the chunk that a wrong row is in; for
        unequally many rows, or a `chunk` below 1.
        """
        a, b = as_rows(a, "a"), as_rows(b, "b")
        check_same_images(a, b)
        total: PairedMoments | None = None
        for (_, x), (_, y) in zip(chunks(a, chunk, "a"), chunks(b, chunk, "b"), strict=True):
            part = cls._of_chunk(x, y)
            total = part if total is None else total + part
        assert total is not None
        return total

    @classmethod
    def _of_chunk(cls, x: torch.Tensor, y: torch.Tensor) -> PairedMoments:
        moved = turned = float("nan")
        if x.shape == y.shape:
            moved = float((x - y).norm(dim=1).sum())
            u, v = directions(x.numpy()), directions(y.numpy())
            if u.any(axis=1).all() and v.any(axis=1).all():
                turned = float(np.square(u - v).sum())
        means = x.mean(0), y.mean(0)
        x, y = x - means[0], y - means[1]
        joints = Joint.of(x, y), Joint.of(x, x), Joint.of(y, y)
        return cls(len(x), (means[0].numpy(), means[1].numpy()), *joints, moved, turned)

    @property
    def vary(self) -> bool:
        """Whether the images differ in both spaces, beyond the rounding of a mean."""
        return all(
            joint.squares[0] > 1e-24 * self.n * float(mean @ mean)
            for joint, mean in zip((self.first, self.second), self.means, strict=True)
        )

    def __add__(self, other: PairedMoments) -> PairedMoments:
        """Moments of both sets of images together; they must not share any."""
        shapes = self.cross.products.shape, other.cross.products.shape
        if shapes[0] != shapes[1]:
            raise ValueError(
                "moments must be of equally many columns to be added; "
                f"got {shapes[0]} and {shapes[1]}"
            )
        n = self.n + other.n
        gaps = [q - p for p, q in zip(self.means, other.means, strict=True)]
        means = tuple(p + gap * (other.n / n) for p, gap in zip(self.means, gaps, strict=True))
        moved = []
        for part, share in ((self, other.n / n), (other, -self.n / n)):
            d, e = (share * gap for gap in gaps)
            moved.append(
                (
                    part.cross.about(part.n, d, e),
                    part.first.about(part.n, d, d),
                    part.second.about(part.n, e, e),
                )
            )
        cross, first, second = (p + q for p, q in zip(*moved, strict=True))
        sums = self.moved + other.moved, self.turned + other.turned
        return PairedMoments(n, (means[0], means[1]), cross, first, second, *sums)
