"""Neural collapse: how far the classes have shrunk to points, and their means to a simplex.

Everything is computed from the class means and the deviations from them; the grand mean is the
mean of the class means, so that unequal classes do not move it. The within-class covariance S_w
averages over samples, the between-class covariance S_b over classes, as Papyan et al. write them.
Each function takes features and labels, or `Moments` of both in place of the features.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import torch

from tdafeat.checks import as_cloud, as_rows
from tdafeat.geometry.classes import classes_of, distinct, rounding
from tdafeat.geometry.moments import CHUNK, chunks
from tdafeat.record import metric


def nc1(
    features: Any, labels: Any = None, form: Literal["pinv", "pinv_sum", "trace"] = "pinv"
) -> float:
    """NC1, the collapse of within-class variability: 0 where every class is a single point.

    Parameters
    ----------
    features : (n, D); labels : (n,) with at least two classes.
    form : three numbers go by this name. ``"pinv"``: tr(S_w S_b^+) / C, the paper's;
        ``"pinv_sum"``: the same without / C; ``"trace"``: tr(S_w) / tr(S_b).

    Returns
    -------
    A number >= 0; NaN where all class means coincide.

    References
    ----------
    Papyan, Han, Donoho (2020), Prevalence of neural collapse during the terminal phase of deep
    learning training.

    Examples
    --------
    >>> nc1([[0, 0], [0, 2], [4, 0], [4, 2]], [0, 0, 1, 1], form="trace")
    0.25
    """
    if form not in ("pinv", "pinv_sum", "trace"):
        raise ValueError(f"form must be 'pinv', 'pinv_sum' or 'trace'; got {form!r}")
    classes = classes_of(features, labels)
    n_classes = len(classes.means)
    if not distinct(classes):
        return float("nan")
    if form == "trace":
        between = classes.means.square().sum() / n_classes
        return float(classes.deviations.square().sum() / classes.n / between)
    _, values, directions = torch.linalg.svd(classes.means / n_classes**0.5, full_matrices=False)
    kept = values > values[0] * max(classes.means.shape) * torch.finfo(values.dtype).eps
    # tr(S_w S_b^+) without a D x D matrix: deviations in the eigenvectors of S_b, over its roots
    scaled = classes.deviations @ directions[kept].T / values[kept]
    total = float(scaled.square().sum() / classes.n)
    return total if form == "pinv_sum" else total / n_classes


_COLLAPSE: dict[str, Any] = {
    "room": "geometry",
    "needs": ("features", "labels"),
    "scopes": ("all",),
    "range": (0.0, float("inf")),
    "invariant": ("rotation", "scale", "translation", "permutation"),
    "source": "Papyan et al. 2020",
}


@metric("nc1", title="NC1 (within-class variability)", **_COLLAPSE)
def _nc1(features: Any, labels: Any = None) -> float:
    """Within-class variability collapse, tr(S_w S_b^+) / C; 0 is full collapse."""
    # The form that is not over C is no metric of its own: it goes with everything as this one does.
    return nc1(features, labels)


@metric("nc1_trace", title="NC1 (trace ratio)", **_COLLAPSE)
def _nc1_trace(features: Any, labels: Any = None) -> float:
    """Within-class over between-class variance, tr(S_w) / tr(S_b); 0 is full collapse."""
    return nc1(features, labels, form="trace")


@metric("nc2_equinorm", title="NC2 (equal norms)", **_COLLAPSE)
def nc2_equinorm(features: Any, labels: Any = None) -> float:
    """NC2, equal norms: coefficient of variation (ddof = 1) of the centred class means' lengths.

    0 where all class means are equally far from their mean; NaN where they coincide.

    References
    ----------
    Papyan, Han, Donoho (2020).

    Examples
    --------
    >>> nc2_equinorm([[1, 0], [-1, 0]], [0, 1])
    0.0
    """
    classes = classes_of(features, labels)
    if not distinct(classes):
        return float("nan")
    norms = classes.means.norm(dim=1)
    return float(norms.std() / norms.mean())


@metric("nc2_equiangular", title="NC2 (equal angles)", version=2, **_COLLAPSE)
def nc2_equiangular(features: Any, labels: Any = None) -> float:
    """NC2, equal angles: mean over c != c' of |cos(c, c') + 1/(C - 1)| of the centred class means.

    0 for a simplex; NaN where a class mean falls on the grand mean and has no direction.

    References
    ----------
    Papyan, Han, Donoho (2020).

    Examples
    --------
    >>> nc2_equiangular([[1, 0], [-1, 0]], [0, 1])
    0.0
    """
    classes = classes_of(features, labels)
    norms = classes.means.norm(dim=1)
    if float(norms.min()) <= rounding(classes):
        return float("nan")
    directions = classes.means / norms[:, None]
    n_classes = len(directions)
    excess = (directions @ directions.T + 1 / (n_classes - 1)).abs()
    return float((excess.sum() - excess.diagonal().sum()) / (n_classes * (n_classes - 1)))


@metric("etf_distance", title="distance to a simplex", **_COLLAPSE)
def etf_distance(features: Any, labels: Any = None) -> float:
    """Distance of the class means' Gram matrix to that of a simplex equiangular tight frame.

    | M M^T / |M M^T| - (I - 11^T/C) / sqrt(C - 1) | in the Frobenius norm, between 0 and 2; NaN
    where the class means coincide.

    References
    ----------
    Zhu et al. (2021), A geometric analysis of neural collapse with unconstrained features.

    Examples
    --------
    >>> round(etf_distance([[1, 0], [-1, 0]], [0, 1]), 9)
    0.0
    """
    classes = classes_of(features, labels)
    if not distinct(classes):
        return float("nan")
    n_classes = len(classes.means)
    gram = classes.means @ classes.means.T
    simplex = torch.eye(n_classes, dtype=gram.dtype) - 1 / n_classes
    return float((gram / gram.norm() - simplex / (n_classes - 1) ** 0.5).norm())


@metric(
    "class_distance_variance",
    title="class-distance normalised variance",
    version=2,
    **(_COLLAPSE | {"source": "Galanti, Gyorgy and Hutter 2022"}),
)
def class_distance_variance(features: Any, labels: Any = None) -> float:
    """Variance within two classes over the squared distance of their means, mean over pairs.

    (var_i + var_j) / (2 |mu_i - mu_j|^2); 0 where every class is a single point; NaN where two
    class means coincide.

    References
    ----------
    Galanti, Gyorgy, Hutter (2022), On the role of neural collapse in transfer learning.

    Examples
    --------
    >>> class_distance_variance([[0, 0], [0, 2], [4, 0], [4, 2]], [0, 0, 1, 1])
    0.0625
    """
    classes = classes_of(features, labels)
    first, second = torch.triu_indices(len(classes.means), len(classes.means), offset=1)
    # pair by pair: the differences of all pairs are gigabytes for a thousand classes
    distances = torch.nn.functional.pdist(classes.means)
    if float(distances.min()) <= rounding(classes):
        return float("nan")
    total = classes.variances[first] + classes.variances[second]
    return float((total / (2 * distances.square())).mean())


def nc3(features: Any, labels: Any = None, weights: Any = None) -> float:
    """NC3, self-duality: squared distance of a linear head's weights to the centred class means.

    | W / |W| - M / |M| |^2 in the Frobenius norm, with W less its mean over the classes, on which
    no decision depends, and M the class means less the grand mean.

    Parameters
    ----------
    features : (n, D); labels : (n,) that name every class 0..C - 1.
    weights : (C, D) of a head that decides by the largest of ``weights @ x + bias``: a fitted
        probe's (`tdafeat.evaluation.Probe.head`), a network's own last layer, or the
        unit-length text features of CLIP.

    Returns
    -------
    In [0, 4], 2 for unrelated directions; NaN where all class means coincide or all weights do.

    References
    ----------
    Papyan, Han, Donoho (2020).

    Examples
    --------
    >>> corners = [[1.0, 0], [-1.0, 0]]
    >>> round(nc3(corners, [0, 1], weights=[[3.0, 1], [-3.0, 1]]), 9)
    0.0
    """
    head = torch.from_numpy(as_cloud(weights, "weights"))
    classes = classes_of(features, labels)
    if head.shape != classes.means.shape:
        raise ValueError(
            "weights must have a row for each class of labels and a column for each of features: "
            f"{tuple(classes.means.shape)}; got shape {tuple(head.shape)}"
        )
    largest = float(head.abs().max())
    head = head - head.mean(0)
    if not distinct(classes) or float(head.norm()) <= 1e-14 * largest:
        return float("nan")
    return float((head / head.norm() - classes.means / classes.means.norm()).square().sum())


def nc4(scores: Any, centre_scores: Any) -> float:
    """NC4: share of rows for which a linear head and the nearest class centre decide the same.

    Parameters
    ----------
    scores : (n, C) of the head. centre_scores : (n, C), the larger the nearer the class mean of
        the training features is, as of `tdafeat.evaluation.NearestClassMean`. Both are read a
        chunk at a time, from a memory map too.

    Returns
    -------
    In [0, 1]; 1 is full collapse.

    References
    ----------
    Papyan, Han, Donoho (2020).

    Examples
    --------
    >>> nc4([[0.9, 0.1], [0.6, 0.4]], [[-1.0, -2.0], [-3.0, -1.0]])
    0.5
    """
    scores, centre_scores = as_rows(scores, "scores"), as_rows(centre_scores, "centre_scores")
    if scores.shape != centre_scores.shape:
        raise ValueError(
            "scores and centre_scores must have the same shape; "
            f"got {tuple(scores.shape)} and {tuple(centre_scores.shape)}"
        )
    parts = chunks(scores, CHUNK, "scores"), chunks(centre_scores, CHUNK, "centre_scores")
    agreeing = [
        head.numpy().argmax(axis=1) == centres.numpy().argmax(axis=1)
        for (_, head), (_, centres) in zip(*parts, strict=True)
    ]
    return float(np.concatenate(agreeing).mean())


_HEADS = {"probe": "linear probe", "zero_shot": "zero-shot text", "head": "network's own head"}
for _head, _title in _HEADS.items():
    metric(
        f"{_head}_nc3",
        title=f"NC3 ({_title})",
        **_COLLAPSE
        | {
            "needs": ("features", "labels", f"{_head}_weights"),
            "range": (0.0, 4.0),
            "invariant": ("scale", "translation", "permutation"),
        },
    )(nc3)
    metric(
        f"{_head}_nc4",
        title=f"NC4 ({_title})",
        **_COLLAPSE
        | {
            "needs": (_head, "class_mean"),
            "scopes": ("all", "class"),
            "range": (0.0, 1.0),
            "invariant": ("permutation",),
        },
    )(nc4)
