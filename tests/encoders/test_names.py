"""What can be typed as an encoder's name, and what is said where it cannot be had."""

import socket
import time

import pytest
import torch
from safetensors.torch import save_file

from tdafeat import encoders
from tdafeat.encoders.densenet import DenseNet
from tdafeat.errors import DataUnavailable


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    folder = tmp_path_factory.mktemp("odd#name@here")
    state = DenseNet(3).state_dict()
    for name in ("w.safetensors", "it@home#2.safetensors"):
        save_file(state, folder / name)
    return folder


@pytest.mark.parametrize("file", ["w.safetensors", "it@home#2.safetensors"])
@pytest.mark.parametrize("layer", ["features", "logits"])
def test_paths_may_hold_the_separators(weights, file, layer):
    encoder = encoders.load(f"densenet:mine@{weights / file}#{layer}")
    assert (encoder.name, encoder.layer) == (f"densenet:mine@{file}", layer)
    assert encoders.load(f"densenet@{weights / file}").name == f"densenet@{file}"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"layer": "grey"}, "layer 'grey' is given, but 'pixels@w.pt#rgb' names one already"),
        ({"checkpoint": "v.pt"}, "checkpoint 'v.pt' is given, but"),
    ],
)
def test_nothing_is_named_twice(given, message):
    with pytest.raises(ValueError, match=message):
        encoders.load("pixels@w.pt#rgb", **given)


@pytest.mark.parametrize("name", ["", ":x", "pixels#", "pixels#a b", "densenet@", "@x"])
def test_names_of_another_form(name):
    with pytest.raises(ValueError, match="FAMILY:MODEL@FILE#LAYER"):
        encoders.load(name)


@pytest.mark.parametrize("family", ["densenet", "siamese", "timm:test_vit"])
def test_a_checkpoint_that_is_not_there(family):
    with pytest.raises(DataUnavailable, match=r"/nowhere\.pt: there is no such checkpoint"):
        encoders.load(f"{family}@/nowhere.pt")


def test_the_version_is_the_weights_however_stored(weights, tmp_path):
    first = encoders.load(f"densenet@{weights / 'w.safetensors'}")
    state = {name: value.clone() for name, value in first.module.state_dict().items()}
    torch.save({"state_dict": state}, tmp_path / "same.pt")
    state["head.bias"][0] += 1
    torch.save(state, tmp_path / "other.pt")
    assert encoders.load(f"densenet@{tmp_path}/same.pt").version == first.version
    assert encoders.load(f"densenet@{tmp_path}/other.pt").version != first.version


@pytest.mark.parametrize("name", ["open_clip:ViT-B-32/openai", "timm:test_vit.r160_in1k"])
def test_a_resolver_that_fails_is_told_soon(name, monkeypatch, tmp_path):
    """Down to the socket: nothing in between may retry."""

    def fail(*_arguments, **_options):
        raise socket.gaierror("no resolver")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    for proxy in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(proxy, raising=False)
        monkeypatch.delenv(proxy.upper(), raising=False)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    began = time.monotonic()
    with pytest.raises(DataUnavailable, match="there is no network"):
        encoders.load(name)
    assert time.monotonic() - began < 10
