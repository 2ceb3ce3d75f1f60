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
    _check_k(features, k)
    shares = [relevant[:, :k].mean(axis=1) for relevant in _rankings(features, labels)]
    return float(np.concatenate(shares).mean()) if shares else float("nan")


def top_k_accuracy(features: Any, labels: Any, k: int = 1) -> float:
    """Share of samples with one of their own class among their `k` nearest others by cosine.

    Also known as recall at k, or hit rate. Samples alone in their class ask nothing; NaN where
    every sample is alone. A k outside 1..n - 1 is a ValueError.

    Examples
    --------
    >>> row = [[1, 0], [1, 0.1], [0, 1], [0.1, 1], [1, 0.05]]
    >>> top_k_accuracy(row, [0, 0, 1, 1, 1]), top_k_accuracy(row, [0, 0, 1, 1, 1], k=2)
    (0.4, 0.8)
    """
    _check_k(features, k)
    hits = [relevant[:, :k].any(axis=1) for relevant in _rankings(features, labels)]
    return float(np.concatenate(hits).mean()) if hits else float("nan")


def _check_k(features: Any, k: int) -> None:
    n_samples = len(as_cloud(features))
    if not 1 <= k < n_samples:
        raise ValueError(f"k must lie in 1..{n_samples - 1}; got {k}")


def _register(k: int) -> None:
    def measure(features: Any, labels: Any) -> float:
        return top_k_accuracy(features, labels, k)

    measure.__doc__ = f"Share of samples with one of their class among their {k} nearest others."
    title, source = f"retrieval top-{k} accuracy", "Manning et al. 2008"
    metric(f"retrieval_top{k}", title=title, source=source, **_RETRIEVAL)(measure)


for _k in (1, 5, 10):
    _register(_k)


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
