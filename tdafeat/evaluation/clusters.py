"""How well the classes stand apart as clusters: three indices, and k-means purity.

Offset and unit of the features are taken away first: scikit-learn takes small numbers for zeros.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tdafeat.checks import as_cloud, as_count, as_labels
from tdafeat.record import metric
from tdafeat.scaling import in_units

_CLUSTERS: dict[str, Any] = {
    "room": "evaluation",
    "needs": ("features", "labels"),
    "scopes": ("all",),
    "invariant": ("rotation", "scale", "translation", "permutation"),
    "version": 2,
}


@metric(
    "silhouette",
    title="silhouette",
    better="higher",
    range=(-1.0, 1.0),
    source="Rousseeuw 1987",
    **_CLUSTERS,
)
def silhouette(features: Any, labels: Any) -> float:
    """Mean silhouette of the samples with respect to their classes, Euclidean.

    Needs 2 to n - 1 classes; a class of one sample counts 0, and so does a sample that coincides
    with all others. Distances below 1e-8 of the cloud's extent are rounding.

    Examples
    --------
    >>> round(silhouette([[0.0], [1.0], [10.0], [11.0]], [0, 0, 1, 1]), 4)
    0.8997
    """
    from sklearn.metrics import silhouette_score

    return float(silhouette_score(*_clusters(features, labels)))


@metric(
    "davies_bouldin",
    title="Davies-Bouldin index",
    better="lower",
    range=(0.0, float("inf")),
    source="Davies & Bouldin 1979",
    **_CLUSTERS,
)
def davies_bouldin(features: Any, labels: Any) -> float:
    """Davies-Bouldin index of the classes: mean worst ratio of spread to separation.

    Needs 2 to n - 1 classes; NaN where the means of two classes coincide.

    Examples
    --------
    >>> round(davies_bouldin([[0.0], [1.0], [10.0], [11.0]], [0, 0, 1, 1]), 6)
    0.1
    """
    from scipy.spatial.distance import cdist

    points, known = _clusters(features, labels)
    classes, index, counts = np.unique(known, return_inverse=True, return_counts=True)
    means = np.stack([points[known == c].mean(axis=0) for c in classes])
    distances = np.linalg.norm(points - means[index.reshape(-1)], axis=1)
    spreads = np.bincount(index.reshape(-1), distances) / counts
    apart = cdist(means, means)
    np.fill_diagonal(apart, np.inf)
    if apart.min() <= max(points.shape) * np.finfo(np.float64).eps * np.abs(points).max():
        return float("nan")
    return float(((spreads[:, None] + spreads) / apart).max(axis=1).mean())


@metric(
    "calinski_harabasz",
    title="Calinski-Harabasz index",
    better="higher",
    range=(0.0, float("inf")),
    source="Calinski & Harabasz 1974",
    **_CLUSTERS,
)
def calinski_harabasz(features: Any, labels: Any) -> float:
    """Calinski-Harabasz index of the classes: between- over within-class dispersion.

    Needs 2 to n - 1 classes; NaN where every class is a single point.

    Examples
    --------
    >>> calinski_harabasz([[0.0], [1.0], [10.0], [11.0]], [0, 0, 1, 1])
    200.0
    """
    from sklearn.metrics import calinski_harabasz_score

    points, known = _clusters(features, labels)
    if all(np.ptp(points[known == c], axis=0).max() == 0 for c in np.unique(known)):
        return float("nan")  # scikit-learn says 1.0, the value of overlapping classes
    return float(calinski_harabasz_score(points, known))


@metric(
    "purity",
    title="k-means purity",
    better="higher",
    range=(0.0, 1.0),
    source="Manning et al. 2008",
    **(_CLUSTERS | {"invariant": ("rotation", "scale", "translation")}),  # k-means++ sees the order
)
def purity(features: Any, labels: Any, random_state: int = 0) -> float:
    """Share of samples in the majority class of their k-means cluster, as many clusters as classes.

    Needs 2 to n - 1 classes. k-means starts three times from k-means++ seeds.

    Examples
    --------
    >>> purity([[0.0], [1.0], [10.0], [11.0]], [0, 0, 1, 1])
    1.0
    """
    import warnings

    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.metrics.cluster import contingency_matrix

    points, known = _clusters(features, labels)
    seed = as_count(random_state, "random_state", least=0)
    model = KMeans(len(np.unique(known)), n_init=3, random_state=seed)
    with warnings.catch_warnings():  # fewer distinct points than classes is a fair input here
        warnings.simplefilter("ignore", ConvergenceWarning)
        found = model.fit_predict(points)
    return float(contingency_matrix(known, found).max(axis=0).sum() / len(known))


def _clusters(features: Any, labels: Any) -> tuple[np.ndarray, np.ndarray]:
    """Points about the first of them, the largest entry between 1/2 and 1, and their classes."""
    points = as_cloud(features)
    known = as_labels(labels, len(points))
    n_classes = len(np.unique(known))
    if not 2 <= n_classes < len(points):
        raise ValueError(
            f"labels must name at least two classes and fewer than samples; "
            f"got {n_classes} classes of {len(points)} samples"
        )
    return in_units(points - points[0]), known
