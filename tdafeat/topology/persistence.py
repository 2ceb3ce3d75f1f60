"""Vietoris-Rips persistent homology of a cloud: the front door."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tdafeat.checks import as_count, as_number, check_flag
from tdafeat.jobs import n_workers
from tdafeat.topology.diagrams import Diagrams
from tdafeat.topology.engines import Problem, choose
from tdafeat.topology.landmarks import farthest_points
from tdafeat.topology.limits import check_memory, check_simplices, check_size
from tdafeat.topology.matrices import as_sparse_distances, warn_of_distances
from tdafeat.topology.points import point_metrics

_MATRIX = 10_000  # points up to which degree 0 alone is read from the matrix, which is faster
_FIELDS = [p for p in range(2, 128) if all(p % q for q in range(2, p))]  # as far as ripser goes


def persistence(
    X: Any,
    maxdim: int = 1,
    metric: str = "euclidean",
    thresh: float = math.inf,
    n_landmarks: int | None = None,
    engine: str = "auto",
    n_jobs: int | None = None,
    coefficients: int = 2,
    cocycles: bool = False,
) -> Diagrams:
    """Persistence diagrams of the Rips filtration of a cloud.

    The filtration value of a simplex is its diameter, in float32: lengths below 1e-38 count as 0,
    and a cloud whose largest entry is below 1e-30 is refused. Bars are sorted by birth, then
    death; bars of zero length are left out, and a bar alive at `thresh` dies at inf.

    Parameters
    ----------
    X : `(n_samples, n_features)` array-like or torch tensor; with ``metric="precomputed"`` the
        `(n_samples, n_samples)` distance matrix, symmetric up to a relative 1e-6 (the larger of
        both entries counts), or a `scipy.sparse` one of the edges that enter: those of length 0 too
        must be stored, which ``coo_matrix((lengths, (i, j)))`` does and ``csr_matrix(matrix)`` not.
    maxdim : highest homology degree. Degree 0 alone needs no matrix above 10,000 points.
    metric : ``"euclidean"``, ``"cosine"`` (1 - cos), ``"correlation"`` or ``"precomputed"``.
    thresh : longest edge that enters the filtration.
    n_landmarks : use that many farthest points in place of the cloud; their covering radius is in
        the record, and the diagrams are within twice that in bottleneck distance for any metric
        with the triangle inequality (cosine has none). A cloud of no more points is taken whole.
    engine : ``"tdafeat"`` (degrees 0 and 1, Z/2), ``"giotto-ph"``, ``"ripser"`` or ``"auto"``, the
        fastest; the diagrams are the same, and the record says which one made them, and why.
    n_jobs : threads, for tdafeat and giotto-ph; -1 for all cores.
    coefficients : the prime p, at most 127, of the field Z/p.
    cocycles : whether to give a representative cocycle of each bar, in degrees 1 and above.

    Returns
    -------
    Diagrams, one `(n, 2)` float64 array per degree 0 .. maxdim, with a record. With `cocycles` the
    record's ``"cocycles"`` holds, by degree and bar, a `(m, degree + 2)` array: the vertices of a
    simplex, as rows of `X`, then its coefficient.

    Warns
    -----
    UserWarning for a cloud that looks like a distance matrix.

    Raises
    ------
    ValueError for NaN, an asymmetric or negative matrix, arguments out of range, a maxdim too high
    for so many points or for the engine, and more points than memory holds; UnknownName for an
    unknown metric or engine; ImportError for an engine that is not installed.

    References
    ----------
    Bauer (2021), "Ripser: efficient computation of Vietoris-Rips persistence barcodes"; Burella
    Perez et al. (2021), "giotto-ph". For the engine of tdafeat: Koyama, Memoli, Robins and Turner
    (2023), arXiv 2307.16333; Koyama, Robins and Turner (2024), arXiv 2412.07805.

    Examples
    --------
    >>> square = [[0, 0], [0, 1], [1, 1], [1, 0]]
    >>> h0, h1 = persistence(square)
    >>> h0.tolist()
    [[0.0, 1.0], [0.0, 1.0], [0.0, 1.0], [0.0, inf]]
    >>> h1.round(3).tolist()
    [[1.0, 1.414]]
    """
    maxdim = as_count(maxdim, "maxdim", least=0)
    if not as_number(thresh, "thresh") >= 0:
        raise ValueError(f"thresh must be a length >= 0; got {thresh}")
    if as_count(coefficients, "coefficients", least=2) not in _FIELDS:
        raise ValueError(f"coefficients must be a prime from 2 to 127; got {coefficients}")
    check_flag(cocycles, "cocycles")
    n_threads = n_workers(n_jobs)
    measure = point_metrics[metric]
    sparse = hasattr(X, "tocoo")
    if sparse and (metric != "precomputed" or n_landmarks is not None):
        raise ValueError("a sparse X takes metric='precomputed' and no n_landmarks")
    if metric != "precomputed":
        warn_of_distances(X)
    prepared = as_sparse_distances(X) if sparse else measure.prepare(X, n_threads)
    n_samples, covering_radius = prepared.shape[0] if sparse else len(prepared), 0.0
    indices = np.arange(n_samples)
    if n_landmarks is not None and as_count(n_landmarks, "n_landmarks") < n_samples:
        indices, covering_radius = farthest_points(
            lambda index: measure.from_point(prepared, index), n_landmarks
        )
        prepared = measure.subset(prepared, indices)
    n_points = len(indices)
    # An edge exactly as long as the threshold must not fall out by rounding.
    rounded_thresh = float(np.float32(thresh)) if thresh < np.finfo(np.float32).max else math.inf
    chosen, reason = choose(engine, n_points, maxdim, coefficients, cocycles, sparse)
    representatives = None
    if chosen.name == "tdafeat" and maxdim == 0 and n_points > _MATRIX:
        from tdafeat.topology.rips.forest import h0

        bars: Sequence[np.ndarray] = [
            h0(lambda rows: measure.block(prepared, rows), n_points, rounded_thresh, n_threads)
        ]
    else:
        check_size(chosen, n_points, maxdim)
        distances = prepared
        if not sparse:
            check_memory(n_points, 4 + chosen.bytes_per_pair)
            distances = measure.pairwise(prepared, n_threads)
        check_simplices(chosen, distances, maxdim, rounded_thresh)
        bars, representatives = chosen.compute(
            Problem(distances, maxdim, rounded_thresh, coefficients, cocycles, n_threads)
        )
    record = {
        "engine": chosen.name,
        "version": chosen.version,
        "reason": reason,
        "coefficients": coefficients,
        "metric": metric,
        "thresh": float(thresh),
        "n_samples": n_samples,
        "n_landmarks": n_points,
        "covering_radius": covering_radius,
    }
    if sparse:
        record["sparse"] = True
    orders = [np.lexsort((diagram[:, 1], diagram[:, 0])) for diagram in bars]
    if representatives is not None:
        record["cocycles"] = [
            [_named(found[bar], indices) for bar in order] if len(found) else []
            for found, order in zip(representatives, orders, strict=True)
        ]
    return Diagrams(
        (np.asarray(d, np.float64)[order] for d, order in zip(bars, orders, strict=True)), record
    )


def _named(cocycle: np.ndarray, indices: np.ndarray) -> np.ndarray:
    return np.column_stack([indices[cocycle[:, :-1]], cocycle[:, -1]])
