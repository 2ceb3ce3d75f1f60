"""Images are prepared as the libraries their weights come from prepare them, pixel by pixel."""

import numpy as np
import pytest
import torch
from PIL import Image

from tdafeat.compat import import_torchvision
from tdafeat.encoders import Preprocessing, open_clip_family, timm_family

import_torchvision()
transforms = pytest.importorskip("torchvision.transforms")
open_clip_transform = pytest.importorskip("open_clip.transform")
timm_data = pytest.importorskip("timm.data")

# (height, width): the size itself, just beside it, odd and even margins, tiny, huge, elongated
SIZES = [(48, 48), (49, 48), (47, 53), (53, 47), (1, 1), (3, 70), (70, 3), (640, 480), (301, 2999)]


def picture(size, channels=3):
    shape = (*size, channels) if channels == 3 else size
    return np.random.default_rng(sum(size)).integers(0, 256, shape, dtype=np.uint8)


def prepared(preprocessing, pixels):
    return torch.from_numpy(preprocessing.prepare(pixels).copy())


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("interpolation", ["nearest", "bilinear", "bicubic", "lanczos"])
@pytest.mark.parametrize("channels", [1, 3])
def test_torchvision(size, interpolation, channels):
    mode = transforms.InterpolationMode(interpolation)
    theirs = transforms.Compose(
        [transforms.Resize(51, mode), transforms.CenterCrop(48), transforms.PILToTensor()]
    )
    unit = {"mean": (0.0,) * channels, "std": (1.0,) * channels, "channels": channels}
    ours = Preprocessing(51, 48, interpolation, **unit)
    pixels = picture(size, channels)
    assert torch.equal(prepared(ours, pixels), theirs(Image.fromarray(pixels)))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("resize_mode", ["shortest", "squash"])
@pytest.mark.parametrize("interpolation", ["bicubic", "bilinear"])
def test_open_clip(size, resize_mode, interpolation):
    config = open_clip_transform.PreprocessCfg(
        size=(48, 48), interpolation=interpolation, resize_mode=resize_mode
    )
    ours = open_clip_family._preprocessing(vars(config), {})
    pixels = picture(size)
    theirs = open_clip_transform.image_transform_v2(config, is_train=False)
    expected = theirs(Image.fromarray(pixels))
    normalised = ours.normalise(prepared(ours, pixels)[None] / 255)[0]
    assert torch.allclose(normalised, expected, atol=1e-5)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("crop_pct", "crop_mode", "interpolation"),
    [(0.95, "center", "bicubic"), (0.875, "center", "bilinear"), (1.0, "squash", "bicubic")],
)
def test_timm(size, crop_pct, crop_mode, interpolation):
    config = {
        "input_size": (3, 48, 48),
        "interpolation": interpolation,
        "mean": (0.5, 0.4, 0.3),
        "std": (0.5, 0.25, 0.2),
        "crop_pct": crop_pct,
        "crop_mode": crop_mode,
    }
    ours = timm_family._preprocessing(config)
    pixels = picture(size)
    expected = timm_data.create_transform(**config)(Image.fromarray(pixels))
    normalised = ours.normalise(prepared(ours, pixels)[None] / 255)[0]
    assert torch.allclose(normalised, expected, atol=1e-5)


IMAGENET = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}
AS_IT_IS = {"mean": (0.0, 0.0, 0.0), "std": (1.0, 1.0, 1.0)}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("method", "interpolation", "normalisation"),
    [
        ("dino", "bicubic", IMAGENET),  # eval_linear.py of facebookresearch/dino
        ("dinov2", "bicubic", IMAGENET),  # data/transforms.py of facebookresearch/dinov2
        ("mae", "bicubic", IMAGENET),  # main_linprobe.py of facebookresearch/mae
        ("mocov3", "bilinear", IMAGENET),  # main_lincls.py of facebookresearch/moco-v3
        ("simclr", "bicubic", AS_IT_IS),  # data_util.py of google-research/simclr: 0.875 of a side
        ("byol", "bicubic", IMAGENET),  # utils/dataset.py of deepmind-research/byol: 224 of 256
    ],
)
def test_methods_as_their_authors_evaluate_them(size, method, interpolation, normalisation):
    theirs = transforms.Compose(
        [
            transforms.Resize(256, transforms.InterpolationMode(interpolation)),
            transforms.CenterCrop(224),
            transforms.ToTensor(),
            transforms.Normalize(**normalisation),
        ]
    )
    ours = (timm_family.PAPERS | timm_family.AUTHORS)[method]
    pixels = picture(size)
    normalised = ours.normalise(prepared(ours, pixels)[None] / 255)[0]
    assert torch.allclose(normalised, theirs(Image.fromarray(pixels)), atol=1e-5)
