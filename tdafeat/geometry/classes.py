"""Class means and what samples deviate from them by: all that neural collapse is measured of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from tdafeat.checks import as_cloud, as_labels
from tdafeat.geometry.moments import Moments, check_left_out
from tdafeat.sharing import shared


@dataclass(frozen=True, eq=False)
class Classes:
    """Of C classes, one or more rows each."""

    means: torch.Tensor  # (C, D), less the grand mean
    deviations: torch.Tensor  # (n, D), each sample less its class mean, or as many as span them
    variances: torch.Tensor  # (C,), mean squared deviation of a class's samples
    n: int


@shared
def classes_of(features: Any, labels: Any) -> Classes:
    """Of features and labels, or of `Moments` of both; two classes or more, else a ValueError."""
    if isinstance(features, Moments):
        check_left_out(labels, "labels")
        return _of_moments(features)
    points = torch.from_numpy(as_cloud(features))
    names, index = np.unique(as_labels(labels, len(points)), return_inverse=True)
    if len(names) < 2:
        raise ValueError(f"labels must name at least two classes; got {len(names)}")
    member = torch.from_numpy(index.reshape(-1))
    # relative to the first sample, so that a large common offset costs no digits
    points = points - points[0]
    counts = torch.bincount(member).to(points.dtype)
    means = torch.zeros((len(names), points.shape[1]), dtype=points.dtype)
    means = means.index_add(0, member, points) / counts[:, None]
    deviations = points - means[member]
    squares = deviations.square().sum(1)
    variances = torch.zeros_like(counts).index_add(0, member, squares) / counts
    return Classes(means - means.mean(0), deviations, variances, len(points))


def _of_moments(moments: Moments) -> Classes:
    if len(moments.classes) < 2:
        raise ValueError(f"moments must be of at least two classes; got {len(moments.classes)}")
    # (D, D) rows with the scatter of all deviations: nothing below asks for more of these
    values, directions = torch.linalg.eigh(torch.from_numpy(moments.within))
    deviations = values.clamp(min=0).sqrt()[:, None] * directions.T
    means = torch.from_numpy(moments.means - moments.means[0])
    variances = torch.from_numpy(moments.squares / moments.counts)
    return Classes(means - means.mean(0), deviations, variances, moments.n)


def rounding(classes: Classes) -> float:
    """Length at or below which a difference of class means is rounding."""
    return 1e-14 * max(float(classes.deviations.norm()), float(classes.means.norm()))


def distinct(classes: Classes) -> bool:
    """Whether the class means differ at all, beyond rounding."""
    return float(classes.means.norm()) > rounding(classes)
