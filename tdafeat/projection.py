"""Maps of a feature space to the plane, for looking only: no number is read off them."""

from __future__ import annotations

import logging
import warnings
from importlib.util import find_spec
from typing import Any, Literal, get_args

import numpy as np

from tdafeat.checks import as_cloud
from tdafeat.errors import DataUnavailable

PCA_COMPONENTS = 50  # kept before the others, as van der Maaten & Hinton do before t-SNE
PERPLEXITY = 30.0  # of t-SNE
N_NEIGHBORS = 15  # of UMAP
Method = Literal["pca", "tsne", "umap", "pacmap"]
METHODS: tuple[str, ...] = get_args(Method)


def project(features: Any, method: Method = "pca", random_state: int = 0) -> np.ndarray:
    """Project features to two dimensions.

    Parameters
    ----------
    features : (n, D) array-like or torch tensor.
    method : ``"pca"`` (linear, two leading components), ``"tsne"``, ``"umap"`` or ``"pacmap"``
        (extra ``[pacmap]``), these after PCA to 50 dimensions. Perplexity (30) and neighbours
        (15 of UMAP, 10 of PaCMAP) shrink with small n, and below five rows, where neighbourhoods
        say nothing, all are PCA.
    random_state : seed; the same one gives the same map on the same machine.

    Returns
    -------
    (n, 2) float64. PCA is in units of the features; the units of the others mean nothing.

    Raises
    ------
    ValueError for an unknown method; DataUnavailable for one that is not installed.

    References
    ----------
    van der Maaten, Hinton (2008), Visualizing data using t-SNE; McInnes, Healy, Melville (2018),
    UMAP; Wang, Huang, Rudin, Shaposhnik (2021), Understanding how dimension reduction tools work
    (PaCMAP).

    Examples
    --------
    >>> project([[3.0, 0, 0], [-3, 0, 0], [0, 1, 0], [0, -1, 0]]).shape
    (4, 2)
    """
    points = as_cloud(features)
    check_method(method, "method")
    if method == "pca" or len(points) < 5:
        return _pca(points, 2)
    reduced = _pca(points, min(PCA_COMPONENTS, *points.shape))
    embed = {"tsne": _tsne, "umap": _umap, "pacmap": _pacmap}[method]
    return np.asarray(embed(reduced, random_state), dtype=np.float64)


def check_method(method: str, name: str) -> None:
    """Refuse what is not a method, or one that is not installed here.

    Raises
    ------
    ValueError that calls the argument by its `name`; DataUnavailable.
    """
    if method not in METHODS:
        raise ValueError(f"{name} must be among {', '.join(METHODS)}; got {method!r}")
    if method == "pacmap" and find_spec("pacmap") is None:
        raise DataUnavailable("projection 'pacmap' needs pip install 'tdafeat[pacmap]'")


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


def _pacmap(points: np.ndarray, random_state: int) -> np.ndarray:
    from pacmap import PaCMAP
    from threadpoolctl import threadpool_limits

    if not np.ptp(points, axis=0).any():  # it divides by the extent
        return np.zeros((len(points), 2))
    plane = np.pad(points, ((0, 0), (0, max(0, 2 - points.shape[1]))))  # it starts from a plane
    log = logging.getLogger("pacmap")
    level = log.level
    log.setLevel(logging.ERROR)  # it warns of every seed
    try:
        with threadpool_limits(1, "openmp"):  # it leaves FAISS with one thread; this restores it
            return PaCMAP(random_state=random_state).fit_transform(plane)
    finally:
        log.setLevel(level)
