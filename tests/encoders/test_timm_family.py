import numpy as np
import pytest
import torch
from PIL import Image

from tdafeat.compat import import_torchvision
from tdafeat.encoders import load
from tdafeat.encoders.base import Preprocessing
from tdafeat.errors import DataUnavailable, UnknownName, UnreadableData

import_torchvision()
timm = pytest.importorskip("timm")

IMAGES = [(173, 260, 3), (260, 173, 3), (161, 400, 3), (160, 160, 3), (31, 17, 3), (900, 901, 3)]


def _checkpoint(folder, name, **options):
    torch.manual_seed(0)
    model = timm.create_model(name, pretrained=False, **options).eval()
    path = folder / f"{name}.pth"
    torch.save(model.state_dict(), path)
    return path, model


@pytest.fixture(scope="module")
def vit(tmp_path_factory):
    return _checkpoint(tmp_path_factory.mktemp("vit"), "test_vit", num_classes=0)


def _inputs(side, n=3):
    return torch.randn(n, 3, side, side, generator=torch.Generator().manual_seed(1))


def test_layers_of_a_transformer(vit):
    path, model = vit
    images = _inputs(160)
    with torch.inference_mode():
        tokens = model.forward_features(images)
    cls = load(f"timm:test_vit@{path}")
    avg = load("timm:test_vit", layer="avg", checkpoint=str(path))
    assert (cls.layer, cls.dimension, avg.layer, avg.dimension) == ("cls", 64, "avg", 64)
    assert torch.equal(cls.encode(images), tokens[:, 0])
    assert torch.equal(avg.encode(images), tokens[:, 1:].mean(dim=1))
    assert cls.version == avg.version
    patches = load(f"timm:test_vit@{path}#patches")
    assert patches.tokens
    assert not cls.tokens
    assert torch.equal(patches.encode(images), tokens[:, 1:])


@pytest.mark.parametrize(
    ("name", "dimension"), [("mobilenetv3_small_050", 1024), ("test_convnext", 64)]
)
def test_convolutional_networks_give_their_own_pooling(name, dimension, tmp_path):
    path, model = _checkpoint(tmp_path, name, num_classes=0)
    encoder = load(f"timm:{name}@{path}")
    images = _inputs(64, n=2)
    features = encoder.encode(images)
    assert (encoder.layer, encoder.dimension) == ("avg", dimension)
    with torch.inference_mode():
        torch.testing.assert_close(features, model(images))
    assert features.shape == (2, dimension)
    assert torch.equal(features, encoder.encode(images))


@pytest.mark.parametrize("shape", IMAGES)
def test_preprocessing_is_the_models_own_transform(vit, shape):
    path, model = vit
    config = timm.data.resolve_model_data_config(model)
    transform = timm.data.create_transform(**config, is_training=False)
    image = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    preprocessing = load(f"timm:test_vit@{path}").preprocessing
    pixels = torch.from_numpy(preprocessing.prepare(image).copy()).float() / 255
    expected = transform(Image.fromarray(image))
    assert torch.allclose(preprocessing.normalise(pixels[None])[0], expected, atol=1e-6)


def test_dino_is_resized_and_cropped_as_in_its_paper(tmp_path):
    path, _ = _checkpoint(tmp_path, "vit_small_patch16_224", num_classes=0)
    encoder = load(f"timm:vit_small_patch16_224.dino@{path}")
    imagenet = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}
    assert encoder.preprocessing == Preprocessing(256, 224, "bicubic", **imagenet)
    assert (encoder.layer, encoder.dimension) == ("cls", 384)


def test_dinov2_runs_at_the_size_of_its_paper(tmp_path):
    path, model = _checkpoint(tmp_path, "vit_small_patch14_dinov2", num_classes=0)
    assert model.patch_embed.img_size == (518, 518)
    encoder = load(f"timm:vit_small_patch14_dinov2@{path}")
    assert (encoder.preprocessing.resize, encoder.preprocessing.crop) == (256, 224)
    assert encoder.encode(_inputs(224, n=1)).shape == (1, 384)


def test_a_training_checkpoint_of_dino(vit, tmp_path):
    path, model = vit
    teacher = {f"module.backbone.{k}": v for k, v in model.state_dict().items()}
    teacher["module.head.mlp.0.weight"] = torch.zeros(3, 3)
    torch.save({"student": {}, "teacher": teacher, "epoch": 3}, tmp_path / "full.pth")
    whole = load(f"timm:test_vit@{tmp_path / 'full.pth'}")
    assert whole.version == load(f"timm:test_vit@{path}").version


def test_a_classification_head_is_left_out(vit, tmp_path):
    path, model = vit
    head = {"head.weight": torch.zeros(10, 64), "head.bias": torch.zeros(10)}
    torch.save(model.state_dict() | head, tmp_path / "classifier.pth")
    with_head = load(f"timm:test_vit@{tmp_path / 'classifier.pth'}")
    assert with_head.version == load(f"timm:test_vit@{path}").version


def test_other_weights_are_another_version(vit, tmp_path):
    path, model = vit
    state = {k: v + 1e-6 for k, v in model.state_dict().items()}
    torch.save(state, tmp_path / "moved.pth")
    moved, before = (load(f"timm:test_vit@{p}") for p in (tmp_path / "moved.pth", path))
    assert moved.version != before.version
    assert moved.name == "timm:test_vit@moved.pth"


def test_weights_of_another_architecture(vit, tmp_path):
    path, _ = vit
    for other in ("test_convnext", "test_vit3", "test_efficientnet"):
        with pytest.raises(UnreadableData, match=r"test_vit\.pth: weights of another architecture"):
            load(f"timm:{other}@{path}")
    torch.save({"weight": torch.zeros(3)}, tmp_path / "linear.pth")
    with pytest.raises(UnreadableData, match=r"linear\.pth: weights of another architecture"):
        load(f"timm:test_vit@{tmp_path / 'linear.pth'}")


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("timm:tset_vit", UnknownName, "did you mean 'test_vit'"),
        ("timm:vit_small_patch16_224.dyno", UnknownName, "'dyno'.*did you mean 'dino'"),
        ("timm:test_vit#proj", ValueError, "must be 'cls' or 'avg' or 'patches'; got 'proj'"),
    ],
)
def test_names_that_make_no_sense(name, error, message, vit):
    checkpoint = str(vit[0]) if "#" in name else None
    with pytest.raises(error, match=message):
        load(name, checkpoint=checkpoint)


def test_without_a_network_one_sentence(monkeypatch, tmp_path):
    from huggingface_hub import constants

    monkeypatch.setattr("tdafeat.encoders.hub._reachable", lambda endpoint: False)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(DataUnavailable, match=r"no network.*timm:test_vit\.r160_in1k@FILE") as info:
        load("timm:test_vit.r160_in1k")
    assert "\n" not in str(info.value)
