"""DINO and the other published image encoders through timm: ``timm:NAME``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from torch import Tensor

from tdafeat.compat import import_torchvision
from tdafeat.encoders.base import Encoder, Preprocessing, fingerprint
from tdafeat.encoders.checkpoint import fill, read_weights
from tdafeat.encoders.hub import downloads, nearest, quiet
from tdafeat.errors import DataUnavailable, UnknownName, UnreadableData

# DINO and DINOv2 are evaluated as in their papers (Caron et al. 2021, Oquab et al. 2023), where
# timm's own default would crop 0.9 of the resized image, or enlarge it to 518 pixels.
PAPER = {"resize": 256, "crop": 224, "interpolation": "bicubic"}


def load(detail: str, layer: str | None, checkpoint: str | None) -> Encoder:
    """Image encoders by timm's names, layers cls, avg, patches: timm:vit_small_patch16_224.dino.

    The tag after the dot says whose weights they are, and so which preprocessing they need; name
    it with a checkpoint too. A checkpoint may be timm's or the authors' own where timm converts
    them (DINO, DINOv2); its head is left out. The default layer is the network's own pooling.

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
    if tag and tag not in tags:
        raise UnknownName(f"unknown weights {tag!r} of timm:{architecture}{nearest(tag, tags)}")
    if not tags and checkpoint is None:
        raise DataUnavailable(f"{name} has no published weights; give a checkpoint: {name}@FILE")
    family = architecture if "dinov2" in architecture else tag
    paper = PAPER if family == "dino" or "dinov2" in family else {}
    options: dict[str, Any] = {"num_classes": 0}
    if "dinov2" in family:
        options["img_size"] = PAPER["crop"]
    if checkpoint is None:
        with downloads(f"{name}: its weights are", f"give a checkpoint: {name}@FILE"):
            model = timm.create_model(detail, pretrained=True, **options)
    else:
        model = timm.create_model(detail, pretrained=False, **options)
        fill(model, _converted(read_weights(checkpoint), model, checkpoint), checkpoint)
    config = timm.data.resolve_model_data_config(model)
    return encoder_of(model.eval(), name, layer, _preprocessing(config, paper))


def encoder_of(model: Any, name: str, layer: str | None, preprocessing: Preprocessing) -> Encoder:
    """An encoder of one of timm's networks, read off at `layer` or at its own pooling.

    Raises
    ------
    ValueError for a layer the model does not have.
    """
    layers = _layers(model)
    chosen = layer or next(iter(layers))
    if chosen not in layers:
        raise ValueError(f"layer of {name} must be one of {', '.join(layers)}; got {layer!r}")
    return Encoder(
        name=name,
        version=fingerprint(model.state_dict()),
        layer=chosen,
        dimension=_dimension(model),
        preprocessing=preprocessing,
        function=layers[chosen],
        module=model,
        tokens=chosen == "patches",
    )


def _converted(state: dict[str, Tensor], model: Any, source: str) -> dict[str, Tensor]:
    """Weights as their authors published them, in timm's names and at the model's input size."""
    backbone = {k.removeprefix("backbone."): v for k, v in state.items() if k[:9] == "backbone."}
    state = backbone or state  # DINO's own training checkpoints
    convert = getattr(sys.modules[type(model).__module__], "checkpoint_filter_fn", None)
    if convert is not None:
        try:
            with quiet():
                state = convert(state, model)
        except (KeyError, RuntimeError, ValueError, AttributeError) as error:
            raise UnreadableData(
                f"{source}: weights of another architecture ({str(error).splitlines()[0]})"
            ) from None
    wanted = model.state_dict().keys()  # a classification head is not part of the encoder
    head = {k for k in state if k.split(".")[0] in ("head", "fc", "classifier")} - wanted
    return {k: v for k, v in state.items() if k not in head}


def _preprocessing(config: dict[str, Any], paper: dict[str, Any]) -> Preprocessing:
    crop = paper.get("crop", config["input_size"][1])
    interpolation = paper.get("interpolation", config["interpolation"])
    if interpolation not in ("nearest", "bilinear", "bicubic", "lanczos"):
        interpolation = "bicubic"  # timm's "random" is for training
    squash = config["crop_mode"] == "squash"
    return Preprocessing(
        resize=None if squash else paper.get("resize", int(crop / config["crop_pct"])),
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
