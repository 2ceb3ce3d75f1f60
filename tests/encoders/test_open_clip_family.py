import json

import numpy as np
import pytest
import torch
from PIL import Image

from tdafeat.compat import import_torchvision
from tdafeat.encoders import load
from tdafeat.encoders.open_clip_family import _preprocessing
from tdafeat.errors import DataUnavailable, UnknownName, UnreadableData

import_torchvision()
open_clip = pytest.importorskip("open_clip")
transforms = pytest.importorskip("open_clip.transform")

NAME = "tdafeat-test"  # a configuration small enough to make at random in a moment
CONFIG = {
    "embed_dim": 16,
    "vision_cfg": {
        "image_size": 32,
        "layers": 1,
        "width": 32,
        "head_width": 16,
        "patch_size": 16,
    },
    "text_cfg": {
        "context_length": 77,
        "vocab_size": 49408,
        "width": 16,
        "heads": 2,
        "layers": 1,
    },
}
PUBLISHED = {
    "hf_hub": "nobody/nothing/",
    "mean": (0.5, 0.5, 0.5),
    "std": (0.5, 0.5, 0.5),
    "interpolation": "bilinear",
    "resize_mode": "squash",
    "quick_gelu": True,
}


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """Path of a checkpoint, and the model in it."""
    folder = tmp_path_factory.mktemp("clip")
    (folder / f"{NAME}.json").write_text(json.dumps(CONFIG))
    open_clip.add_model_config(folder)
    torch.manual_seed(0)
    model = open_clip.create_model(NAME).eval()
    torch.save(model.state_dict(), folder / "clip.pt")
    return folder / "clip.pt", model


@pytest.fixture
def tagged(clip, monkeypatch):
    """The same checkpoint, as if its model had been published under a tag."""
    table = {NAME: {"ours": PUBLISHED}}
    monkeypatch.setattr("open_clip.pretrained._PRETRAINED", table)
    return clip


def _images(n=3):
    return torch.randn(n, 3, 32, 32, generator=torch.Generator().manual_seed(1))


def test_images_are_projected_by_the_model(clip):
    path, model = clip
    encoder = load(f"open_clip:{NAME}@{path}")
    with torch.inference_mode():
        expected = model.encode_image(_images())
    assert torch.equal(encoder.encode(_images()), expected)
    assert (encoder.layer, encoder.dimension) == ("proj", 16)
    assert encoder.name == f"open_clip:{NAME}@clip.pt"


@pytest.mark.parametrize(
    "shape", [(33, 47, 3), (47, 33, 3), (32, 32, 3), (9, 20, 3), (500, 333, 3)]
)
def test_preprocessing_is_the_models_own_transform(clip, shape):
    path, model = clip
    config = open_clip.get_model_preprocess_cfg(model)
    transform = transforms.image_transform_v2(transforms.PreprocessCfg(**config), is_train=False)
    image = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    preprocessing = load(f"open_clip:{NAME}@{path}").preprocessing
    pixels = torch.from_numpy(preprocessing.prepare(image).copy()).float() / 255
    expected = transform(Image.fromarray(image))
    assert torch.allclose(preprocessing.normalise(pixels[None])[0], expected, atol=1e-6)


def test_the_tag_brings_preprocessing_and_activation(tagged):
    path, _ = tagged
    encoder, bare = load(f"open_clip:{NAME}/ours@{path}"), load(f"open_clip:{NAME}@{path}")
    preprocessing = encoder.preprocessing
    assert (preprocessing.resize, preprocessing.crop) == (None, 32)
    assert (preprocessing.mean, preprocessing.interpolation) == ((0.5,) * 3, "bilinear")
    quick = {type(m).__name__ for m in encoder.module.modules()}
    assert "QuickGELU" in quick
    assert not torch.allclose(encoder.encode(_images()), bare.encode(_images()), atol=1e-4)


def test_openais_own_preprocessing():
    config = open_clip.get_pretrained_cfg("ViT-B-32", "openai")
    built_in = {"size": (224, 224), "mode": "RGB", "resize_mode": "shortest", "fill_color": 0}
    unlike = {"mean": (0.0,) * 3, "std": (1.0,) * 3, "interpolation": "bilinear"}
    preprocessing = _preprocessing(built_in | unlike, config)
    assert (preprocessing.resize, preprocessing.crop) == (224, 224)
    assert preprocessing.interpolation == "bicubic"
    assert preprocessing.mean == (0.48145466, 0.4578275, 0.40821073)


@pytest.mark.parametrize("change", [{"resize_mode": "longest"}, {"size": (224, 336)}])
def test_input_that_cannot_be_prepared_is_refused(change):
    config = {"size": 224, "resize_mode": "shortest", "interpolation": "bicubic"}
    config |= {"mean": (0.5,) * 3, "std": (0.5,) * 3}
    with pytest.raises(ValueError, match="square"):
        _preprocessing(config | change, {})


def test_text_is_embedded_by_the_models_own_tower(clip):
    path, model = clip
    rows = load(f"open_clip:{NAME}@{path}").encode_text(["banded", "dotted"], ["a {}.", "the {}."])
    tokenizer = open_clip.get_tokenizer(NAME)
    expected = []
    for name in ("banded", "dotted"):
        with torch.inference_mode():
            both = model.encode_text(tokenizer([f"a {name}.", f"the {name}."]), normalize=True)
        expected.append(both.mean(dim=0) / both.mean(dim=0).norm())
    assert torch.allclose(rows, torch.stack(expected), atol=1e-6)
    assert rows.shape == (2, 16)


def test_without_prompts_generic_ones(clip):
    encoder = load(f"open_clip:{NAME}@{clip[0]}")
    generic = ["a photo of a {}.", "a photo of the {}.", "an image of a {}."]
    assert torch.equal(encoder.encode_text(["cat"]), encoder.encode_text(["cat"], generic))


def test_a_vocabulary_that_must_be_downloaded(clip, monkeypatch):
    def unreachable(name):
        raise OSError("connection refused\nby the hub")

    encoder = load(f"open_clip:{NAME}@{clip[0]}")
    monkeypatch.setattr(open_clip, "get_tokenizer", unreachable)
    with pytest.raises(DataUnavailable, match="tokenizer is not on this machine") as info:
        encoder.encode_text(["cat"])
    assert "\n" not in str(info.value)
    assert encoder.encode(_images()).shape == (3, 16)


def test_weights_of_another_architecture(clip, tmp_path):
    _, model = clip
    state = {k: v for k, v in model.state_dict().items() if k != "visual.proj"}
    torch.save(state, tmp_path / "other.pt")
    with pytest.raises(UnreadableData, match=r"other\.pt.*1 missing.*visual\.proj is missing"):
        load(f"open_clip:{NAME}@{tmp_path / 'other.pt'}")


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("open_clip:ViT-B-33/openai", UnknownName, "did you mean 'ViT-B-32'"),
        ("open_clip:ViT-B-32/opneai", UnknownName, "did you mean 'openai'"),
        ("open_clip:ViT-B-32", ValueError, "needs weights: open_clip:ViT-B-32/openai"),
        ("open_clip:ViT-B-32/openai#cls", ValueError, "must be 'proj'; got 'cls'"),
    ],
)
def test_names_that_make_no_sense(name, error, message):
    with pytest.raises(error, match=message):
        load(name)


def test_without_a_network_one_sentence(tagged, monkeypatch, tmp_path):
    from huggingface_hub import constants

    monkeypatch.setattr("tdafeat.encoders.hub._reachable", lambda endpoint: False)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    name = f"open_clip:{NAME}/ours"
    with pytest.raises(DataUnavailable, match=f"no network.*checkpoint.*: {name}@FILE") as info:
        load(name)
    assert "\n" not in str(info.value)
