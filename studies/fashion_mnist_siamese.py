"""Fashion-MNIST seen by raw pixels, a DenseNet and a Siamese network, under Gaussian noise."""

import sys

from tdafeat import Study
from tdafeat.cli import study_main

STUDY = Study(
    name="fashion_mnist_siamese",
    title="Representations of Fashion-MNIST under noise",
    question="Which representation of Fashion-MNIST keeps its shape and accuracy under noise?",
    dataset="fashion_mnist",
    encoders=("pixels:28#grey", "densenet:fashion-mnist", "siamese:fashion-mnist"),
    noise="gaussian",
    primary="probe_accuracy",
    limit=200,
)

if __name__ == "__main__":
    sys.exit(study_main(STUDY))
