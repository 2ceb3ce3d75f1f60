"""DINO and the other published image encoders through timm: ``timm:NAME``."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import Any

from torch import Tensor

from tdafeat.compat import import_torchvision
from tdafeat.encoders.base import Encoder, Preprocessing, fingerprint
from tdafeat.encoders.checkpoint import fill, read_weights
from tdafeat.encoders.hub import downloads
from tdafeat.errors import UnknownName

# Where timm's own defaults are not those of the paper the weights come from.
PAPERS: dict[str, dict[str, Any]] = {
    "dino": {"resize": 256, "crop": 224, "interpolation": "bicubic"},
    "dinov2": {"resize": 256, "crop": 224, "interpolation": "bicubic"},
}


def load(detail: str, layer: str | None, checkpoint: str | None) -> Encoder:
    """Image encoders by timm's names, layers cls, avg: timm:vit_small_patch16_224.dino."""
    import_torchvision()
    import timm

    architecture, _, tag = detail.partition(".")
    if not timm.is_model(architecture):
        near = difflib.get_close_matches(architecture, timm.list_models(), n=1, cutoff=0.3)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise UnknownName(f"unknown timm model {detail!r}{hint}")
    paper = _paper(architecture, tag)
    options: dict[str, Any] = {"num_classes": 0}
    if "dinov2" in architecture + tag:
        options["img_size"] = paper["crop"]
    name = f"timm:{detail}"
    if checkpoint is not None:
        model = timm.create_model(detail, pretrained=False, **options)
        state = read_weights(checkpoint)
        head = {k for k in state if k.split(".")[0] in ("head", "fc", "classifier")}
        wanted = model.state_dict().keys()  # a classification head is not part of the encoder
        fill(model, {k: v for k, v in state.items() if k in wanted or k not in head}, checkpoint)
    else:
        with downloads(name):
            model = timm.create_model(detail, pretrained=True, **options)
    model = model.eval()
    layers = _layers(model)
    chosen = layer or next(iter(layers))
    if chosen not in layers:
        raise ValueError(f"layer of {name} must be one of {', '.join(layers)}; got {layer!r}")
    return Encoder(
        name=name,
        version=fingerprint(model.state_dict()),
        layer=chosen,
        dimension=int(model.num_features),  # type: ignore[arg-type]
        preprocessing=_preprocessing(timm.data.resolve_model_data_config(model), paper),
        function=layers[chosen],
        module=model,
    )


def _paper(architecture: str, tag: str) -> dict[str, Any]:
    if "dinov2" in architecture or "dinov2" in tag:
        return PAPERS["dinov2"]
    return PAPERS["dino"] if tag == "dino" else {}


def _preprocessing(config: dict[str, Any], paper: dict[str, Any]) -> Preprocessing:
    crop = paper.get("crop", config["input_size"][1])
    interpolation = paper.get("interpolation", config["interpolation"])
    if interpolation not in ("nearest", "bilinear", "bicubic", "lanczos"):
        interpolation = "bicubic"  # timm's "random" is for training
    return Preprocessing(
        resize=paper.get("resize", int(crop / config["crop_pct"])),
        crop=crop,
        interpolation=interpolation,
        mean=tuple(config["mean"]),
        std=tuple(config["std"]),
    )


def _layers(model: Any) -> dict[str, Callable[[Tensor], Tensor]]:
    """Where features can be read off, the default first."""
    prefix = getattr(model, "num_prefix_tokens", None)
    if prefix is None:  # a convolutional network: what its own pooling gives
        return {"avg": lambda images: model.forward_head(model.forward_features(images))}
    layers: dict[str, Callable[[Tensor], Tensor]] = {
        "avg": lambda images: model.forward_features(images)[:, prefix:].mean(dim=1)
    }
    if getattr(model, "cls_token", None) is not None:
        layers = {"cls": lambda images: model.forward_features(images)[:, 0], **layers}
    return layers
