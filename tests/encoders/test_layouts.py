"""Checkpoints as other programs wrote them, and the ways networks pool."""

import json

import pytest
import torch
from safetensors.torch import save_file

from tdafeat import encoders
from tdafeat.compat import import_torchvision
from tdafeat.encoders.open_clip_family import _converted
from tdafeat.encoders.timm_family import _layers, _renamed
from tdafeat.errors import DataUnavailable, UnreadableData
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
    assert list(layers) == ["map", "avg", "patches"]
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


# Around a network, what each trainer writes beside it; the network's own names are timm's.
def _of_momentum(state, base, momentum, head):
    """MoCo: a second network that follows the first, and heads on both."""
    other = {name: value + 1 for name, value in state.items()}
    both = {base: state, momentum: other}
    towers = {f"{tower}.{k}": v for tower, part in both.items() for k, v in part.items()}
    return {"state_dict": {f"module.{k}": v for k, v in (towers | _mlp(f"{base}.{head}")).items()}}


def _mlp(prefix):
    return {f"{prefix}.0.weight": torch.zeros(3, 3), f"{prefix}.1.running_mean": torch.zeros(3)}


def _moco_v3(state):
    return _of_momentum(state, "base_encoder", "momentum_encoder", "head")


def _moco_v2(state):
    return _of_momentum(state, "encoder_q", "encoder_k", "fc")


def _byol_pytorch(state):
    """Of the whole learner: the network inside, a projector, a target."""
    online = {f"online_encoder.net.{k}": v for k, v in state.items()}
    target = {f"target_encoder.net.{k}": v + 1 for k, v in state.items()}
    return online | target | _mlp("online_encoder.projector") | _mlp("online_predictor")


def _solo_learn(state):
    return {"state_dict": {f"backbone.{k}": v for k, v in state.items()} | _mlp("projector")}


def _swav(state):
    own = state | _mlp("projection_head") | {"prototypes.weight": torch.zeros(3, 3)}
    return {f"module.{k}": v for k, v in own.items()}


def _converted_from_jax(state):
    """Without the counters, and with the classifier trained on top."""
    kept = {k: v for k, v in state.items() if not k.endswith("num_batches_tracked")}
    return kept | {"fc.weight": torch.zeros(5, 512), "fc.bias": torch.zeros(5)}


def _lightly(state):
    """A list of the network's children, and a projection head."""
    places = {"conv1": 0, "bn1": 1, "layer1": 4, "layer2": 5, "layer3": 6, "layer4": 7}
    parts = {k: k.partition(".") for k in state}
    renamed = {f"backbone.{places[parts[k][0]]}.{parts[k][2]}": v for k, v in state.items()}
    return {"state_dict": renamed | _mlp("projection_head.layers")}


@pytest.mark.parametrize(
    ("name", "layout"),
    [
        ("test_vit.mocov3", _moco_v3),
        ("test_resnet.mocov3", _moco_v3),
        ("test_resnet", _moco_v2),
        ("test_resnet.byol", _byol_pytorch),
        ("test_vit.byol", _byol_pytorch),
        ("test_resnet.simclr", _solo_learn),
        ("test_resnet", _swav),
        ("resnet18.byol", _converted_from_jax),
        ("resnet18.simclr", _lightly),
    ],
)
def test_the_authors_own_checkpoints(name, layout, tmp_path):
    model = network(name.partition(".")[0], num_classes=0)
    torch.save(layout(model.state_dict()), tmp_path / "theirs.pth.tar")
    encoder = encoders.load(f"timm:{name}@{tmp_path / 'theirs.pth.tar'}")
    with torch.inference_mode():
        torch.testing.assert_close(encoder.encode(images()), model(images()))
    assert encoder.name == f"timm:{name}@theirs.pth.tar"


def test_a_network_whose_own_names_look_like_a_trainers(tmp_path):
    wanted = {"encoder.weight": None}
    state = {"encoder.weight": torch.ones(1), "backbone.weight": torch.zeros(1)}
    assert _renamed(state, wanted) == {"weight": torch.zeros(1)}
    del state["backbone.weight"]
    assert _renamed(state, wanted) == state


def test_moco_v3s_small_transformer_has_twelve_heads(tmp_path):
    """As many weights as timm's with six: loaded there, it would give other features unnoticed."""
    theirs = network("vit_small_patch16_224", num_heads=12, num_classes=0)
    torch.save(_moco_v3(theirs.state_dict()), tmp_path / "vit-s-300ep.pth.tar")
    encoder = encoders.load(f"timm:vit_small_patch16_224.mocov3@{tmp_path}/vit-s-300ep.pth.tar")
    pixels = torch.randn(1, 3, 224, 224, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        assert torch.equal(encoder.encode(pixels), theirs(pixels))


@pytest.mark.parametrize("tag", ["mocov3", "simclr", "byol"])
def test_weights_that_only_their_authors_have(tag):
    message = rf"no weights of timm:resnet50\.{tag}; give a checkpoint: timm:resnet50\.{tag}@FILE"
    with pytest.raises(DataUnavailable, match=message):
        encoders.load(f"timm:resnet50.{tag}")
