"""A small VisualBERT at random, on the ResNet-50 at random that gives it regions."""

import json
import os
import pickle
import shutil
import sys

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from tdafeat import encoders
from tdafeat.compat import import_torchvision
from tdafeat.encoders.catalogue import CATALOGUE
from tdafeat.encoders.visualbert import CAPTION
from tdafeat.errors import DataUnavailable, UnknownName, UnreadableData
from tdafeat.training.loop import seeded

import_torchvision()
timm = pytest.importorskip("timm")
transformers = pytest.importorskip("transformers")

CONFIG = {
    "model_type": "visual_bert",
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 48,
    "visual_embedding_dim": 2048,
}


def transformer(**changes):
    with seeded(0):
        config = transformers.VisualBertConfig.from_dict(CONFIG | changes)
        return transformers.VisualBertModel(config, add_pooling_layer=False).eval()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("checkpoint")
    with seeded(1):
        regions = timm.create_model("resnet50", num_classes=0)
    save_file(regions.state_dict(), place / "resnet50.safetensors")
    save_file(transformer().state_dict(), place / "model.safetensors")
    (place / "config.json").write_text(json.dumps(CONFIG))
    return place


@pytest.fixture
def changed(folder, tmp_path):
    """A copy whose files may be spoilt."""
    place = tmp_path / "changed"
    shutil.copytree(folder, place, copy_function=os.symlink)
    return place


def images(n=2):
    return torch.randn(n, 3, 64, 64, generator=torch.Generator().manual_seed(1))


def test_the_transformer_reads_the_map_after_the_sentence(folder):
    cls = encoders.load(f"visualbert@{folder}")
    avg = encoders.load(f"visualbert@{folder}#avg")
    assert (cls.layer, cls.dimension, avg.layer) == ("cls", 32, "avg")
    with torch.inference_mode():
        cells = cls.module.regions.forward_features(images())  # 2 x 2 cells of 64 x 64 pixels
        regions = torch.stack([cells[:, :, i, j] for i in (0, 1) for j in (0, 1)], dim=1)
        sentence = torch.tensor([CAPTION, CAPTION])
        read = transformer()(
            input_ids=sentence,
            attention_mask=torch.ones(2, 5),
            visual_embeds=regions,
            visual_attention_mask=torch.ones(2, 4),
            visual_token_type_ids=torch.ones(2, 4, dtype=torch.long),
        ).last_hidden_state
    assert torch.allclose(cls.encode(images()), read[:, 0], atol=1e-5)
    assert torch.allclose(avg.encode(images()), read[:, 5:].mean(dim=1), atol=1e-5)
    assert torch.equal(cls.encode(images()), cls.encode(images()))
    assert not torch.allclose(read[0, 0], read[1, 0], atol=1e-6)


def test_images_are_prepared_as_for_the_network_that_gives_regions(folder):
    config = timm.get_pretrained_cfg("resnet50.tv_in1k").to_dict()
    transform = timm.data.create_transform(
        **timm.data.resolve_data_config(pretrained_cfg=config), is_training=False
    )
    image = np.random.default_rng(0).integers(0, 256, (301, 400, 3), dtype=np.uint8)
    preprocessing = encoders.load(f"visualbert@{folder}").preprocessing
    pixels = torch.from_numpy(preprocessing.prepare(image).copy()).float() / 255
    expected = transform(Image.fromarray(image))
    assert torch.allclose(preprocessing.normalise(pixels[None])[0], expected, atol=1e-6)


def test_published_files_hold_more_than_the_transformer(changed, folder):
    """Heads, a pooler and a constant; and torch's format."""
    (changed / "model.safetensors").unlink()
    state = {f"visual_bert.{name}": value for name, value in transformer().state_dict().items()}
    state["visual_bert.embeddings.position_ids"] = torch.arange(512)[None]
    state["visual_bert.pooler.dense.weight"] = torch.zeros(32, 32)
    state["cls.predictions.bias"] = torch.zeros(7)
    torch.save(state, changed / "pytorch_model.bin")
    theirs = encoders.load(f"visualbert:mine@{changed}")
    assert theirs.version == encoders.load(f"visualbert@{folder}").version
    assert theirs.name == "visualbert:mine@changed"


def test_the_hubs_cache_is_enough(folder, monkeypatch, tmp_path):
    """As the hub's client leaves what it downloaded."""
    held = {
        "uclanlp/visualbert-vqa-coco-pre": ("config.json", "model.safetensors"),
        "timm/resnet50.tv_in1k": ("resnet50.safetensors",),
    }
    for repository, files in held.items():
        place = tmp_path / f"models--{repository.replace('/', '--')}"
        (place / "refs").mkdir(parents=True)
        (place / "refs" / "main").write_text("abc")
        (place / "snapshots" / "abc").mkdir(parents=True)
        for file in files:
            known = file.replace("resnet50", "model")
            os.symlink(folder / file, place / "snapshots" / "abc" / known)
    monkeypatch.setattr("tdafeat.encoders.hub._reachable", lambda endpoint: False)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    published = encoders.load("visualbert:vqa-coco-pre")
    assert published.version == encoders.load(f"visualbert@{folder}").version
    (method,) = (method for method in CATALOGUE if method.name == "VisualBERT")
    assert method.models[0].weights == "here"


def test_the_version_knows_both_networks(changed, folder):
    (changed / "model.safetensors").unlink()
    state = transformer().state_dict()
    state["embeddings.visual_projection.bias"] += 1
    save_file(state, changed / "model.safetensors")
    before = encoders.load(f"visualbert@{folder}").version
    assert encoders.load(f"visualbert@{changed}").version != before


def test_it_says_what_it_stands_in_for(folder):
    encoder = encoders.load(f"visualbert@{folder}")
    assert encoder.remark.startswith("visualbert saw the cells of ResNet-50's last map as regions")


def _spoil(place, file, content):
    (place / file).unlink()
    if content is not None:
        (place / file).write_bytes(content)


@pytest.mark.parametrize(
    ("file", "content", "error", "message"),
    [
        ("config.json", None, DataUnavailable, "holds no config.json"),
        ("config.json", b"{", UnreadableData, "config.json: not the configuration of a VisualB"),
        ("config.json", b'{"model_type": "bert"}', UnreadableData, "not the configuration of"),
        ("model.safetensors", None, DataUnavailable, "neither model.safetensors nor pytorch_mod"),
        ("model.safetensors", b"\x00" * 99, UnreadableData, "model.safetensors: not a readable"),
        ("resnet50.safetensors", b"", UnreadableData, "resnet50.safetensors: not a readable"),
    ],
)
def test_folders_that_cannot_be_read(changed, file, content, error, message):
    _spoil(changed, file, content)
    with pytest.raises(error, match=message) as info:
        encoders.load(f"visualbert@{changed}")
    assert "\n" not in str(info.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hidden_size": 64}, "weights of another architecture.*another shape"),
        ({"num_hidden_layers": 3}, "weights of another architecture.*is missing"),
        ({"hidden_size": "wide"}, "config.json: not VisualBERT's"),
        ({"num_attention_heads": 5}, "config.json: not VisualBERT's"),
    ],
)
def test_configurations_of_another_network(changed, change, message):
    _spoil(changed, "config.json", json.dumps(CONFIG | change).encode())
    with pytest.raises(UnreadableData, match=message) as info:
        encoders.load(f"visualbert@{changed}")
    assert "\n" not in str(info.value)


def test_regions_of_another_size(changed):
    narrow = {"visual_embedding_dim": 1024}
    _spoil(changed, "config.json", json.dumps(CONFIG | narrow).encode())
    (changed / "model.safetensors").unlink()
    save_file(transformer(**narrow).state_dict(), changed / "model.safetensors")
    with pytest.raises(
        UnreadableData, match=r"regions of 1024 values; resnet50\.tv_in1k gives 2048"
    ):
        encoders.load(f"visualbert@{changed}")


class Payload:
    def __reduce__(self):
        return open, ("unpickled.txt", "w")


def test_nothing_is_unpickled(changed, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (changed / "model.safetensors").unlink()
    (changed / "pytorch_model.bin").write_bytes(pickle.dumps({"weight": Payload()}))
    with pytest.raises(UnreadableData, match="pickled objects"):
        encoders.load(f"visualbert@{changed}")
    assert not (tmp_path / "unpickled.txt").exists()


def test_names_that_make_no_sense(folder):
    with pytest.raises(UnknownName, match=r"'visualbert:nlvr2'; published: visualbert:vqa-coco-pr"):
        encoders.load("visualbert:nlvr2")
    with pytest.raises(DataUnavailable, match="no such folder"):
        encoders.load("visualbert@/nowhere")
    with pytest.raises(ValueError, match="layer of visualbert must be 'cls' or 'avg'"):
        encoders.load(f"visualbert@{folder}#map")


def test_without_transformers_one_sentence(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(DataUnavailable, match=r"needs transformers: pip install tdafeat\[visualbe"):
        encoders.load(f"visualbert@{folder}")


def test_without_a_network_one_sentence(monkeypatch, tmp_path):
    monkeypatch.setattr("tdafeat.encoders.hub._reachable", lambda endpoint: False)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(DataUnavailable, match="no network.*visualbert:vqa-coco-pre@FOLDER"):
        encoders.load("visualbert:vqa-coco-pre")


def test_without_a_network_the_folder_must_hold_its_regions_too(changed, monkeypatch):
    (changed / "resnet50.safetensors").unlink()
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(changed))
    monkeypatch.setattr("tdafeat.encoders.hub._reachable", lambda endpoint: False)
    with pytest.raises(
        DataUnavailable, match="changed: holds neither.*put one of these files into"
    ):
        encoders.load(f"visualbert:@{changed}")
