"""Fashion-MNIST seen by raw pixels, LeNet-5, a DenseNet and a Siamese network, under noise.

The report shows how the networks were trained, and sets the spaces side by side: classification,
retrieval (top-1, 5, 10, mAP) and the cluster indices, clean and under Gaussian noise.
"""

import sys

from tdafeat import Study
from tdafeat.cli import study_main

STUDY = Study(
    name="fashion_mnist_siamese",
    title="Representations of Fashion-MNIST under noise",
    question="Which representation of Fashion-MNIST keeps its shape and accuracy under noise?",
    dataset="fashion_mnist",
    encoders=(
        "pixels:28#grey",
        "lenet:fashion-mnist",
        "densenet:fashion-mnist",
        "siamese:fashion-mnist",
    ),
    noise="gaussian",
    primary="probe_accuracy",
    limit=200,
)

if __name__ == "__main__":
    sys.exit(study_main(STUDY))
