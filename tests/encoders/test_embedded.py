"""The weights that come with the package: they load, are trained, and their cards say how."""

import json

import numpy as np
import pytest
import torch

from tdafeat import encoders
from tdafeat.encoders.checkpoint import EMBEDDED, embedded_names
from tdafeat.encoders.siamese import read_siamese

FAMILIES = ("lenet", "densenet", "siamese")
NAMES = [f"{family}:{name}" for family in FAMILIES for name in embedded_names(family)]


@pytest.mark.parametrize("name", NAMES)
def test_features(name):
    encoder = encoders.load(name)
    images = np.random.default_rng(0).integers(0, 256, (2, 40, 30, 3), dtype=np.uint8)
    pixels = torch.from_numpy(np.stack([encoder.preprocessing.prepare(i) for i in images]))
    features = encoder.encode(encoder.preprocessing.normalise(pixels / 255))
    assert features.shape == (2, encoder.dimension)
    assert features.isfinite().all()
    assert not torch.allclose(features[0], features[1], atol=1e-3)


@pytest.mark.parametrize("name", NAMES)
def test_card(name):
    path = EMBEDDED / f"{name.replace(':', '-')}.safetensors"
    card = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    assert card["version"] == encoders.load(name).version
    history = card["train"]["history"]
    assert history[-1]["loss"] < history[0]["loss"]
    for part in ("train", "test"):
        assert card[part]["command"].startswith("python -m tdafeat.training.")
        assert card[part]["data"]["n_images"] >= 100
    own = name.partition(":")[0]
    measured = card["test"][own]["mean_average_precision"] if own == "siamese" else None
    assert 0 < (measured or card["test"]["accuracy"]) <= 1
    assert path.stat().st_size < 2_000_000


@pytest.mark.parametrize("name", embedded_names("siamese"))
def test_a_siamese_stands_on_the_densenet_of_its_name(name):
    inside = read_siamese(EMBEDDED / f"siamese-{name}.safetensors").densenet.state_dict()
    alone = encoders.load(f"densenet:{name}").module.state_dict()
    assert all(torch.equal(inside[key], alone[key]) for key in alone)


@pytest.mark.parametrize("name", NAMES)
def test_the_encoder_tells_its_training(name):
    history = encoders.load(name).history
    assert [entry["epoch"] for entry in history] == list(range(1, len(history) + 1))
    assert history[-1]["loss"] < history[0]["loss"]


def test_siamese_sets_classes_of_clothes_apart_better_than_its_backbone_and_the_pixels():
    card = json.loads((EMBEDDED / "siamese-fashion-mnist.json").read_text(encoding="utf-8"))["test"]
    for metric in ("mean_average_precision", "silhouette", "calinski_harabasz", "purity"):
        ranking = [card[space][metric] for space in ("pixels", "densenet", "siamese")]
        assert ranking == sorted(ranking), metric


@pytest.mark.slow
def test_densenet_on_real_clothes_reaches_what_its_card_says(real_data):
    from tdafeat.encoders.classifier import PREPROCESSING, read_classifier
    from tdafeat.encoders.densenet import DenseNet
    from tdafeat.training.classifier import accuracy
    from tdafeat.training.data import prepared

    path = EMBEDDED / "densenet-fashion-mnist.safetensors"
    card = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))["test"]
    test = prepared("fashion_mnist", "test", PREPROCESSING)
    if test.description["versions"] != card["data"]["versions"]:
        pytest.skip("another split than the one these weights were trained and measured on")
    reached = accuracy(read_classifier(DenseNet, path), test, torch.device("cpu"))
    assert reached == pytest.approx(card["accuracy"], abs=1e-3)
    assert reached >= 0.93
