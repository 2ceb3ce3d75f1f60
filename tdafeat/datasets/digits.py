"""Handwritten digits (Alpaydin, Kaynak 1998): 1,797 grey images of 8 x 8 pixels, no download.

They come with scikit-learn, which carries the test part of the UCI set, without a split.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tdafeat.datasets.imageset import ImageSet, Split

FULL = 16  # the value of a fully inked pixel in scikit-learn's copy
REMARK = (
    "The digits that come with scikit-learn have no published split: half of each class, chosen "
    "by a hash of the images' numbers, is trained on and the other half measured."
)


def load(detail: str, split: Split, root: Path | None, seed: int) -> ImageSet:
    """Open the handwritten digits of scikit-learn: (8, 8) grey, ten classes, each halved."""
    from sklearn.datasets import load_digits

    if detail:
        raise ValueError(f"digits takes nothing after its name; got {detail!r}")
    bundled = load_digits()
    pixels = np.rint(bundled.images * (255 / FULL)).astype(np.uint8)
    return ImageSet(
        name="digits",
        split=split,
        ids=tuple(f"{k:04d}" for k in range(len(pixels))),
        labels=bundled.target,
        classes=tuple(str(name) for name in bundled.target_names),
        version="1",  # the images never change; raise it when what is made of them does
        read=pixels.__getitem__,
        remark=REMARK,
    ).half()
