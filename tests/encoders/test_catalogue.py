"""Every fact of the catalogue, against the libraries that know it."""

import subprocess
import sys

import pytest
import torch

from tdafeat import encoders
from tdafeat.cli import main
from tdafeat.compat import import_torchvision
from tdafeat.encoders import open_clip_family, timm_family
from tdafeat.encoders.catalogue import CATALOGUE, OPEN_CLIP, SAFE, table
from tdafeat.encoders.checkpoint import EMBEDDED

import_torchvision()
timm = pytest.importorskip("timm")
open_clip = pytest.importorskip("open_clip")

MODELS = {model.encoder: model for method in CATALOGUE for model in method.models}
NORMALISATION = {
    (0.0, 0.0, 0.0): "",
    (0.0,): "grey",
    (0.5,): "grey 0.5",
    (0.5, 0.5, 0.5): "0.5",
    (0.485, 0.456, 0.406): "imagenet",
    (0.48145466, 0.4578275, 0.40821073): "clip",
}


def of(family):
    return [name for name in MODELS if name.partition(":")[0] == family]


def described(preprocessing):
    """As the catalogue writes it."""
    resize, crop = preprocessing.resize, preprocessing.crop
    sides = (
        f"squash {crop}" if resize is None else str(crop) if resize == crop else f"{resize}>{crop}"
    )
    words = (sides, preprocessing.interpolation, NORMALISATION[preprocessing.mean])
    return " ".join(word for word in words if word)


LOCAL = [name for name, model in MODELS.items() if not model.hub and "@" not in name]


@pytest.mark.parametrize("name", LOCAL)
def test_encoders_that_need_no_download(name):
    model = MODELS[name]
    layers = [encoders.load(name, layer=layer) for layer in model.layers.split()]
    default = encoders.load(name)
    assert (default.layer, default.dimension) == (layers[0].layer, model.dimension)
    assert described(default.preprocessing) == model.input
    assert model.weights == "here"


def test_every_embedded_network_is_in_it():
    weights = [path.stem.replace("-", ":", 1) for path in EMBEDDED.glob("*.safetensors")]
    assert set(weights) <= set(MODELS)


@pytest.mark.parametrize("name", of("timm"))
def test_timm(name, monkeypatch):
    """The loader itself, on a network without memory behind its weights."""
    create = timm.create_model

    def outline(*arguments, **options):
        with torch.device("meta"):
            return create(*arguments, **options | {"pretrained": False})

    monkeypatch.setattr(timm, "create_model", outline)
    monkeypatch.setattr(timm_family, "read_weights", lambda path: {})
    monkeypatch.setattr(timm_family, "fill", lambda *_: None)
    monkeypatch.setattr(timm_family, "fingerprint", lambda state: "")
    model = MODELS[name]
    first, *others = model.layers.split()
    encoder = encoders.load(name, device="meta")
    assert (encoder.layer, encoder.dimension) == (first, model.dimension)
    assert list(timm_family._layers(encoder.module)) == [first, *others]
    assert described(encoder.preprocessing) == model.input
    if model.weights != "path":
        published = timm.get_pretrained_cfg(name.removeprefix("timm:"))
        assert (published.license, (published.hf_hub_id,)) == (model.licence, model.hub)
        assert published.hf_hub_filename is None


@pytest.mark.parametrize("name", of("open_clip"))
def test_open_clip(name):
    model = MODELS[name]
    network, _, tag = name.removeprefix("open_clip:").partition("/")
    published = open_clip.get_pretrained_cfg(network, tag)
    assert (published["hf_hub"].removesuffix("/"),) == model.hub
    config = open_clip.get_model_config(network)
    assert (config["embed_dim"], "proj") == (model.dimension, model.layers)
    size = {"size": config["vision_cfg"]["image_size"]}
    assert described(open_clip_family._preprocessing(published | size, {})) == model.input
    assert bool(published.get("quick_gelu")) == ("quickgelu" in network)


def test_visualbert():
    from tdafeat.encoders.visualbert import PUBLISHED, REGIONS

    (name,) = of("visualbert")
    assert MODELS[name].hub == (PUBLISHED[name.removeprefix("visualbert:")], f"timm/{REGIONS}")


def test_no_row_is_wider_than_a_terminal():
    assert max(len(line) for text in table() for line in text.splitlines()) <= 120


def test_the_cache_is_looked_at_without_a_network(monkeypatch, tmp_path):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    clip = MODELS["open_clip:ViT-B-32-quickgelu/openai"]
    assert clip.weights == "download"
    for file, found in ((SAFE[0], "download"), (OPEN_CLIP[0], "here")):
        repository = tmp_path / f"models--{clip.hub[0].replace('/', '--')}"
        (repository / "refs").mkdir(parents=True, exist_ok=True)
        (repository / "refs" / "main").write_text("abc")
        (repository / "snapshots" / "abc").mkdir(parents=True, exist_ok=True)
        (repository / "snapshots" / "abc" / file).write_text("")
        assert clip.weights == found


def test_families_of_other_packages_are_listed(monkeypatch, capsys):
    def load(detail, layer, checkpoint):
        """Encoders from somewhere else."""

    monkeypatch.setitem(encoders.encoders._entries, "elsewhere", load)
    assert main(["list", "encoders"]) == 0
    printed = capsys.readouterr().out
    assert "elsewhere    Encoders from somewhere else." in printed
    assert set(encoders.encoders) <= set(printed.split())


def test_the_list_needs_none_of_the_libraries():
    script = """
import sys
from tdafeat.cli import main
main(["list", "encoders"])
slow = ("timm", "open_clip", "transformers", "skimage", "sklearn", "torchvision")
print("loaded:", [name for name in slow if name in sys.modules])
"""
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert "loaded: []" in result.stdout, result.stdout + result.stderr
