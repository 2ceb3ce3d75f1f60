"""The lab course's DenseNet for 28 x 28 grey images.

Growth 12, dense blocks of 6, 12 and 8 layers with bottlenecks, 24 initial channels, compression
0.5: 24 -> 96 -> 48 -> 192 -> 96 -> 192 features (Huang et al. 2017, DenseNet-BC).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from tdafeat.encoders.base import Encoder
from tdafeat.encoders.classifier import Classifier, load_classifier

GROWTH = 12
BLOCKS = (6, 12, 8)
INITIAL_CHANNELS = 24
COMPRESSION = 0.5
FEATURES = 192


class Layer(nn.Module):
    """1 x 1 bottleneck to 4 x growth channels, then 3 x 3 to growth, joined to the input."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.bottleneck = nn.Sequential(
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.Conv2d(channels, 4 * GROWTH, kernel_size=1, bias=False),
        )
        self.convolution = nn.Sequential(
            nn.BatchNorm2d(4 * GROWTH),
            nn.ReLU(),
            nn.Conv2d(4 * GROWTH, GROWTH, kernel_size=3, padding=1, bias=False),
        )

    def forward(self, images: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C + growth, H, W)."""
        return torch.cat([images, self.convolution(self.bottleneck(images))], dim=1)


def _transition(channels: int, compressed: int) -> nn.Sequential:
    return nn.Sequential(
        nn.BatchNorm2d(channels),
        nn.ReLU(),
        nn.Conv2d(channels, compressed, kernel_size=1, bias=False),
        nn.AvgPool2d(2),
    )


class DenseNet(Classifier):
    """Backbone to 192 features, and a linear head to class logits.

    Examples
    --------
    >>> network = DenseNet(n_classes=10).eval()
    >>> network.features(torch.zeros(2, 1, 28, 28)).shape, network(torch.zeros(2, 1, 28, 28)).shape
    (torch.Size([2, 192]), torch.Size([2, 10]))
    """

    def __init__(self, n_classes: int) -> None:
        channels = INITIAL_CHANNELS
        stages: list[nn.Module] = [nn.Conv2d(1, channels, kernel_size=3, padding=1, bias=False)]
        for position, n_layers in enumerate(BLOCKS):
            for _ in range(n_layers):
                stages.append(Layer(channels))
                channels += GROWTH
            if position < len(BLOCKS) - 1:
                compressed = int(channels * COMPRESSION)
                stages.append(_transition(channels, compressed))
                channels = compressed
        stages += [nn.BatchNorm2d(channels), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
        super().__init__(nn.Sequential(*stages), channels, n_classes)


def load(detail: str, layer: str | None, checkpoint: str | None) -> Encoder:
    """DenseNet of the lab course, layers features (192), logits: densenet:fashion-mnist."""
    return load_classifier("densenet", DenseNet, detail, layer, checkpoint)
