import pytest
import torch
from safetensors.torch import save_file

from tdafeat.encoders import load
from tdafeat.encoders.densenet import DenseNet
from tdafeat.encoders.siamese import Siamese
from tdafeat.errors import UnknownName, UnreadableData


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights")
    torch.manual_seed(0)
    network = Siamese(DenseNet(n_classes=7)).eval()
    save_file(network.densenet.state_dict(), folder / "densenet.safetensors")
    save_file(network.state_dict(), folder / "siamese.safetensors")
    return folder, network


def _images(n=4):
    return torch.randn(n, 1, 28, 28, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(("layer", "dimension"), [(None, 192), ("features", 192), ("logits", 7)])
def test_densenet_layers(files, layer, dimension):
    folder, network = files
    encoder = load("densenet:mine", layer=layer, checkpoint=str(folder / "densenet.safetensors"))
    features = encoder.encode(_images())
    whole = network.densenet if layer == "logits" else network.densenet.features
    assert encoder.dimension == dimension
    assert features.shape == (4, dimension)
    with torch.inference_mode():
        torch.testing.assert_close(features, whole(_images()))


def test_siamese_embeds_on_the_sphere(files):
    folder, _ = files
    encoder = load(f"siamese:mine@{folder / 'siamese.safetensors'}")
    features = encoder.encode(_images())
    assert (encoder.dimension, encoder.layer) == (128, "embedding")
    assert features.shape == (4, 128)
    assert torch.allclose(features.norm(dim=1), torch.ones(4), atol=1e-6)
    assert encoder.name == "siamese:mine@siamese.safetensors"


def test_features_of_an_image_do_not_depend_on_its_batch(files):
    encoder = load(f"siamese:mine@{files[0] / 'siamese.safetensors'}")
    together, alone = encoder.encode(_images()), encoder.encode(_images()[:1])
    assert torch.allclose(together[:1], alone, atol=1e-5)


def test_the_backbone_is_frozen(files):
    network = Siamese(DenseNet(n_classes=7)).train()
    assert not network.densenet.training
    assert network.projection.training
    before = {k: v.clone() for k, v in network.densenet.state_dict().items()}
    network(_images()).sum().backward()
    assert all(p.grad is None for p in network.densenet.parameters())
    assert all(p.grad is not None for p in network.projection.parameters())
    assert all(torch.equal(before[k], v) for k, v in network.densenet.state_dict().items())


def test_input_is_grey_in_minus_one_to_one(files):
    import numpy as np

    preprocessing = load(f"densenet:mine@{files[0] / 'densenet.safetensors'}").preprocessing
    black = preprocessing.prepare(np.zeros((64, 80, 3), np.uint8))
    white = preprocessing.prepare(np.full((20, 20), 255, np.uint8))
    pixels = torch.from_numpy(np.stack([black, white])) / 255
    assert preprocessing.normalise(pixels)[:, 0, 0, 0].tolist() == [-1.0, 1.0]


def test_one_familys_weights_in_the_other(files):
    folder, _ = files
    with pytest.raises(UnreadableData, match="not the weights of a Siamese"):
        load(f"siamese:mine@{folder / 'densenet.safetensors'}")
    with pytest.raises(UnreadableData, match="not the weights of a DenseNet"):
        load(f"densenet:mine@{folder / 'siamese.safetensors'}")


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("densenet:nothing-like-it", UnknownName, "densenet:NAME@FILE|nothing-like-it@FILE"),
        ("siamese:textures#proj", ValueError, "'embedding'; got 'proj'"),
        ("densenet:textures#proj", ValueError, "'features' or 'logits'; got 'proj'"),
    ],
)
def test_names_that_make_no_sense(name, error, message):
    with pytest.raises(error, match=message):
        load(name)
