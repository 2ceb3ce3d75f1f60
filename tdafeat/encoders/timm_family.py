"""DINO and the other published image encoders through timm: ``timm:NAME``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Mapping
from typing import Any, get_args

from torch import Tensor

from tdafeat.compat import import_torchvision
from tdafeat.encoders.base import Encoder, Interpolation, Preprocessing, choose_layer, fingerprint
from tdafeat.encoders.checkpoint import fill, read_weights
from tdafeat.encoders.hub import downloads, nearest, quiet
from tdafeat.errors import DataUnavailable, UnknownName, UnreadableData

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))  # mean, standard deviation
_BICUBIC = Preprocessing(256, 224, "bicubic", *IMAGENET)

# How methods prepare images in their papers' own evaluations, where timm's configuration does
# otherwise (it crops 0.9 of the resized image, and enlarges DINOv2's to 518 pixels) ...
PAPERS = {"dino": _BICUBIC, "dinov2": _BICUBIC, "mae": _BICUBIC}
# ... or where timm has no weights of theirs, so that these tags go with a checkpoint.
AUTHORS = {
    "mocov3": Preprocessing(256, 224, "bilinear", *IMAGENET),
    "simclr": Preprocessing(256, 224, "bicubic"),  # pixels in [0, 1], as they are
    "byol": Preprocessing(256, 224, "bicubic", *IMAGENET),
}

# What trainers put before the names of the network that is evaluated, the first that is there.
TOWERS = (
    "base_encoder.",  # MoCo v3, beside momentum_encoder
    "encoder_q.",  # MoCo v1 and v2
    "online_encoder.net.",  # BYOL in byol-pytorch
    "backbone.",  # DINO, lightly, solo-learn
    "encoder.",  # InsDis, PIRL, InfoMin
)
# A ResNet cut from torchvision's as a list of its children, as lightly writes it.
CHILDREN = {"0": "conv1", "1": "bn1", "4": "layer1", "5": "layer2", "6": "layer3", "7": "layer4"}
# What stands behind the network while it is trained.
HEADS = ("head", "fc", "classifier", "projection_head", "prototypes")


def load(detail: str, layer: str | None, checkpoint: str | None) -> Encoder:
    """Image encoders by timm's names, layers cls, avg, patches: timm:vit_small_patch16_224.dino.

    The tag after the dot says whose weights they are, and so which preprocessing they need; name
    it with a checkpoint too. A checkpoint may be timm's or the authors' own: what training puts
    around the network (`TOWERS`, `HEADS`) is left out, and the tags ``mocov3``, ``simclr`` and
    ``byol`` are for those that timm does not publish. The default layer is the network's own
    pooling.

    Raises
    ------
    UnknownName for a model or tag timm does not know; DataUnavailable, UnreadableData for weights
    that cannot be had or are another model's; ValueError for a layer the model does not have.
    """
    import_torchvision()
    import timm

    name = f"timm:{detail}"
    architecture, _, tag = detail.partition(".")
    if not timm.is_model(architecture):
        raise UnknownName(
            f"unknown timm model {architecture!r}{nearest(architecture, timm.list_models())}"
        )
    tags = [m.partition(".")[2] for m in timm.list_models(f"{architecture}.*", pretrained=True)]
    if tag and tag not in (*tags, *AUTHORS):
        near = nearest(tag, [*tags, *AUTHORS])
        raise UnknownName(f"unknown weights {tag!r} of timm:{architecture}{near}")
    if checkpoint is None and (not tags or tag in AUTHORS):
        raise DataUnavailable(
            f"timm publishes no weights of {name}; give a checkpoint: {name}@FILE"
        )
    method = "dinov2" if "dinov2" in architecture else tag
    recipe = PAPERS.get(method) or AUTHORS.get(method)
    options: dict[str, Any] = {"num_classes": 0}
    if method == "dinov2":
        options["img_size"] = PAPERS[method].crop
    if method == "mocov3" and architecture.startswith("vit_small"):
        options["num_heads"] = 12  # of 32 values, where timm's network of this size has 6 of 64
    if checkpoint is None:
        with downloads(f"{name}: its weights are", f"give a checkpoint: {name}@FILE"):
            model = timm.create_model(detail, pretrained=True, **options)
    else:
        known = architecture if tag in AUTHORS else detail
        model = timm.create_model(known, pretrained=False, **options)
        fill(model, _converted(read_weights(checkpoint), model, checkpoint), checkpoint)
    config = timm.data.resolve_model_data_config(model)
    return encoder_of(model.eval(), name, layer, recipe or _preprocessing(config))


def encoder_of(model: Any, name: str, layer: str | None, preprocessing: Preprocessing) -> Encoder:
    """An encoder of one of timm's networks, read off at `layer` or at its own pooling.

    Raises
    ------
    ValueError for a layer the model does not have.
    """
    layers = _layers(model)
    layer = choose_layer(name, layer, list(layers))
    return Encoder(
        name=name,
        version=fingerprint(model.state_dict()),
        layer=layer,
        dimension=_dimension(model),
        preprocessing=preprocessing,
        function=layers[layer],
        module=model,
        tokens=layer == "patches",
    )


def _converted(state: dict[str, Tensor], model: Any, source: str) -> dict[str, Tensor]:
    """Weights as their authors published them, in timm's names and at the model's input size."""
    wanted = model.state_dict()
    state = _renamed(state, wanted)
    convert = getattr(sys.modules[type(model).__module__], "checkpoint_filter_fn", None)
    if convert is not None:
        try:
            with quiet():
                state = convert(state, model)
        except (KeyError, RuntimeError, ValueError, AttributeError) as error:
            raise UnreadableData(
                f"{source}: weights of another architecture ({str(error).splitlines()[0]})"
            ) from None
    head = {name for name in state if name.split(".")[0] in HEADS} - wanted.keys()
    # counters of batches seen: old and converted checkpoints lack them, and nothing reads them
    counters = {n: v for n, v in wanted.items() if n.endswith("num_batches_tracked")}
    return counters | {name: value for name, value in state.items() if name not in head}


def _renamed(state: Mapping[str, Tensor], wanted: Collection[str]) -> dict[str, Tensor]:
    """The network that is evaluated, out of all that was trained, in torchvision's names."""
    for tower in TOWERS:
        inside = {n.removeprefix(tower): v for n, v in state.items() if n.startswith(tower)}
        if inside and not any(name.startswith(tower) for name in wanted):
            state = inside
            break
    if "conv1.weight" not in wanted or "0.weight" not in state:
        return dict(state)
    parts = [(*name.partition("."), value) for name, value in state.items()]
    return {CHILDREN.get(child, child) + dot + rest: value for child, dot, rest, value in parts}


def _preprocessing(config: dict[str, Any]) -> Preprocessing:
    crop, interpolation = config["input_size"][1], config["interpolation"]
    if interpolation not in get_args(Interpolation):
        interpolation = "bicubic"  # timm's "random" is for training
    return Preprocessing(
        resize=None if config["crop_mode"] == "squash" else int(crop / config["crop_pct"]),
        crop=crop,
        interpolation=interpolation,
        mean=tuple(config["mean"]),
        std=tuple(config["std"]),
    )


def _dimension(model: Any) -> int:
    if hasattr(model, "num_prefix_tokens"):
        return int(model.num_features)
    return int(getattr(model, "head_hidden_size", model.num_features))


def _layers(model: Any) -> dict[str, Callable[[Tensor], Tensor]]:
    """Where features can be read off, the network's own pooling first.

    ``cls`` is the class token, ``avg`` the mean over patches (over positions, in a convolutional
    network), ``map`` attention pooling, ``patches`` every patch on its own.
    """

    def own(images: Tensor) -> Tensor:  # with the normalisation trained to stand behind it
        return model.forward_head(model.forward_features(images))

    def patches(images: Tensor) -> Tensor:
        return model.forward_features(images)[:, model.num_prefix_tokens :]

    def mean(images: Tensor) -> Tensor:
        return patches(images).mean(dim=1)

    def class_token(images: Tensor) -> Tensor:
        return model.forward_features(images)[:, 0]

    if not hasattr(model, "num_prefix_tokens"):
        return {"avg": own}
    layers: dict[str, Callable[[Tensor], Tensor]] = {}
    if model.global_pool == "map":
        layers["map"] = own
    layers["avg"] = own if model.global_pool == "avg" else mean
    if getattr(model, "cls_token", None) is not None:
        last = {"cls": class_token}
        layers = last | layers if model.global_pool == "token" else layers | last
    return {**layers, "patches": patches}
