"""LeNet-5, the baseline among classifiers of 28 x 28 grey images (LeCun et al. 1998)."""

from __future__ import annotations

from torch import nn

from tdafeat.encoders.base import Encoder
from tdafeat.encoders.classifier import Classifier, load_classifier

FEATURES = 84


class LeNet(Classifier):
    """Two convolutions and two dense layers to 84 features, and a linear head to class logits.

    As in the paper but for four habits of today: average pooling without weights, every map of
    the second convolution joined to all of the first, ReLU for the scaled tanh, and logits for
    distances to drawn digits.

    Examples
    --------
    >>> import torch
    >>> network = LeNet(n_classes=10)
    >>> network.features(torch.zeros(2, 1, 28, 28)).shape, network(torch.zeros(2, 1, 28, 28)).shape
    (torch.Size([2, 84]), torch.Size([2, 10]))
    """

    def __init__(self, n_classes: int) -> None:
        backbone = nn.Sequential(
            nn.Conv2d(1, 6, kernel_size=5, padding=2),  # the paper's 32 x 32 have the border inside
            nn.ReLU(),
            nn.AvgPool2d(2),
            nn.Conv2d(6, 16, kernel_size=5),
            nn.ReLU(),
            nn.AvgPool2d(2),
            nn.Flatten(),
            nn.Linear(16 * 5 * 5, 120),
            nn.ReLU(),
            nn.Linear(120, FEATURES),
            nn.ReLU(),
        )
        super().__init__(backbone, FEATURES, n_classes)


def load(detail: str, layer: str | None, checkpoint: str | None) -> Encoder:
    """LeNet-5, layers features (84), logits: lenet:fashion-mnist."""
    return load_classifier("lenet", LeNet, detail, layer, checkpoint)
