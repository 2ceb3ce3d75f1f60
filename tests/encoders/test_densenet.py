import torch
from torch import nn

from tdafeat.encoders.densenet import DenseNet


def test_channels_are_those_of_the_lab():
    """24 + 6 x 12 = 96 -> 48; 48 + 12 x 12 = 192 -> 96; 96 + 8 x 12 = 192."""
    shapes = [m.weight.shape for m in DenseNet(10).modules() if isinstance(m, nn.Conv2d)]
    expected, channels = [(24, 1, 3, 3)], 24
    for n_layers, compressed in ((6, 48), (12, 96), (8, None)):
        for _ in range(n_layers):
            expected += [(48, channels, 1, 1), (12, 48, 3, 3)]
            channels += 12
        if compressed:
            expected.append((compressed, channels, 1, 1))
            channels = compressed
    assert channels == 192
    assert [tuple(shape) for shape in shapes] == expected


def test_features_pool_the_last_map_to_192():
    network = DenseNet(10).eval()
    images = torch.randn(2, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        maps = network.backbone[:-2](images)  # before pooling and flattening
        features = network.features(images)
        logits = network(images)
    assert maps.shape == (2, 192, 7, 7)
    assert torch.allclose(features, maps.mean(dim=(2, 3)), atol=1e-6)
    assert torch.allclose(logits, network.head(features), atol=1e-6)


def test_number_of_weights():
    """Counted by hand from Huang et al. 2017: the backbone's weights, and 193 per class."""
    n_weights = 24 * 9
    channels = 24
    for position, n_layers in enumerate((6, 12, 8)):
        for _ in range(n_layers):
            n_weights += 2 * channels + channels * 48 + 2 * 48 + 48 * 12 * 9
            channels += 12
        if position < 2:
            n_weights += 2 * channels + channels * (channels // 2)
            channels //= 2
    n_weights += 2 * channels + 10 * (channels + 1)
    assert channels == 192
    assert sum(p.numel() for p in DenseNet(10).parameters()) == n_weights
