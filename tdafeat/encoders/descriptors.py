"""Classical descriptors of grey images, from scikit-image: what one used before networks.

Each sees the image at 128 x 128 pixels in grey, resized and cropped as every encoder's images are.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
from torch import Tensor

from tdafeat.encoders.base import Encoder, Preprocessing, choose_layer, refuse_checkpoint
from tdafeat.errors import UnknownName

SIDE = 128
BITS, PATCH, PER_SIDE = 256, 49, 4  # of BRIEF: bits, pixels around a keypoint, keypoints in a row
CELL, BLOCK, ORIENTATIONS = 16, 2, 9  # of HOG: pixels, cells, bins
RADII = (1, 2, 3)  # of LBP, with eight points per pixel of radius


def load_brief(detail: str, layer: str | None, checkpoint: str | None) -> Encoder:
    """BRIEF's binary tests around a fixed grid of 16 points: brief; layers bits, mean.

    Each point has 256 bits: whether the smoothed image is darker at one pixel of a random pair
    than at the other, within 49 x 49 pixels (Calonder et al. 2010). ``bits`` holds those of all
    points, one after the other (4,096 features of 0 or 1); ``mean`` how often each of the 256 is
    set over the points, which forgets where.
    """
    layer = choose_layer("brief", layer, ("bits", "mean"))

    def describe(image: np.ndarray) -> np.ndarray:
        extractor, keypoints = _brief()
        extractor.extract(image, keypoints)
        bits = extractor.descriptors
        return bits.ravel() if layer == "bits" else bits.mean(axis=0)

    dimension = BITS * PER_SIDE**2 if layer == "bits" else BITS
    return _descriptor("brief", detail, layer, checkpoint, dimension, describe)


def load_hog(detail: str, layer: str | None, checkpoint: str | None) -> Encoder:
    """Histograms of oriented gradients, 9 bins in cells of 16 pixels: hog.

    Blocks of 2 x 2 cells overlap by one and are normalised by L2-Hys, as in Dalal & Triggs
    (2005), who take cells of 8 pixels: 49 blocks, 1,764 features.
    """
    layer = choose_layer("hog", layer, ("blocks",))
    blocks = (SIDE // CELL - BLOCK + 1) ** 2
    return _descriptor("hog", detail, layer, checkpoint, blocks * BLOCK**2 * ORIENTATIONS, _hog)


def load_lbp(detail: str, layer: str | None, checkpoint: str | None) -> Encoder:
    """Histograms of uniform local binary patterns at radii 1, 2 and 3: lbp.

    At radius R each pixel is compared with 8 R points on a circle around it; patterns with at
    most two changes along the circle are counted by their number of brighter points, all others
    together: 8 R + 2 bins, which sum to 1 at each radius (Ojala et al. 2002).
    """
    layer = choose_layer("lbp", layer, ("histograms",))
    dimension = sum(8 * radius + 2 for radius in RADII)
    return _descriptor("lbp", detail, layer, checkpoint, dimension, _lbp)


def _descriptor(
    family: str,
    detail: str,
    layer: str,
    checkpoint: str | None,
    dimension: int,
    describe: Callable[[np.ndarray], np.ndarray],
) -> Encoder:
    """An encoder of a function from one grey image, (SIDE, SIDE) float64, to its vector."""
    refuse_checkpoint(family, checkpoint)
    if detail:
        raise UnknownName(f"unknown encoder '{family}:{detail}'; there is {family}")

    def function(images: Tensor) -> np.ndarray:
        return np.stack([describe(image) for image in images[:, 0].double().cpu().numpy()])

    preprocessing = Preprocessing(SIDE, SIDE, "bilinear", (0.0,), (1.0,), channels=1)
    return Encoder(family, "1", layer, dimension, preprocessing, function)


@cache
def _brief() -> tuple:
    """The extractor with its pairs of pixels, and the keypoints, as far out as patches fit in."""
    from skimage.feature import BRIEF

    margin = PATCH // 2
    places = np.linspace(margin, SIDE - margin, PER_SIDE).round().astype(int)
    grid = np.stack(np.meshgrid(places, places, indexing="ij"), axis=-1)
    return BRIEF(descriptor_size=BITS, patch_size=PATCH, rng=0), grid.reshape(-1, 2)


def _hog(image: np.ndarray) -> np.ndarray:
    from skimage.feature import hog

    return hog(image, ORIENTATIONS, (CELL, CELL), (BLOCK, BLOCK), block_norm="L2-Hys")


def _lbp(image: np.ndarray) -> np.ndarray:
    from skimage.feature import local_binary_pattern

    levels = np.rint(255 * image).astype(np.int32)  # ties count as brighter: no rounding noise
    histograms = []
    for radius in RADII:
        codes = local_binary_pattern(levels, 8 * radius, radius, method="uniform").astype(int)
        histograms.append(np.bincount(codes.ravel(), minlength=8 * radius + 2) / codes.size)
    return np.concatenate(histograms)
