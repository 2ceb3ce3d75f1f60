"""K-means centroids of images, shown as images, against as many principal components."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from tdafeat.analyses.picture import picture
from tdafeat.analyses.tables import curve, pictures, scopes
from tdafeat.features import FeatureSet
from tdafeat.geometry import principal_components
from tdafeat.record import Analysis, Exhibit, Tables, analyses

if TYPE_CHECKING:
    from sklearn.cluster import KMeans

COUNTS = (1, 2, 4, 8, 16, 32)  # K
PER_CLASS = "K = 8"  # the set drawn for every class
STARTS = 4  # runs of K-means from different seeds; the best is kept
EXPLAINED = "share of the variance explained"
TRAIN, TEST = "training images", "test images"


def centroids(test: FeatureSet, train: FeatureSet, shape: tuple[int, int, int] | None) -> Tables:
    """Centroids of K-means on train images as images, for all classes mixed and for each alone.

    Parameters
    ----------
    test, train : features that are images.
    shape : their (channels, height, width).

    Returns
    -------
    Pictures of kind ``centroids``, the largest cluster first; curves of the inertia per image and
    of the share of the variance that K centroids, or K principal components, explain. K doubles
    from 1 to 32, as far as there are so many different images.

    Raises
    ------
    ValueError if the features are no images or the train images are all the same.

    References
    ----------
    Lloyd (1982), Least squares quantization in PCM; Arthur, Vassilvitskii (2007), k-means++.
    """
    if shape is None:
        raise ValueError("centroids of images need features that are images")
    if not np.ptp(train.features, axis=0).any():
        raise ValueError("all training images are the same: there is nothing to tell apart")
    drawn, curves = [], []
    for scope, rows in scopes(train):
        different = len(np.unique(rows, axis=0))
        models = {k: _clusters(rows, k) for k in COUNTS if k <= different}
        drawn += [_drawn(scope, model, len(rows), shape) for model in models.values()]
        inertias = [model.inertia_ / len(rows) for model in models.values()]
        curves.append(curve(scope, "inertia per image", TRAIN, list(models), inertias))
        if scope == "all":
            curves += _explained(models, test, train)
    return {
        "pictures": pd.concat(drawn, ignore_index=True),
        "curves": pd.concat(curves, ignore_index=True),
    }


def _clusters(rows: np.ndarray, k: int) -> KMeans:
    from sklearn.cluster import KMeans

    return KMeans(k, n_init=STARTS, random_state=0).fit(rows)


def _drawn(scope: str, model: KMeans, n: int, shape: tuple[int, int, int]) -> pd.DataFrame:
    """The centroids, each with its share of the images."""
    sizes = np.bincount(model.labels_, minlength=model.n_clusters)
    shown = [
        (f"{100 * sizes[c] / n:.0f} %", picture(model.cluster_centers_[c], shape))
        for c in np.argsort(-sizes, kind="stable")
    ]
    return pictures(scope, "centroids", f"K = {model.n_clusters}", shown)


def _explained(
    models: Mapping[int, KMeans], test: FeatureSet, train: FeatureSet
) -> Iterator[pd.DataFrame]:
    """Share of the variance that K centroids explain, and that K components do."""
    pca = principal_components(train.features, max(models))
    counts = [k for k in models if k <= len(pca.components)]
    for series, images in ((TRAIN, train.features), (TEST, test.features)):
        whole = pca.reconstruction_error(images, 0)
        if whole == 0:  # every test image is the mean image
            continue
        by_centroids = [
            1 + model.score(images) / (len(images) * whole) for model in models.values()
        ]
        by_components = [1 - pca.reconstruction_error(images, k) / whole for k in counts]
        yield curve("all", EXPLAINED, f"K centroids, {series}", list(models), by_centroids)
        yield curve("all", EXPLAINED, f"K components, {series}", counts, by_components)


def _answer(tables: Tables) -> list[str]:
    """What the same number of centroids and of components explain."""
    curves = tables["curves"]
    rows = curves[curves["quantity"] == EXPLAINED]
    shares = 100 * rows.pivot_table(index="x", columns="series", values="value").dropna()
    if f"K centroids, {TEST}" not in shares:
        return []
    count = shares.index.max()
    by_centroids, by_components = (
        shares.loc[count, f"K {kind}, {TEST}"] for kind in ("centroids", "components")
    )
    return [
        f"{count:.0f} centroids of K-means explain {by_centroids:.0f} % of the variance of test "
        f"images, {count:.0f} principal components {by_components:.0f} %: a centroid stands for "
        f"an image alone, components add up."
    ]


analyses.add(
    "centroids",
    Analysis(
        name="centroids",
        title="Centroids",
        about=(
            "K-means replaces every image by the nearest of K images, the centroids, chosen so "
            "that the mean squared distance (the inertia) is least; each centroid is the mean of "
            "its cluster, so that it can be looked at. Of the runs from several starting points "
            "the best is kept, which need not be the best there is."
        ),
        function=centroids,
        of_images=True,
        answer=_answer,
        exhibits=(
            Exhibit(
                "pictures",
                ("centroids",),
                "Centroids of all training images, whatever their class, with the share of the "
                "images in each cluster; the largest stands first. With few centroids classes "
                "that look alike share one; with more, a class has several, its variants.",
            ),
            Exhibit(
                "pictures",
                ("centroids",),
                "Eight centroids of each class alone, with their shares of its images.",
                scope="class",
                sets=(PER_CLASS,),
            ),
            Exhibit(
                "curves",
                ("inertia per image",),
                "Mean squared distance of a training image to its centroid (pixels in [0, 1]): all "
                "classes mixed (coloured) and each class alone (grey).",
                scope="class",
                x="centroids K",
            ),
            Exhibit(
                "curves",
                (EXPLAINED,),
                "Share of the variance that K centroids explain, against that of K principal "
                "components, which explain at least as much of the training images: all K "
                "centroids lie in a space of K - 1 dimensions, and no such space loses less.",
                x="K",
                spec=".0%",
            ),
        ),
    ),
)
