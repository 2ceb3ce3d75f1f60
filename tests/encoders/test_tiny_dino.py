import copy
import json

import pytest
import torch
from safetensors.torch import save_file

from tdafeat import datasets
from tdafeat.encoders import load
from tdafeat.encoders.checkpoint import EMBEDDED
from tdafeat.encoders.tiny_dino import FLATTEST, Architecture, as_encoder, make_vit
from tdafeat.errors import UnreadableData
from tdafeat.evaluation import WeightedNeighbours
from tdafeat.extraction import extract
from tdafeat.training.loop import seeded

SMALL = Architecture(size=16, patch=4, width=16, depth=1, heads=2)


def images(n=4, side=16):
    return torch.randn(n, 3, side, side, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def network():
    with seeded(3):
        return make_vit(SMALL).eval()


def test_layers_of_a_network_in_memory(network):
    with torch.inference_mode():
        tokens = network.forward_features(images())
    encoder = as_encoder(network, "variant")
    assert (encoder.name, encoder.layer, encoder.dimension) == ("variant", "cls", 16)
    assert encoder.preprocessing.crop == 16
    assert not encoder.tokens
    assert torch.equal(encoder.encode(images()), tokens[:, 0])
    averaged = as_encoder(network, "variant", "avg")
    assert torch.equal(averaged.encode(images()), tokens[:, 1:].mean(dim=1))
    patches = as_encoder(network, "variant", "patches")
    assert patches.tokens
    assert torch.equal(patches.encode(images()), tokens[:, 1:])
    with pytest.raises(ValueError, match="'cls' or 'avg' or 'patches'; got 'proj'"):
        as_encoder(network, "variant", "proj")


def test_the_version_is_that_of_the_weights(network):
    other = copy.deepcopy(network)
    assert as_encoder(other, "a").version == as_encoder(network, "b").version
    with torch.no_grad():
        other.cls_token += 1
    assert as_encoder(other, "a").version != as_encoder(network, "a").version


@pytest.mark.parametrize("side", [8, 12, 16, 24])
def test_any_size_of_whole_patches(network, side):
    assert network.forward_features(images(side=side)).shape == (4, 1 + (side // 4) ** 2, 16)


def test_an_images_own_brightness_and_contrast_are_taken_off(network):
    plain = images()
    with torch.inference_mode():
        before = network.forward_features(plain)
        after = network.forward_features(0.7 * plain - 0.2)
        black = network.forward_features(torch.full((1, 3, 16, 16), -1.0))
    torch.testing.assert_close(after, before, atol=5 * FLATTEST**2, rtol=0.05)
    assert black.isfinite().all()


def test_weights_of_another_architecture(tmp_path, network):
    path = tmp_path / "small.safetensors"
    save_file(network.state_dict(), path)
    with pytest.raises(UnreadableData, match=r"small\.safetensors: weights of another arch"):
        load(f"tiny:dino@{path}")
    clip = EMBEDDED / "tiny-clip.safetensors"
    with pytest.raises(UnreadableData, match="weights of another architecture"):
        load(f"tiny:dino@{clip}")


def test_the_embedded_weights_know_textures_without_labels():
    path = EMBEDDED / "tiny-dino.safetensors"
    card = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    encoder = load("tiny:dino")
    assert encoder.version == card["version"]
    assert path.stat().st_size < 6_000_000
    assert encoder.history[-1]["loss"] < encoder.history[0]["loss"]
    assert card["test"]["knn_accuracy"] > 0.75 > 2 * card["test"]["untrained_knn_accuracy"]
    for part in ("train", "test"):
        assert card[part]["command"].startswith("python -m tdafeat.training.dino ")


def test_the_embedded_encoder_puts_an_image_next_to_its_class():
    encoder = load("tiny:dino")
    sets = {split: datasets.load("textures", split, limit=6) for split in ("train", "test")}
    known, asked = (extract(images, encoder)[0] for images in sets.values())
    voters = WeightedNeighbours().fit(known.features, known.labels, len(known.classes))
    assert (voters.scores(asked.features).argmax(axis=1) == asked.labels).mean() > 0.6
