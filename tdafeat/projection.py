"""Maps of a feature space to the plane, for looking only: no number is read off them."""

from __future__ import annotations

import warnings
from typing import Any, Literal

import numpy as np

from tdafeat.checks import as_cloud

PCA_COMPONENTS = 50  # kept before t-SNE and UMAP, as van der Maaten & Hinton do
PERPLEXITY = 30.0
N_NEIGHBORS = 15
METHODS = ("pca", "tsne", "umap")


def project(
    features: Any, method: Literal["pca", "tsne", "umap"] = "pca", random_state: int = 0
) -> np.ndarray:
    """Project features to two dimensions.

    Parameters
    ----------
    features : (n, D) array-like or torch tensor.
    method : ``"pca"`` (linear, two leading components), ``"tsne"`` or ``"umap"``, both after PCA
        to 50 dimensions. Perplexity (30) and neighbours (15) shrink with small n, and below five
        rows, where neighbourhoods say nothing, all three are PCA.
    random_state : seed; the same one gives the same map on the same machine.

    Returns
    -------
    (n, 2) float64. PCA is in units of the features; the units of the others mean nothing.

    Raises
    ------
    ValueError for an unknown method.

    References
    ----------
    van der Maaten, Hinton (2008), Visualizing data using t-SNE; McInnes, Healy, Melville (2018),
    UMAP.

    Examples
    --------
    >>> project([[3.0, 0, 0], [-3, 0, 0], [0, 1, 0], [0, -1, 0]]).shape
    (4, 2)
    """
    points = as_cloud(features)
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}; got {method!r}")
    if method == "pca" or len(points) < 5:
        return _pca(points, 2)
    reduced = _pca(points, min(PCA_COMPONENTS, *points.shape))
    embed = _tsne if method == "tsne" else _umap
    return np.asarray(embed(reduced, random_state), dtype=np.float64)


def _pca(points: np.ndarray, n_components: int) -> np.ndarray:
    """Leading principal components, padded with zeros where there are fewer."""
    from tdafeat.geometry import principal_components

    if len(points) < 2:
        return np.zeros((len(points), n_components))
    found = principal_components(points, n_components).project(points)
    return np.pad(found, ((0, 0), (0, n_components - found.shape[1])))


def _tsne(points: np.ndarray, random_state: int) -> np.ndarray:
    from sklearn.manifold import TSNE

    # at most a third of the other points, the usual bound for a perplexity to be reachable
    perplexity = min(PERPLEXITY, (len(points) - 1) / 3)
    start = _pca(points, 2)
    if (scale := start[:, 0].std()) > 0:
        start *= 1e-4 / scale  # small, as the method wants it, so that no pair starts far apart
    model = TSNE(perplexity=perplexity, init=start.astype(np.float32), random_state=random_state)
    return model.fit_transform(points)


def _umap(points: np.ndarray, random_state: int) -> np.ndarray:
    with warnings.catch_warnings():  # umap-learn reports each choice that a seed implies
        warnings.simplefilter("ignore")
        from umap import UMAP

        start = _pca(points, 2)
        flat = np.ptp(start, axis=0).min() <= 1e-9 * np.abs(points).max()  # no plane to start from
        model = UMAP(
            n_neighbors=min(N_NEIGHBORS, len(points) - 1),
            init="random" if flat else start / start[:, 0].std() * 10,
            random_state=random_state,
            n_jobs=1,
        )
        return model.fit_transform(points)
