"""Eigen-images and centroids: how few numbers describe an image?

Of the handwritten digits, which need no download; `--data fashion_mnist` takes Fashion-MNIST
instead, at its own 28 x 28 pixels. For images of your own give their folder and a size:
`--data folder:faces --encoder pixels:64#grey`.
"""

import sys

from tdafeat import Study
from tdafeat.cli import study_main


def study(dataset: str, side: int, what: str, **options) -> Study:
    return Study(
        title=f"Eigen-images of {what}",
        question="How few numbers describe an image?",
        dataset=dataset,
        encoders=(f"pixels:{side}#grey",),
        noise=None,
        analyses=("eigenimages", "centroids"),
        **options,
    )


STUDY = study("digits", 8, "handwritten digits", name="eigenimages")
FASHION_MNIST = study(
    *("fashion_mnist", 28, "Fashion-MNIST"), name="eigenimages_fashion_mnist", limit=200
)

if __name__ == "__main__":
    sys.exit(study_main(STUDY, FASHION_MNIST))
