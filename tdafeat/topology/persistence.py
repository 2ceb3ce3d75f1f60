"""Vietoris-Rips persistent homology of a cloud: the front door."""

from __future__ import annotations

import math
import operator
import os
from typing import Any

import numpy as np

from tdafeat.topology.diagrams import Diagrams
from tdafeat.topology.engines import check_memory, check_size, choose
from tdafeat.topology.landmarks import farthest_points
from tdafeat.topology.points import point_metrics, within_float32


def persistence(
    X: Any,
    maxdim: int = 1,
    metric: str = "euclidean",
    thresh: float = math.inf,
    n_landmarks: int | None = None,
    engine: str = "auto",
    n_jobs: int | None = None,
) -> Diagrams:
    """Persistence diagrams of the Rips filtration of a cloud, over Z/2.

    The filtration value of a simplex is its diameter, in float32. Bars are sorted by birth, then
    death; bars of zero length are left out, and a bar alive at `thresh` dies at inf.

    Parameters
    ----------
    X : `(n_samples, n_features)` array-like or torch tensor; with ``metric="precomputed"`` the
        `(n_samples, n_samples)` distance matrix.
    maxdim : highest homology degree.
    metric : ``"euclidean"``, ``"cosine"`` (1 - cos), ``"correlation"`` or ``"precomputed"``.
    thresh : longest edge that enters the filtration.
    n_landmarks : use that many farthest points in place of the cloud; their covering radius is in
        the record, and the diagrams are within twice that in bottleneck distance for any metric
        with the triangle inequality (cosine has none).
    engine : ``"tdafeat"`` (degrees 0 and 1), ``"giotto-ph"``, ``"ripser"`` or ``"auto"``, the
        fastest; the diagrams are the same, and the record says which one made them, and why.
    n_jobs : threads, for tdafeat and giotto-ph; -1 for all cores.

    Returns
    -------
    Diagrams, one `(n, 2)` float64 array per degree 0 .. maxdim, with a record.

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
    maxdim = _whole(maxdim, "maxdim", at_least=0)
    if not thresh >= 0:
        raise ValueError(f"thresh must be a length >= 0; got {thresh}")
    measure = point_metrics[metric]
    prepared = measure.prepare(X)
    n_samples, covering_radius = len(prepared), 0.0
    if n_landmarks is not None and _whole(n_landmarks, "n_landmarks", at_least=1) < n_samples:
        indices, covering_radius = farthest_points(
            lambda index: measure.from_point(prepared, index), n_landmarks
        )
        prepared = measure.subset(prepared, indices)
    chosen, reason = choose(engine, len(prepared), maxdim)
    check_size(chosen, len(prepared), maxdim)
    check_memory(len(prepared))
    distances = _as_float32(measure.pairwise(prepared))
    # An edge exactly as long as the threshold must not fall out by rounding.
    rounded_thresh = float(np.float32(thresh)) if thresh < np.finfo(np.float32).max else math.inf
    bars = chosen.compute(distances, maxdim, rounded_thresh, _threads(n_jobs))
    record = {
        "engine": chosen.name,
        "version": chosen.version,
        "reason": reason,
        "coefficients": 2,
        "metric": metric,
        "thresh": float(thresh),
        "n_samples": n_samples,
        "n_landmarks": len(prepared),
        "covering_radius": covering_radius,
    }
    return Diagrams((_sorted(diagram) for diagram in bars), record)


def _as_float32(distances: np.ndarray) -> np.ndarray:
    rounded = within_float32(distances).astype(np.float32)
    return np.maximum(rounded, rounded.T)  # symmetric to the bit


def _sorted(diagram: np.ndarray) -> np.ndarray:
    return np.asarray(diagram, dtype=np.float64)[np.lexsort((diagram[:, 1], diagram[:, 0]))]


def _whole(value: Any, name: str, at_least: int) -> int:
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be a whole number; got {value!r}") from None
    if number < at_least:
        raise ValueError(f"{name} must be at least {at_least}; got {number}")
    return number


def _threads(n_jobs: int | None) -> int:
    if n_jobs == -1:
        return os.cpu_count() or 1
    return 1 if n_jobs is None else _whole(n_jobs, "n_jobs", at_least=1)
