"""Scale-free diagrams: lengths as shares of a length of the cloud, so that clouds compare."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tdafeat.checks import as_generator
from tdafeat.record import Registry
from tdafeat.topology.diagrams import (
    Diagrams,
    as_diagram,
    check_diagrams,
    check_length,
    finite_part,
)
from tdafeat.topology.points import point_metrics

MAX_POINTS = 5_000  # of more, the distances of all pairs cost more than a scale is worth


def rescaled(diagram: Any, scale: float) -> np.ndarray:
    """Scale-free form of a diagram: births and deaths divided by a length of its cloud.

    Parameters
    ----------
    diagram : `(n, 2)` array-like.
    scale : a positive length, such as the median pairwise distance of the cloud.

    Raises
    ------
    ValueError for a scale that is not positive, or so small or large that entries would overflow.

    Examples
    --------
    >>> rescaled([[1, 3]], scale=2.0).tolist()
    [[0.5, 1.5]]
    """
    check_length(scale, "scale")
    return as_diagram(diagram) / scale


def cloud_scale(
    X: Any, scale: str = "median_distance", metric: str = "euclidean", random_state: int = 0
) -> float:
    """A length that says how large a cloud is.

    Parameters
    ----------
    X : `(n_samples, n_features)` array-like or torch tensor, or a distance matrix.
    scale : ``"median_distance"`` or ``"mean_distance"`` of all pairs of points, or
        ``"diameter"``, the largest.
    metric : as in `persistence`.
    random_state : seed of the 5,000 points that stand for a larger cloud.

    Returns
    -------
    Length > 0 in units of the features.

    Raises
    ------
    ValueError for a cloud of fewer than two points, or one whose scale is zero; UnknownName for
    an unknown scale or metric.

    Examples
    --------
    >>> cloud_scale([[0.0], [1.0], [4.0]])
    3.0
    """
    return _length(_distances(X, metric, random_state), scale)


def _distances(X: Any, metric: str, random_state: int) -> np.ndarray:
    """Distances of all pairs of points, each once, or of those of a sample of them."""
    from scipy.spatial.distance import squareform

    measure = point_metrics[metric]
    points = measure.prepare(X)
    if len(points) < 2:
        raise ValueError(f"X must have at least two points to have a scale; got {len(points)}")
    if len(points) > MAX_POINTS:
        rng = as_generator(random_state)
        points = measure.subset(points, rng.choice(len(points), MAX_POINTS, replace=False))
    return squareform(measure.pairwise(points).astype(np.float64), checks=False)


def _length(distances: np.ndarray, scale: str) -> float:
    length = float(scales[scale](distances))
    if length == 0:
        raise ValueError(f"X has a {scale.replace('_', ' ')} of zero: it has no scale")
    return length


def scale_free(
    diagrams: Diagrams, X: Any, scale: str = "median_distance", random_state: int = 0
) -> Diagrams:
    """Diagrams of a cloud in units of the cloud's own scale, so that encoders can be compared.

    Parameters
    ----------
    diagrams : of `X`, from `persistence`; their record says the metric.
    X : the cloud, or its distance matrix, as given to `persistence`.
    scale, random_state : as in `cloud_scale`.

    Returns
    -------
    Diagrams with every length divided by the scale; the record gains ``scale``, its name, and
    ``scale_length``, what was divided by, and lengths of the record are divided too.

    Raises
    ------
    ValueError for diagrams without a record of their metric, or scaled already, or that are not of
    `X`: of another number of points, or, where all 5,000 or fewer points were used, with a first
    death in H0 that is not the shortest distance; and as in `cloud_scale`.

    Examples
    --------
    >>> from tdafeat.topology import persistence
    >>> small, large = np.array([[0.0], [1.0], [4.0]]), np.array([[0.0], [10.0], [40.0]])
    >>> a, b = (scale_free(persistence(X), X) for X in (small, large))
    >>> bool((a[0] == b[0]).all()), b.record["scale_length"]
    (True, 30.0)
    """
    check_diagrams(diagrams, "diagrams")
    record = diagrams.record
    if "metric" not in record:
        raise ValueError(
            "diagrams must have a record of their metric, as `persistence` writes it; "
            "Diagrams(diagrams, {'metric': 'euclidean'}) gives one to others"
        )
    if "scale" in record:
        raise ValueError(f"diagrams are in units of their {record['scale']} already")
    distances = _distances(X, record["metric"], random_state)
    _check_cloud(diagrams, len(X), distances)
    length = _length(distances, scale)
    lengths: dict[str, Any] = {
        key: record[key] / length for key in ("thresh", "covering_radius") if key in record
    }
    return Diagrams(
        (rescaled(diagram, length) for diagram in diagrams),
        {**record, **lengths, "scale": scale, "scale_length": length},
    )


def _check_cloud(diagrams: Diagrams, n_samples: int, distances: np.ndarray) -> None:
    """Refuse a cloud that the diagrams cannot be of."""
    expected = diagrams.record.get("n_samples", n_samples)
    if n_samples != expected:
        raise ValueError(f"diagrams are of a cloud of {expected} points; X has {n_samples}")
    deaths = finite_part(diagrams[0])[:, 1]
    every_pair = diagrams.record.get("n_landmarks", n_samples) == n_samples <= MAX_POINTS
    if not every_pair or len(deaths) == 0:
        return
    shortest = distances[distances > 0].min(initial=np.inf)
    if abs(shortest - deaths.min()) > 1e-5 * shortest:  # X may have been rounded to float32
        raise ValueError(
            f"diagrams are not of X: their first bar of H0 dies at {deaths.min():.6g}, and the "
            f"shortest distance of X is {shortest:.6g}"
        )


scales: Registry[Callable[[np.ndarray], Any]] = Registry("scale", "tdafeat.cloud_scales")
scales.add("median_distance", np.median)
scales.add("mean_distance", np.mean)
scales.add("diameter", np.max)
