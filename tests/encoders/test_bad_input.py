"""What no encoder may stumble over, and what each refuses in one sentence."""

import json
import pickle

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from tdafeat import datasets, encoders
from tdafeat.compat import import_torchvision
from tdafeat.encoders import catalogue
from tdafeat.encoders.checkpoint import EMBEDDED
from tdafeat.encoders.densenet import DenseNet
from tdafeat.encoders.lenet import LeNet
from tdafeat.encoders.siamese import Siamese
from tdafeat.encoders.tiny import make_clip, read_clip
from tdafeat.errors import UnknownName, UnreadableData

import_torchvision()
timm = pytest.importorskip("timm")
open_clip = pytest.importorskip("open_clip")

# Names that take a checkpoint, and what makes the state dictionary of one.
FAMILIES = {
    "lenet": lambda: LeNet(3).state_dict(),
    "densenet": lambda: DenseNet(3).state_dict(),
    "siamese": lambda: Siamese(DenseNet(3)).state_dict(),
    "tiny:clip": lambda: make_clip(read_clip(EMBEDDED / "tiny-clip.safetensors")[1]).state_dict(),
    "timm:test_vit": lambda: timm.create_model("test_vit").state_dict(),
    "timm:test_resnet.mocov3": lambda: timm.create_model("test_resnet").state_dict(),
    "open_clip:tdafeat-bad": lambda: open_clip.create_model("tdafeat-bad").state_dict(),
}
VISION = {"image_size": 32, "layers": 1, "width": 64, "patch_size": 16}
TEXT = {"context_length": 8, "vocab_size": 50, "width": 16, "heads": 2, "layers": 1}


@pytest.fixture(scope="module", autouse=True)
def small_clip(tmp_path_factory):
    """A configuration of open_clip that is made and read in a moment."""
    path = tmp_path_factory.mktemp("configs") / "tdafeat-bad.json"
    path.write_text(json.dumps({"embed_dim": 16, "vision_cfg": VISION, "text_cfg": TEXT}))
    open_clip.add_model_config(path)


class Payload:
    def __reduce__(self):
        return open, ("unpickled.txt", "w")


def refused(name, path, reason):
    with pytest.raises(UnreadableData, match=reason) as info:
        encoders.load(f"{name}@{path}")
    assert str(path) in str(info.value)
    assert "\n" not in str(info.value)


@pytest.mark.parametrize("family", FAMILIES)
def test_checkpoints_that_are_not_its_own(family, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pickled.pt").write_bytes(pickle.dumps({"weight": Payload()}))
    refused(family, tmp_path / "pickled.pt", "it holds pickled objects")
    torch.save({"state_dict": {"weight": Payload()}}, tmp_path / "object.pt")
    refused(family, tmp_path / "object.pt", "it holds pickled objects")
    save_file({"other.weight": torch.zeros(3)}, tmp_path / "other.safetensors")
    refused(family, tmp_path / "other.safetensors", "another architecture|not the weights of")
    assert not (tmp_path / "unpickled.txt").exists()


@pytest.mark.parametrize("family", FAMILIES)
def test_checkpoints_cut_short_or_of_another_size(family, tmp_path):
    state = {name: value.clone() for name, value in FAMILIES[family]().items()}
    for file, write in (("cut.pt", torch.save), ("cut.safetensors", save_file)):
        write(state, tmp_path / file)
        whole = (tmp_path / file).read_bytes()
        (tmp_path / file).write_bytes(whole[: len(whole) // 2])
        refused(family, tmp_path / file, "it is damaged")
    if family == "tiny:clip":
        return  # what it must hold beside weights has its own tests
    name = next(n for n, v in state.items() if v.ndim > 1 and len(v) > 1 and "head" not in n)
    state[name] = state[name][:1]
    torch.save(state, tmp_path / "narrow.pt")
    refused(family, tmp_path / "narrow.pt", "weights of another architecture")


LOCAL = [
    m.encoder for e in catalogue.CATALOGUE for m in e.models if not m.hub if "@" not in m.encoder
]
SHAPES = [(40, 30), (40, 30, 3), (1, 1), (1, 1, 3), (2, 1500, 3), (1500, 2), (1200, 1600, 3)]


@pytest.mark.parametrize("name", LOCAL)
def test_any_image_has_finite_features(name):
    """Grey to a colour encoder and back; tiny, huge and elongated ones."""
    encoder = encoders.load(name)
    if encoder.fit:
        encoder = encoder.fit(datasets.load("textures:16", "train", limit=5))
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 256, shape, dtype=np.uint8) for shape in SHAPES]
    batch = np.stack([encoder.preprocessing.prepare(picture) for picture in pictures])
    scaled = torch.from_numpy(batch).float() / 255
    features = encoder.encode(encoder.preprocessing.normalise(scaled))
    assert features.shape == (len(SHAPES), encoder.dimension)
    assert features.isfinite().all()


@pytest.mark.parametrize("name", LOCAL)
def test_grey_is_colour_without_colour(name):
    encoder = encoders.load(name)
    grey = np.random.default_rng(0).integers(0, 256, (40, 30), dtype=np.uint8)
    colour = np.repeat(grey[..., None], 3, axis=2)
    prepare = encoder.preprocessing.prepare
    assert np.array_equal(prepare(grey), prepare(colour))


@pytest.mark.parametrize("name", LOCAL)
def test_an_image_too_long_for_its_width_is_refused(name):
    with pytest.raises(ValueError, match="1 pixels is too long for its width"):
        encoders.load(name).preprocessing.prepare(np.zeros((1, 2000, 3), np.uint8))


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("timm:vit_small_patch16_224.dinov", "dino"),
        ("timm:resnet50.simlcr", "simclr"),
        ("timm:vit_base_patch16_224.mocov2", "mocov3"),
        ("open_clip:ViT-B-32/laion2b_s34b_b79", "laion2b_s34b_b79k"),
        ("tiny:clipp", "tiny:clip"),
        ("densenet:texture", "textures"),
        ("visualbert:vqa", "visualbert:vqa-coco-pre"),
    ],
)
def test_wrong_tags_are_told_the_nearest(name, nearest):
    with pytest.raises(UnknownName, match=nearest) as info:
        encoders.load(name)
    assert "\n" not in str(info.value)
