"""CLIP and its relatives through open_clip: ``open_clip:MODEL/PRETRAINED``."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from torch import Tensor

from tdafeat.compat import import_torchvision
from tdafeat.encoders.base import Encoder, Preprocessing, choose_layer, fingerprint
from tdafeat.encoders.checkpoint import fill, read_weights
from tdafeat.encoders.hub import downloads, nearest
from tdafeat.errors import UnknownName


def load(detail: str, layer: str | None, checkpoint: str | None) -> Encoder:
    """CLIP, SigLIP and others by name, with their text tower: open_clip:ViT-B-32/laion2b_s34b_b79k.

    The tag says whose weights they are, and so which preprocessing and activation they need; with
    a checkpoint it may be left out where the model's own configuration is right. A checkpoint is
    for images of the model's size. OpenAI's original files are TorchScript programs and refused;
    the same weights are published as tensors (open_clip loads those).

    Raises
    ------
    UnknownName for a model or tag open_clip does not know; DataUnavailable, UnreadableData for
    weights that cannot be had or are another model's; ValueError for a layer other than ``proj``,
    or no weights named at all.
    """
    import_torchvision()
    import open_clip

    layer = choose_layer("open_clip", layer, ("proj",))
    model_name, _, tag = detail.partition("/")
    models = open_clip.list_models()
    if model_name not in models:
        raise UnknownName(f"unknown open_clip model {model_name!r}{nearest(model_name, models)}")
    name = f"open_clip:{detail}"
    tags = open_clip.list_pretrained_tags_by_model(model_name)
    if tag and tag not in tags:
        raise UnknownName(f"unknown weights {tag!r} of open_clip:{model_name}{nearest(tag, tags)}")
    if not tag and checkpoint is None:
        known = ", ".join(f"open_clip:{model_name}/{t}" for t in tags[:5]) or "none published"
        raise ValueError(f"{name} needs weights: {known}, or a checkpoint, {name}@FILE")
    published = open_clip.get_pretrained_cfg(model_name, tag) if tag else {}
    with downloads(f"{name}: its weights are", f"give a checkpoint: {name}@FILE"):
        model = open_clip.create_model(
            model_name,
            pretrained=None if checkpoint else tag,
            # OpenAI's weights, and some others, were trained with an approximate GELU.
            force_quick_gelu=bool(published.get("quick_gelu", False)),
            pretrained_text=False,
        )
    if checkpoint is not None:
        fill(model, _converted(read_weights(checkpoint), model), checkpoint)
    model = model.eval()
    return Encoder(
        name=name,
        version=fingerprint(model.state_dict()),
        layer=layer,
        dimension=open_clip.get_model_config(model_name)["embed_dim"],
        preprocessing=_preprocessing(open_clip.get_model_preprocess_cfg(model), published),
        function=model.encode_image,
        module=model,
        text=_text_tower(name, model, lambda: open_clip.get_tokenizer(model_name)),
    )


def _converted(state: dict[str, Tensor], model: Any) -> dict[str, Tensor]:
    """Weights in the names of open_clip's present models, whichever version wrote them."""
    from open_clip.convert import convert_state_dict
    from open_clip.model import convert_to_custom_text_state_dict

    state = convert_state_dict(model, state)  # Apple's MobileCLIP
    if not hasattr(model, "positional_embedding"):  # the text tower became a module of its own
        state = convert_to_custom_text_state_dict(state)
    for scalar in {"logit_scale", "logit_bias"} & state.keys():  # once a vector of one
        wanted = getattr(model, scalar, None)
        if wanted is not None and wanted.numel() == state[scalar].numel():
            state[scalar] = state[scalar].reshape(wanted.shape)
    state.pop("text.transformer.embeddings.position_ids", None)  # a constant of old transformers
    return state


def _preprocessing(config: dict[str, Any], published: dict[str, Any]) -> Preprocessing:
    config = config | {key: published[key] for key in config if key in published}
    size = config["size"]
    side = size if isinstance(size, int) else size[0]
    if config["resize_mode"] == "longest" or size not in (side, (side, side), [side, side]):
        raise ValueError(f"only square, cropped or squashed input is supported; got {config}")
    return Preprocessing(
        resize=None if config["resize_mode"] == "squash" else side,
        crop=side,
        interpolation=config["interpolation"],
        mean=tuple(config["mean"]),
        std=tuple(config["std"]),
    )


def _text_tower(
    name: str, model: Any, make_tokenizer: Callable[[], Any]
) -> Callable[[list[str]], Tensor]:
    @cache
    def tokenizer() -> Any:  # made when first needed: some are themselves downloaded
        with downloads(f"{name}: its tokenizer is", "the image tower works without it"):
            return make_tokenizer()

    def embed(sentences: list[str]) -> Tensor:
        device = next(model.parameters()).device
        return model.encode_text(tokenizer()(sentences).to(device))

    return embed
