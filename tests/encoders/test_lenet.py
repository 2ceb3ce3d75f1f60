import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from tdafeat.encoders import load
from tdafeat.encoders.densenet import DenseNet
from tdafeat.encoders.lenet import LeNet
from tdafeat.errors import UnknownName, UnreadableData


def test_number_of_weights():
    """LeCun et al. 1998, with every second-layer map joined to all six of the first."""
    convolutions = (25 + 1) * 6 + (25 * 6 + 1) * 16
    dense = (400 + 1) * 120 + (120 + 1) * 84 + (84 + 1) * 10
    assert sum(p.numel() for p in LeNet(10).parameters()) == convolutions + dense == 61706


def test_layers(tmp_path):
    torch.manual_seed(0)
    network = LeNet(7).eval()
    save_file(network.state_dict(), tmp_path / "lenet.safetensors")
    images = torch.randn(3, 1, 28, 28)
    name = f"lenet:mine@{tmp_path / 'lenet.safetensors'}"
    features, logits = load(name), load(f"{name}#logits")
    assert (features.dimension, logits.dimension) == (84, 7)
    with torch.inference_mode():
        torch.testing.assert_close(logits.encode(images), network(images))
        torch.testing.assert_close(network.head(features.encode(images)), network(images))
    assert features.head is None  # without a card, nothing tells what its outputs stand for


@pytest.mark.parametrize("layer", ["features", "logits"])
def test_the_head_gives_the_networks_own_logits(layer):
    encoder = load(f"lenet:fashion-mnist#{layer}")
    images = torch.randn(3, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    classes = encoder.head.classes[::-1]
    weights, bias = encoder.head.of(classes)
    with torch.inference_mode():
        expected = encoder.module(images).numpy()[:, ::-1]
    found = encoder.encode(images).numpy() @ weights.T + bias
    np.testing.assert_allclose(found, expected, atol=1e-4)
    with pytest.raises(UnknownName, match="not taught the class 'Toga'"):
        encoder.head.of(["Coat", "Toga"])


def test_weights_of_another_network_are_refused(tmp_path):
    save_file(DenseNet(7).state_dict(), tmp_path / "dense.safetensors")
    with pytest.raises(UnreadableData, match=r"dense.safetensors: weights of another architecture"):
        load(f"lenet:mine@{tmp_path / 'dense.safetensors'}")
