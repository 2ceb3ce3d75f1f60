"""Checkpoints as other programs wrote them, and the ways networks pool."""

import json

import pytest
import torch
from safetensors.torch import save_file

from tdafeat import encoders
from tdafeat.compat import import_torchvision
from tdafeat.encoders.open_clip_family import _converted
from tdafeat.encoders.timm_family import _layers
from tdafeat.errors import UnreadableData
from tdafeat.training.loop import seeded

import_torchvision()
timm = pytest.importorskip("timm")
open_clip = pytest.importorskip("open_clip")


def images(n=2):
    return torch.randn(n, 3, 160, 160, generator=torch.Generator().manual_seed(1))


def network(name, **options):
    """With random values everywhere: timm starts tokens, scales and shifts at zero or one."""
    with seeded(0):
        model = timm.create_model(name, **options).eval()
        for parameter in model.parameters():
            torch.nn.init.normal_(parameter, std=0.05)
    return model


@pytest.mark.parametrize("name", ["test_vit", "test_vit2", "test_resnet"])
@pytest.mark.parametrize("suffix", ["pt", "safetensors"])
def test_default_features_are_those_before_timms_head(name, suffix, tmp_path):
    """test_vit pools by its class token, test_vit2 by a mean with a normalisation behind it."""
    model = network(name)
    path = tmp_path / f"w.{suffix}"
    (torch.save if suffix == "pt" else save_file)(model.state_dict(), path)
    expected = model.forward_head(model.forward_features(images()), pre_logits=True).detach()
    encoder = encoders.load(f"timm:{name}@{path}")
    assert torch.allclose(encoder.encode(images()), expected, atol=1e-5)
    assert encoder.encode(images()).shape == (2, encoder.dimension)


def test_attention_pooling_is_a_layer_of_its_own():
    model = network("test_vit", global_pool="map", class_token=False, num_classes=0)
    layers = _layers(model)
    assert list(layers) == ["map", "avg"]
    tokens = model.forward_features(images())
    assert torch.allclose(layers["map"](images()), model(images()), atol=1e-6)
    assert torch.allclose(layers["avg"](images()), tokens.mean(dim=1), atol=1e-6)


def test_a_backbone_that_lacks_a_weight_is_refused_though_heads_may_be_missing(tmp_path):
    state = network("test_vit").state_dict()
    del state["blocks.0.norm1.weight"]
    torch.save(state, tmp_path / "w.pt")
    with pytest.raises(UnreadableData, match=r"1 missing.*blocks\.0\.norm1\.weight is missing"):
        encoders.load(f"timm:test_vit@{tmp_path / 'w.pt'}")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_openais_original_files_are_programs_and_refused(tmp_path):
    program = torch.jit.trace(torch.nn.Linear(2, 2), torch.zeros(1, 2))
    program.save(tmp_path / "ViT-S-32.pt")
    with pytest.raises(UnreadableData, match="TorchScript program"):
        encoders.load(f"open_clip:ViT-S-32@{tmp_path / 'ViT-S-32.pt'}")


def test_older_layouts_of_open_clip(tmp_path):
    """Scalars were vectors of one, and the text tower was not a module of its own."""
    size = {"image_size": 32, "layers": 1, "width": 64, "patch_size": 16}
    text = {"context_length": 8, "vocab_size": 50, "width": 16, "heads": 2, "layers": 1}
    config = {"embed_dim": 16, "vision_cfg": size, "text_cfg": text}
    for name, custom in (("tdafeat-old", False), ("tdafeat-new", True)):
        (tmp_path / f"{name}.json").write_text(json.dumps(config | {"custom_text": custom}))
    open_clip.add_model_config(tmp_path)
    with seeded(0):
        old, new = (open_clip.create_model(f"tdafeat-{age}") for age in ("old", "new"))
    state = old.state_dict()
    state["logit_scale"] = state["logit_scale"].reshape(1)
    state["text.transformer.embeddings.position_ids"] = torch.arange(3)
    new.load_state_dict(_converted(dict(state), new))
    tokens = torch.tensor([[1, 2, 3, 49, 0, 0, 0, 0]])
    assert torch.equal(new.encode_text(tokens), old.encode_text(tokens))
    pixels = torch.ones(1, 3, 32, 32)
    assert torch.equal(new.encode_image(pixels), old.encode_image(pixels))
