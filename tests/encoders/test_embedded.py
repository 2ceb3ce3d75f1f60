"""The weights that come with the package: they load, are trained, and their cards say how."""

import numpy as np
import pytest
import torch

from tdafeat import encoders
from tdafeat.encoders.checkpoint import EMBEDDED
from tdafeat.encoders.siamese import embedded_names, read_siamese
from tdafeat.training.card import read_card

NAMES = [f"{family}:{n}" for family in ("densenet", "siamese") for n in embedded_names(family)]


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
    card = read_card(path)
    assert card["history"][-1]["loss"] < card["history"][0]["loss"]
    measured = dict(card["measured"])
    assert "--evaluate" in measured.pop("command")
    assert measured.pop("n") >= 100
    assert measured
    assert all(0 < value <= 1 for value in measured.values())
    assert path.stat().st_size < 4_000_000


@pytest.mark.parametrize("name", embedded_names("siamese"))
def test_a_siamese_stands_on_the_densenet_of_its_name(name):
    inside = read_siamese(EMBEDDED / f"siamese-{name}.safetensors").densenet.state_dict()
    alone = encoders.load(f"densenet:{name}").module.state_dict()
    assert all(torch.equal(inside[key], alone[key]) for key in alone)
