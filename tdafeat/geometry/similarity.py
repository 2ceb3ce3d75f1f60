"""How alike two feature spaces of the same images are, whatever their axes and their scale.

The rows of both are the same images in the same order; the numbers of columns may differ, so
that noisy features are compared with clean ones and an encoder with another.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch

from tdafeat.checks import as_count, as_images
from tdafeat.geometry.moments import check_left_out
from tdafeat.geometry.paired_moments import Joint, PairedMoments
from tdafeat.geometry.pairs import pairs_of_directions
from tdafeat.geometry.ranked import ranked_distances
from tdafeat.geometry.scatter import axes_of, scatter_of, without_rounding
from tdafeat.record import metric
from tdafeat.sharing import shared

MOST_ROWS = 2000  # of which `representational_similarity` ranks all pairs

_TO_CLEAN: dict[str, Any] = {
    "room": "geometry",
    "needs": ("features", "clean"),
    "better": "higher",
    "invariant": ("rotation", "translation", "scale", "permutation"),
    "across_spaces": True,
}


@metric(
    "linear_cka",
    title="linear CKA with clean, debiased",
    range=(-1.0, 1.0),
    source="Kornblith et al. 2019; debiased as Nguyen, Raghu and Kornblith 2021",
    **_TO_CLEAN,
)
def linear_cka(a: Any, b: Any = None) -> float:
    """Linear CKA, debiased: 1 for spaces alike up to rotation and scale, 0 on average for chance.

    The cosine of the two U-centred Gram matrices. The common, biased form is above 0 for
    unrelated features, by about D / (n + D). Computed from products of columns, at most n of
    them, without the n x n matrices.

    Parameters
    ----------
    a, b : (n, D) and (n, E), rows of the same images; four rows or more. Or `PairedMoments` of
        both in place of `a`.

    Returns
    -------
    In [-1, 1]; NaN where one of the spaces shows no spread beyond its bias.

    Examples
    --------
    >>> points = np.random.default_rng(0).normal(size=(50, 4))
    >>> round(linear_cka(points, 3 * points[:, ::-1] + 1), 9)
    1.0
    """
    if isinstance(a, PairedMoments):
        check_left_out(b, "b")
        if a.n < 4:
            raise ValueError(f"moments must be of at least 4 images; got {a.n}")
        if not a.vary:
            return float("nan")
        own, cross = [_hsic_of(joint, a.n) for joint in (a.first, a.second)], _hsic_of(a.cross, a.n)
    else:
        first, second = _same_images(a, b, min_samples=4)
        own, cross = [_hsic(space, space) for space in (first, second)], _hsic(first, second)
    # Below its rounding errors a value is none: constant features would give noise over noise.
    if min(own) <= 1e-12:
        return float("nan")
    return float(np.clip(cross / np.sqrt(own[0] * own[1]), -1.0, 1.0))


@shared
def _hsic(a: _Space, b: _Space) -> float:
    products = a.own if a is b else float(_product(a, b).square().sum())
    squares = float(a.lengths.sum()), float(b.lengths.sum())
    return _u_centred(products, float(a.lengths @ b.lengths), squares, len(a.rows))


def _hsic_of(joint: Joint, n: int) -> float:
    """The same, once both spaces are scaled to a total variance of 1."""
    u, v = joint.squares
    products = np.square(joint.products / np.sqrt(u) / np.sqrt(v)).sum()
    return _u_centred(products, joint.quartic / u / v, (1.0, 1.0), n)


def _u_centred(products: float, quartic: float, squares: tuple[float, float], n: int) -> float:
    """Inner product of the U-centred linear Gram matrices (Song et al. 2012), times n (n - 3).

    Of centred rows: their columns add up to 0, so the rows of a Gram matrix without its diagonal
    add up to minus the squared lengths.
    """
    totals = squares[0] * squares[1] / ((n - 1) * (n - 2))
    return float(products - quartic + totals - 2 / (n - 2) * quartic)


@shared
def _product(a: _Space, b: _Space) -> torch.Tensor:
    return a.rows.T @ b.rows


@metric(
    "procrustes",
    title="Procrustes disparity to clean",
    range=(0.0, 1.0),
    source="Gower 1975",
    **(_TO_CLEAN | {"better": "lower"}),
)
def procrustes_disparity(a: Any, b: Any = None) -> float:
    """Procrustes disparity: what is left of the squared distance after the best rotation and scale.

    Both clouds are centred and scaled to a total variance of 1 first. 0 for clouds alike up to
    rotation, reflection, shift and scale.

    Parameters
    ----------
    a, b : (n, D) and (n, E), rows of the same images; the narrower one is thought of as padded
        with zeros. Or `PairedMoments` of both in place of `a`.

    Returns
    -------
    In [0, 1]; NaN if a cloud is a single point.

    Examples
    --------
    >>> square = np.array([[0, 0], [0, 1], [1, 1], [1, 0]])
    >>> round(procrustes_disparity(square, 5 * square[:, ::-1] + 2), 9)
    0.0
    """
    if isinstance(a, PairedMoments):
        check_left_out(b, "b")
        if not a.vary:
            return float("nan")
        u, v = a.cross.squares
        products = torch.from_numpy(a.cross.products / np.sqrt(u) / np.sqrt(v))
    else:
        first, second = _same_images(a, b, min_samples=2)
        if not (first.own and second.own):
            return float("nan")
        products = _product(first, second)
    kept = float(torch.linalg.svdvals(products).sum())
    return float(np.clip(1 - kept**2, 0.0, 1.0))


@metric(
    "representational_similarity",
    title="representational similarity to clean",
    range=(-1.0, 1.0),
    source="Kriegeskorte, Mur and Bandettini 2008",
    **_TO_CLEAN,
)
def representational_similarity(a: Any, b: Any) -> float:
    """Representational similarity: Spearman correlation of the two spaces' pairwise distances.

    Distances are Euclidean. Of more than 2,000 rows, 2,000 evenly spaced in the order of the
    second cloud's distances from its mean stand for all.

    Parameters
    ----------
    a, b : (n, D) and (n, E), rows of the same images; three rows or more.

    Returns
    -------
    In [-1, 1]; NaN where all distances of a space are equal.

    Examples
    --------
    >>> line = np.array([[0.0], [1.0], [3.0], [7.0]])
    >>> representational_similarity(line, 2 * line)
    1.0
    """
    first, second = _same_images(a, b, min_samples=3)
    chosen = _spread(second)
    x, y = _ranks(first, chosen), _ranks(second, chosen)
    lengths = float(x.norm() * y.norm())
    return float(np.clip(float(x @ y) / lengths, -1.0, 1.0)) if lengths > 0 else float("nan")


@shared
def _spread(space: _Space) -> np.ndarray:
    """Rows that stand for all: evenly spaced by their distance from the mean, 2,000 at most."""
    order = np.argsort(space.lengths.numpy(), kind="stable")
    if len(order) <= MOST_ROWS:
        return order
    return order[np.linspace(0, len(order) - 1, MOST_ROWS).round().astype(int)]


@shared
def _ranks(space: _Space, chosen: np.ndarray) -> torch.Tensor:
    return ranked_distances(space.rows[torch.from_numpy(chosen)])


@metric(
    "mutual_neighbours",
    title="nearest neighbours shared with clean",
    range=(0.0, 1.0),
    source="Huh, Cheung, Wang and Isola 2024",
    **(_TO_CLEAN | {"invariant": ("rotation", "scale", "permutation")}),
)
def mutual_neighbours(a: Any, b: Any, k: int = 10) -> float:
    """Mutual k-NN: mean share of a row's k = 10 nearest others, by cosine, that both spaces name.

    For unrelated spaces k / (n - 1) on average.

    Parameters
    ----------
    a, b : (n, D) and (n, E), rows of the same images; more than `k` rows, none of zeros alone.

    Examples
    --------
    >>> points = np.random.default_rng(0).normal(size=(50, 4))
    >>> mutual_neighbours(points, 3 * points)
    1.0
    """
    first, second = as_images(a, b, min_samples=as_count(k, "k") + 1)
    x, y = (
        pairs_of_directions(points, name, k).nearest
        for points, name in ((first, "a"), (second, "b"))
    )
    return float((x[:, :, None] == y[:, None, :]).any(axis=2).mean())


class _Space(NamedTuple):
    """A cloud of n rows, centred and scaled to a total variance of 1; zeros for a single point.

    Attributes
    ----------
    rows : (n, D), turned, where there are more columns than rows, into the space of as many
        columns that the rows span: nothing measured here depends on axes.
    lengths : (n,) their squared lengths.
    own : sum of the squared entries of X'X, X the rows; 0 for a single point.
    """

    rows: torch.Tensor
    lengths: torch.Tensor
    own: float


def _same_images(a: Any, b: Any, min_samples: int) -> tuple[_Space, _Space]:
    first, second = as_images(a, b, min_samples)
    return _space(first), _space(second)


@shared
def _space(points: np.ndarray) -> _Space:
    largest = np.abs(points).max()
    centred = points - points.mean(axis=0)
    if np.abs(centred).max() <= 1e-12 * largest:  # nothing but the rounding of the mean
        nothing = torch.zeros(points.shape, dtype=torch.float64)
        return _Space(nothing, nothing[:, 0], 0.0)
    about = scatter_of(points)
    total = about.centred.square().sum()
    if about.route == "covariance":
        rows, matrix = about.centred / total.sqrt(), about.matrix * ((len(points) - 1) / total)
        own = float(matrix.square().sum())
    else:
        axes = axes_of(points)
        values = without_rounding(axes.values, points.shape, 0.0)
        share = values / values.sum()
        rows, own = axes.vectors[:, : len(values)] * share.sqrt(), float(share.square().sum())
    return _Space(rows, rows.square().sum(1), own)
