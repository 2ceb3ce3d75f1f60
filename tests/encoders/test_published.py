"""Published networks at their full size: random weights on disk, loaded by their catalogue name."""

import numpy as np
import pytest
import torch
from PIL import Image

from tdafeat import encoders
from tdafeat.compat import import_torchvision
from tdafeat.encoders.catalogue import CATALOGUE
from tdafeat.training.loop import seeded

import_torchvision()
timm = pytest.importorskip("timm")
open_clip = pytest.importorskip("open_clip")
transforms = pytest.importorskip("open_clip.transform")

MODELS = [m for method in CATALOGUE for m in method.models if "large" not in m.encoder]
TIMMS_OWN = ("beit_", "beitv2_")  # evaluated as timm says; tests/encoders/test_transforms.py
PICTURE = np.random.default_rng(0).integers(0, 256, (301, 260, 3), dtype=np.uint8)


def prepared(encoder):
    pixels = torch.from_numpy(encoder.preprocessing.prepare(PICTURE).copy()).float() / 255
    return encoder.preprocessing.normalise(pixels[None])


@pytest.mark.slow
@pytest.mark.parametrize(
    "model", [m for m in MODELS if m.encoder.startswith("timm:")], ids=lambda model: model.encoder
)
def test_timm(model, tmp_path):
    name = model.encoder.removesuffix("@FILE")
    architecture = name.removeprefix("timm:").partition(".")[0]
    with seeded(0):
        network = timm.create_model(architecture, num_classes=0).eval()
    torch.save(network.state_dict(), tmp_path / "w.pt")
    for layer in model.layers.split():
        encoder = encoders.load(f"{name}@{tmp_path / 'w.pt'}#{layer}")
        features = encoder.encode(prepared(encoder))
        assert features.shape[-1] == model.dimension
        assert features.isfinite().all()
        assert torch.equal(features, encoder.encode(prepared(encoder)))
    if architecture.startswith(TIMMS_OWN):
        config = timm.get_pretrained_cfg(name.removeprefix("timm:")).to_dict()
        data = timm.data.resolve_data_config(pretrained_cfg=config)
        theirs = timm.data.create_transform(**data, is_training=False)(Image.fromarray(PICTURE))
        assert torch.allclose(prepared(encoder)[0], theirs, atol=1e-6)
        default = encoders.load(f"{name}@{tmp_path / 'w.pt'}")
        with torch.inference_mode():
            assert torch.allclose(default.encode(theirs[None]), network(theirs[None]), atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize(
    "model",
    [m for m in MODELS if m.encoder.startswith("open_clip")],
    ids=lambda model: model.encoder,
)
def test_open_clip(model, tmp_path):
    network, _, tag = model.encoder.removeprefix("open_clip:").partition("/")
    with seeded(0):
        clip = open_clip.create_model(network).eval()
    torch.save(clip.state_dict(), tmp_path / "w.pt")
    encoder = encoders.load(f"{model.encoder}@{tmp_path / 'w.pt'}")
    published = open_clip.get_pretrained_cfg(network, tag)
    known = ("mean", "std", "interpolation", "resize_mode")
    config = transforms.PreprocessCfg(
        size=open_clip.get_model_config(network)["vision_cfg"]["image_size"],
        **{key: published[key] for key in known},
    )
    theirs = transforms.image_transform_v2(config, is_train=False)(Image.fromarray(PICTURE))
    assert torch.allclose(prepared(encoder)[0], theirs, atol=1e-5)
    with torch.inference_mode():
        expected = clip.encode_image(theirs[None])
    features = encoder.encode(theirs[None])
    assert features.shape == (1, model.dimension)
    assert torch.allclose(features, expected, atol=1e-4)
