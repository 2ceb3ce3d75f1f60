"""Retrieval by cosine: each sample asks for others of its class among all the rest. Exact.

Of large sets FAISS (extra ``[faiss]``), where it is installed, makes the shortlist of the nearest
in float32; their cosines are then computed in float64, and a sample whose nearest might stand
outside its shortlist is searched in full, so that the numbers are the same. Where the k-th and
later ones are equally near, those that come first in the rows are taken.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import numpy as np

from tdafeat.checks import as_cloud, as_count, as_labels
from tdafeat.directions import directions
from tdafeat.record import metric

CHUNK = 512  # queries ranked at a time
LARGE = 10_000  # samples from which FAISS is asked
SPARE = 32  # longer than needed a shortlist is
TIE = 1e-12  # cosines no further apart are equal

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
    ranked in order of the rows. Every sample is ranked, however far it is, so that no index of
    near ones, as FAISS makes, could save any of it: time grows with the square of the rows.

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
    relevant = _nearest_relevant(features, labels, k)
    return float(relevant.mean()) if len(relevant) else float("nan")


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
    relevant = _nearest_relevant(features, labels, k)
    return float(relevant.any(axis=1).mean()) if len(relevant) else float("nan")


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
    rows, known, queries = _asked(features, labels)
    for start in range(0, len(queries), CHUNK):
        asked = queries[start : start + CHUNK]
        ranking = np.argsort(_distances(rows, asked), axis=1, kind="stable")[:, :-1]
        yield known[ranking] == known[asked, None]


def _nearest_relevant(features: Any, labels: Any, k: int) -> np.ndarray:
    """Whether each of the k nearest others of each query is relevant: (queries, k) bool."""
    rows, known, queries = _asked(features, labels)
    if as_count(k, "k") >= len(rows):
        raise ValueError(f"k must lie in 1..{len(rows) - 1}; got {k}")
    large = len(rows) >= LARGE and k + SPARE < len(rows) and find_spec("faiss") is not None
    nearest = _shortlisted(rows, queries, k) if large else _nearest(rows, queries, k)
    return known[nearest] == known[queries, None]


def _asked(features: Any, labels: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Unit rows, their classes, and which of them are not alone in their class."""
    points = as_cloud(features, min_samples=2)
    known = as_labels(labels, len(points))
    _, index, counts = np.unique(known, return_inverse=True, return_counts=True)
    return directions(points), known, np.flatnonzero(counts[index.reshape(-1)] > 1)


def _distances(rows: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Minus the cosine of each asked row with every row, (q, n); a row is farthest from itself."""
    found = -(rows[asked] @ rows.T)
    found[np.arange(len(asked)), asked] = np.inf
    return found


def _nearest(rows: np.ndarray, queries: np.ndarray, k: int) -> np.ndarray:
    """The k nearest others of each query, (queries, k), in no order among themselves."""
    parts = [
        _selected(_distances(rows, queries[start : start + CHUNK]), k)
        for start in range(0, len(queries), CHUNK)
    ]
    return np.concatenate(parts) if parts else np.empty((0, k), dtype=np.int64)


def _selected(distances: np.ndarray, k: int) -> np.ndarray:
    """Columns of the k smallest of each row; of those equal to the k-th the first ones."""
    kth = np.partition(distances, k - 1, axis=1)[:, k - 1, None]
    turn = (distances >= kth - TIE).astype(np.uint8) + (distances > kth + TIE)
    return np.argsort(turn, axis=1, kind="stable")[:, :k]


def _shortlisted(rows: np.ndarray, queries: np.ndarray, k: int) -> np.ndarray:
    """The same by FAISS: k and some more of each query in float32, then judged in float64."""
    import faiss

    single = rows.astype(np.float32)
    index = faiss.IndexFlatIP(rows.shape[1])
    index.add(single)
    nearest = np.empty((len(queries), k), dtype=np.int64)
    unsure = np.empty(len(queries), dtype=bool)
    # how far a float32 cosine of unit rows can be off: a rounding for each product and sum
    slack = (rows.shape[1] + 2) * np.finfo(np.float32).eps
    for start in range(0, len(queries), CHUNK):
        asked = queries[start : start + CHUNK]
        cosines, listed = index.search(single[asked], k + SPARE)
        listed.sort(axis=1)
        distances = -np.einsum("qd,qsd->qs", rows[asked], rows[listed])
        distances[listed == asked[:, None]] = np.inf
        chosen = slice(start, start + len(asked))
        nearest[chosen] = np.take_along_axis(listed, _selected(distances, k), axis=1)
        kth = np.partition(distances, k - 1, axis=1)[:, k - 1]
        unsure[chosen] = kth + TIE >= -(cosines[:, -1] + slack)  # as near ones may be unlisted
    nearest[unsure] = _nearest(rows, queries[unsure], k)
    return nearest
