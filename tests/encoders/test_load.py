import numpy as np
import pytest
from safetensors.torch import save_file

from tdafeat.encoders import encoders, from_function, load
from tdafeat.encoders.densenet import DenseNet
from tdafeat.errors import UnknownName


def test_families():
    assert {"pixels", "densenet", "siamese", "open_clip", "timm"} <= set(encoders)


def test_a_typo_is_told_the_nearest():
    with pytest.raises(UnknownName, match="did you mean 'siamese'"):
        load("siamees:textures")


def test_layer_and_checkpoint_in_the_name_or_beside_it(tmp_path):
    path = tmp_path / "a@b.safetensors"
    save_file(DenseNet(3).state_dict(), path)
    named = load(f"densenet:x@{path}#logits")
    beside = load("densenet:x", layer="logits", checkpoint=str(path))
    assert (named.name, named.layer, named.version) == (beside.name, "logits", beside.version)
    assert named.name == "densenet:x@a@b.safetensors"


def test_an_encoder_of_another_package(monkeypatch):
    encoder = from_function(lambda x: x.flatten(1), "mine", "1", size=2)
    monkeypatch.setitem(encoders._entries, "mine", lambda detail, layer, checkpoint: encoder)
    image = np.zeros((5, 5, 3), np.uint8)
    assert load("mine:model").preprocessing.prepare(image).shape == (3, 2, 2)
