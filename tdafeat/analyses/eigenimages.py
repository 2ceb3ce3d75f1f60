"""Principal components of images, shown as images: what T numbers keep of a picture."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from tdafeat.analyses.picture import picture, signed_picture
from tdafeat.analyses.tables import curve, pictures, scopes
from tdafeat.features import FeatureSet
from tdafeat.geometry import (
    PrincipalComponents,
    n_components_for,
    principal_components,
)
from tdafeat.record import Analysis, Exhibit, Tables, analyses

Shape = tuple[int, int, int]

SHOWN, SHOWN_PER_CLASS = 24, 8  # components drawn
SHARES = (50, 75, 90, 95, 99)  # percent of the variance
KEPT = (1, 2, 5, 10, 20, 50, 100)  # components of the reconstructions drawn
SAMPLES = 10  # images reconstructed
WHITENED = 50  # components kept, more would amplify directions with hardly any variance
ROUTES = 2048  # images at most, and pixels, for which both routes are walked to compare them
LEFT = "share of the variance left"
TRAIN, TEST = "training images", "test images"


def eigenimages(test: FeatureSet, train: FeatureSet, shape: Shape | None) -> Tables:
    """Principal components of train images as images, and how well they rebuild test images.

    Parameters
    ----------
    test, train : features that are images.
    shape : their (channels, height, width).

    Returns
    -------
    Pictures of kind ``components``, ``reconstructions`` and ``whitened``; curves of the shares of
    the variance, of the components needed for one, of the share left by T components, and of how
    the routes agree and what whitening does to the condition number.

    Raises
    ------
    ValueError if the features are no images or the train images are all the same.

    References
    ----------
    Turk, Pentland (1991), Eigenfaces for recognition.
    """
    if shape is None:
        raise ValueError("eigen-images need features that are images")
    found = {scope: principal_components(rows) for scope, rows in scopes(train)}
    whole = found["all"]
    if len(whole.components) == 0:
        raise ValueError("all training images are the same: there is no component")
    drawn = [_drawn(scope, pca, shape) for scope, pca in found.items()]
    curves = [part for scope, pca in found.items() for part in _variance(scope, pca)]
    return {
        "pictures": pd.concat([*drawn, *_samples(whole, test, shape)], ignore_index=True),
        "curves": pd.concat(
            [*curves, *_errors(whole, test, train), _checks(whole, test, train)], ignore_index=True
        ),
    }


def _drawn(scope: str, pca: PrincipalComponents, shape: Shape) -> pd.DataFrame:
    """The mean image and the leading components, with their shares of the variance."""
    n = SHOWN if scope == "all" else SHOWN_PER_CLASS
    shares = [f"{100 * share:.1f} %" for share in pca.explained_variance_ratio[:n]]
    images = [signed_picture(component, shape) for component in pca.components[:n]]
    mean = ("mean", picture(pca.mean, shape))
    shown = [mean, *zip(shares, images, strict=True)]
    return pictures(scope, "components", "", shown, first=0)


def _variance(scope: str, pca: PrincipalComponents) -> Iterator[pd.DataFrame]:
    shares = pca.explained_variance_ratio
    ranks = np.arange(1, len(shares) + 1)
    yield curve(scope, "share of the variance", TRAIN, ranks, shares)
    yield curve(scope, "cumulative share", TRAIN, ranks, np.cumsum(shares))
    needed = [n_components_for(pca.spectrum, percent / 100) for percent in SHARES]
    yield curve(scope, "components needed", TRAIN, SHARES, needed)


def _errors(
    pca: PrincipalComponents, test: FeatureSet, train: FeatureSet
) -> Iterator[pd.DataFrame]:
    """Mean squared reconstruction error as a share of that by the mean image alone."""
    counts = _counts(pca)
    for series, images in ((TRAIN, train), (TEST, test)):
        none = pca.reconstruction_error(images.features, 0)
        if none == 0:  # every test image is the mean image
            continue
        errors = [pca.reconstruction_error(images.features, t) / none for t in counts]
        yield curve("all", LEFT, series, counts, errors)


def _counts(pca: PrincipalComponents) -> list[int]:
    """Numbers of components to rebuild from: the last leaves nothing of the training images."""
    rank = len(pca.components)
    return [*(t for t in KEPT if t < rank), rank]


def _samples(pca: PrincipalComponents, test: FeatureSet, shape: Shape) -> Iterator[pd.DataFrame]:
    """One image of each of the first classes: rebuilt from T components, and whitened."""
    firsts = [int(np.argmax(test.labels == k)) for k in np.unique(test.labels)[:SAMPLES]]
    images = test.features[firsts]
    names = [test.classes[test.labels[row]] for row in firsts]
    rank = len(pca.components)
    rebuilt = {t: pca.reconstruct(pca.project(images, t)) for t in KEPT if t <= rank}
    for row, name in enumerate(names):
        steps = [(f"T = {t}", picture(made[row], shape)) for t, made in rebuilt.items()]
        shown = [*steps, ("image", picture(images[row], shape))]
        yield pictures("all", "reconstructions", name, shown)
    white = pca.whiten(images, WHITENED) @ pca.components[:WHITENED]  # back among the pixels
    for set, made in (
        ("image", [picture(image, shape) for image in images]),
        ("whitened", [signed_picture(image, shape) for image in white]),
    ):
        yield pictures("all", "whitened", set, list(zip(names, made, strict=True)))


def _checks(pca: PrincipalComponents, test: FeatureSet, train: FeatureSet) -> pd.DataFrame:
    """Numbers that show the mathematics at work."""
    kept = min(WHITENED, len(pca.components))
    values = {
        f"condition number of the covariance, {kept} components": pca.eigenvalues[0]
        / pca.eigenvalues[kept - 1],
        f"the same after whitening, {TRAIN}": _condition(pca, train, kept),
        f"the same after whitening, {TEST}": _condition(pca, test, kept),
    }
    counts = _counts(pca)
    measured = [pca.reconstruction_error(train.features, t) for t in counts]
    gap = np.abs(measured - pca.residual_variance[counts]).max() / pca.residual_variance[0]
    values["error of rebuilt training images against the eigenvalues left out"] = float(gap)
    if train.features.shape[1] <= ROUTES:
        values |= _routes(train.features)
    rows = [curve("all", "checks", series, [np.nan], [value]) for series, value in values.items()]
    return pd.concat(rows, ignore_index=True)


def _condition(pca: PrincipalComponents, images: FeatureSet, kept: int) -> float:
    white = pca.whiten(images.features, kept)
    return float(np.linalg.cond(np.atleast_2d(np.cov(white.T))))


def _routes(features: np.ndarray) -> dict[str, float]:
    """How far the covariance and the Gram matrix of the same images give different components."""
    rows = features[np.linspace(0, len(features) - 1, min(len(features), ROUTES)).astype(int)]
    first, second = (principal_components(rows, SHOWN, route) for route in ("covariance", "gram"))
    eigenvalues = np.abs(first.spectrum - second.spectrum).max() / first.spectrum[0]
    n = min(len(first.components), len(second.components))
    entries = np.abs(first.components[:n] - second.components[:n]).max()
    which = f"of the covariance against those of the Gram matrix ({len(rows):,} images)"
    return {
        f"eigenvalues {which}": float(eigenvalues),
        f"{n} eigen-images {which}": float(entries),
    }


def _answer(tables: Tables) -> list[str]:
    """How many components it takes, and what they leave of images they have not seen."""
    curves = tables["curves"]
    whole = curves[curves["scope"] == "all"]
    needed = whole[whole["quantity"] == "components needed"].set_index("x")["value"]
    per_class = curves[(curves["scope"] != "all") & (curves["quantity"] == "components needed")]
    per_class = per_class.loc[per_class["x"] == 90, "value"].dropna()
    rank = int(whole.loc[whole["quantity"] == "share of the variance", "x"].max())
    left = whole[whole["quantity"] == LEFT]
    left = 100 * left.pivot_table(index="x", columns="series", values="value")
    count = max(t for t in KEPT if t <= min(20, rank))
    within = f"; within one class it takes {per_class.min():.0f} to {per_class.max():.0f}"
    sentences = [
        f"{needed[90]:.0f} of {rank} principal components hold 90 % of the variance of the "
        f"training images ({needed[50]:.0f} hold half, {needed[99]:.0f} hold 99 %)"
        f"{within if len(per_class) else ''}."
    ]
    if TEST in left:
        sentences.append(
            f"Rebuilt from {count} numbers each, test images lose {left.loc[count, TEST]:.1f} % of "
            f"their variance, training images {left.loc[count, TRAIN]:.1f} %."
        )
    return sentences


_ROW = "The mean image and the leading eigen-images"

analyses.add(
    "eigenimages",
    Analysis(
        name="eigenimages",
        title="Eigen-images",
        about=(
            "An image of D pixels is a point in D dimensions. The principal components of the "
            "training images are the orthonormal directions along which they vary most; each "
            "direction is itself an image, an eigen-image, and every image is the mean image plus "
            "a weighted sum of them. Keeping T weights is the linear code of T numbers that "
            "loses least, and what it loses is the sum of the eigenvalues left out."
        ),
        function=eigenimages,
        of_images=True,
        answer=_answer,
        exhibits=(
            Exhibit(
                "pictures",
                ("components",),
                f"{_ROW}, with their shares of the variance. Red adds light, blue takes it away, "
                "white leaves a pixel as it is; the sign of a component is arbitrary and chosen "
                "so that its largest entry is positive.",
            ),
            Exhibit(
                "pictures",
                ("components",),
                f"{_ROW} of each class alone, with their shares of its variance.",
                scope="class",
            ),
            Exhibit(
                "curves",
                ("share of the variance", "cumulative share"),
                "Share of the variance along each component, and along the first ones together: "
                "all images (coloured) and each class alone (grey).",
                scope="class",
                x="component",
                spec=".1%",
            ),
            Exhibit(
                "numbers",
                ("components needed",),
                "Components needed to explain so many percent of the variance of the training "
                "images, of all and of each class alone.",
                scope="class",
                spec=".0f",
            ),
            Exhibit(
                "pictures",
                ("reconstructions",),
                "Test images rebuilt from T components of the training images; on the right the "
                "image itself.",
            ),
            Exhibit(
                "curves",
                (LEFT,),
                "Mean squared error of images rebuilt from T components, as a share of the error "
                "of the mean image alone. Test images tell how far the components hold for images "
                "they were not made from.",
                x="components T",
                spec=".1%",
            ),
            Exhibit(
                "numbers",
                (LEFT,),
                "The same errors, by the number of components T.",
                x="T =",
                spec=".1%",
            ),
            Exhibit(
                "pictures",
                ("whitened",),
                f"Test images before and after whitening: the weights of the first {WHITENED} "
                "components (or of all, where there are fewer), each divided by its standard "
                "deviation, drawn with the same eigen-images. What all images share fades, what "
                "is particular to one stands out.",
            ),
            Exhibit(
                "numbers",
                ("checks",),
                "Checks. Whitened training images have the identity as covariance, hence condition "
                "number 1. The other rows are largest differences between numbers that agree in "
                "exact arithmetic: errors and eigenvalues relative to the largest one, pixels of "
                "eigen-images of length 1.",
                spec=".3g",
            ),
        ),
    ),
)
