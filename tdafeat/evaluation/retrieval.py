"""Retrieval by cosine: each sample asks for others of its class among all the rest. Exact."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tdafeat.checks import as_cloud, as_labels
from tdafeat.record import metric

CHUNK = 512  # queries ranked at a time

_RETRIEVAL: dict[str, Any] = {
    "room": "evaluation",
    "needs": ("features", "labels"),
    "scopes": ("all",),
    "better": "higher",
    "range": (0.0, 1.0),
    "invariant": ("rotation", "scale", "permutation"),
}


@metric(
    "retrieval_map",
    title="retrieval mAP",
    source="Manning et al. 2008",
    **_RETRIEVAL,
)
def mean_average_precision(features: Any, labels: Any) -> float:
    """Mean average precision of ranking all other samples by cosine.

    Samples alone in their class ask nothing; NaN where every sample is alone. Equal cosines are
    ranked in order of the rows.

    Examples
    --------
    >>> mean_average_precision([[1, 0], [1, 0.1], [0, 1], [0.1, 1]], [0, 0, 1, 1])
    1.0
    """
    precisions = []
    for relevant in _rankings(features, labels):
        found = np.cumsum(relevant, axis=1)
        precision = found / np.arange(1, relevant.shape[1] + 1)
        precisions.append((precision * relevant).sum(axis=1) / found[:, -1])
    return float(np.concatenate(precisions).mean()) if precisions else float("nan")


def precision_at(features: Any, labels: Any, k: int = 1) -> float:
    """Mean share of a sample's own class among its `k` nearest others by cosine.

    Samples alone in their class ask nothing; NaN where every sample is alone. A k outside
    1..n - 1 is a ValueError.

    Examples
    --------
    >>> precision_at([[1, 0], [1, 0.1], [0, 1], [0.1, 1]], [0, 0, 1, 1])
    1.0
    """
    n_samples = len(as_cloud(features))
    if not 1 <= k < n_samples:
        raise ValueError(f"k must lie in 1..{n_samples - 1}; got {k}")
    shares = [relevant[:, :k].mean(axis=1) for relevant in _rankings(features, labels)]
    return float(np.concatenate(shares).mean()) if shares else float("nan")


@metric("retrieval_top1", title="retrieval precision at 1", source="top-1", **_RETRIEVAL)
def _retrieval_top1(features: Any, labels: Any) -> float:
    """Share of samples whose nearest other by cosine is of their class."""
    return precision_at(features, labels)


def _rankings(features: Any, labels: Any) -> Iterator[np.ndarray]:
    """Per chunk of queries, whether each ranked other sample is relevant: (q, n - 1) bool."""
    points = as_cloud(features, min_samples=2)
    known = as_labels(labels, len(points))
    norms = np.linalg.norm(points, axis=1, keepdims=True)
    rows = points / np.where(norms > 0, norms, 1)
    _, index, counts = np.unique(known, return_inverse=True, return_counts=True)
    queries = np.flatnonzero(counts[index.reshape(-1)] > 1)
    for start in range(0, len(queries), CHUNK):
        asked = queries[start : start + CHUNK]
        cosines = rows[asked] @ rows.T
        cosines[np.arange(len(asked)), asked] = -np.inf  # last in the ranking, then cut off
        ranking = np.argsort(-cosines, axis=1, kind="stable")[:, :-1]
        yield known[ranking] == known[asked, None]
