"""A plain verdict on collapse, with the numbers that it rests on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from tdafeat.checks import as_cloud, as_labels
from tdafeat.geometry.collapse import nc1
from tdafeat.geometry.moments import Moments, check_left_out
from tdafeat.geometry.spectra import collapsed_dimensions, effective_rank, spectrum
from tdafeat.geometry.spectral_metrics import total_variance
from tdafeat.geometry.uniformity import mean_cosine
from tdafeat.sharing import sharing

LARGEST_COSINE = 0.999  # directions that differ by less than three degrees
SMALLEST_SHARE = 0.1  # of the between-class variance
SMALLEST_RANK = 2.0
LARGEST_LOSS = 0.75  # of the directions

_WORDS = {
    "effective_rank": "effective rank {:.3g}",
    "collapsed_dimensions": "{:.0%} of the directions hold next to no variance",
    "nc1_trace": "within-class over between-class variance {:.2g}",
    "mean_cosine": "mean cosine {:.3g}",
}


@dataclass(frozen=True)
class CollapseVerdict:
    """Which kind of collapse a cloud shows, the strongest of several, and the evidence.

    Attributes
    ----------
    kind : ``"complete"``, ``"class"``, ``"dimensional"`` or ``"none"``.
    evidence : the values that were looked at, by the name of their metric.
    """

    kind: Literal["none", "dimensional", "class", "complete"]
    evidence: Mapping[str, float]

    def __str__(self) -> str:
        told = [
            words.format(self.evidence[name])
            for name, words in _WORDS.items()
            if np.isfinite(self.evidence.get(name, np.nan))
        ]
        start = "no collapse" if self.kind == "none" else f"{self.kind} collapse"
        return f"{start} ({', '.join(told)})" if told else start


def collapse_verdict(features: Any, labels: Any = None) -> CollapseVerdict:
    """Say whether a cloud has collapsed: to a point, each class to a point, or to few directions.

    Parameters
    ----------
    features : (n, D), two rows or more, or `Moments` of them and their labels; a row of zeros has
        no direction, and then only the spread about the mean tells of a complete collapse.
    labels : (n,) class of each row; without them, or of one class, class collapse is not judged.

    Returns
    -------
    `CollapseVerdict`, by the rules of `judge`.

    Examples
    --------
    >>> points = np.random.default_rng(0).normal(size=(60, 4))
    >>> collapse_verdict(points).kind
    'none'
    >>> collapse_verdict(points * [1, 1e-6, 1e-6, 1e-6]).kind
    'dimensional'
    >>> collapse_verdict(np.eye(3)[[0, 0, 1, 1, 2, 2]], [0, 0, 1, 1, 2, 2]).kind
    'class'
    """
    if isinstance(features, Moments):
        check_left_out(labels, "labels")
        cloud: Any = features
        directed, n_classes = not np.isnan(features.directions).any(), len(features.classes)
    else:
        cloud = as_cloud(features, min_samples=2)
        directed = cloud.any(axis=1).all()
        n_classes = 1 if labels is None else len(np.unique(as_labels(labels, len(cloud))))
    with sharing():
        values = spectrum(cloud)
        found = {
            "total_variance": total_variance(cloud),
            "effective_rank": effective_rank(values),
            "collapsed_dimensions": collapsed_dimensions(values),
        }
        if directed:
            found["mean_cosine"] = mean_cosine(cloud)
        if n_classes > 1:
            found["nc1_trace"] = nc1(cloud, labels, form="trace")
    return judge(found)


def judge(values: Mapping[str, float]) -> CollapseVerdict:
    """The verdict on metrics that were measured already, those of `collapse_verdict` or some.

    Complete: no variance, or a mean cosine above 0.999. Class: the variance within classes is
    below a tenth of that between them (``nc1_trace``). Dimensional: the effective rank is below
    2, or three quarters of the directions hold less than 1e-4 of the largest variance
    (``collapsed_dimensions``). The bounds are conventions of this package; what is missing or NaN
    does not speak.

    References
    ----------
    Jing, Vincent, LeCun, Tian (2022), Understanding dimensional collapse in contrastive
    self-supervised learning (complete and dimensional); Papyan, Han, Donoho (2020) (of classes).

    Examples
    --------
    >>> judge({"nc1_trace": 0.02, "effective_rank": 9.0}).kind
    'class'
    """
    own = {name: float(values.get(name, np.nan)) for name in (*_WORDS, "total_variance")}
    if own["total_variance"] == 0 or own["mean_cosine"] > LARGEST_COSINE:
        kind: Literal["none", "dimensional", "class", "complete"] = "complete"
    elif own["nc1_trace"] < SMALLEST_SHARE:
        kind = "class"
    elif own["effective_rank"] < SMALLEST_RANK or own["collapsed_dimensions"] >= LARGEST_LOSS:
        kind = "dimensional"
    else:
        kind = "none"
    return CollapseVerdict(kind, {name: own[name] for name in own if name in values})
