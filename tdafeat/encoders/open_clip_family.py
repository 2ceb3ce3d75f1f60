"""CLIP and its relatives through open_clip: ``open_clip:MODEL/PRETRAINED``."""

from __future__ import annotations

import difflib
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import normalize

from tdafeat.compat import import_torchvision
from tdafeat.encoders.base import Encoder, Preprocessing, fingerprint
from tdafeat.encoders.checkpoint import fill, read_weights
from tdafeat.encoders.hub import downloads
from tdafeat.encoders.templates import read_prompts
from tdafeat.errors import UnknownName


def load(detail: str, layer: str | None, checkpoint: str | None) -> Encoder:
    """CLIP, SigLIP and others by name, with their text tower: open_clip:ViT-B-32/laion2b_s34b_b79k.

    The tag says whose weights they are, and so which preprocessing and activation they need; with
    a checkpoint it may be left out where the model's own configuration is right.
    """
    import_torchvision()
    import open_clip

    if layer not in (None, "proj"):
        raise ValueError(f"layer of open_clip must be 'proj'; got {layer!r}")
    model_name, _, tag = detail.partition("/")
    if model_name not in open_clip.list_models():
        raise _unknown(f"open_clip model {model_name!r}", model_name, open_clip.list_models())
    name = f"open_clip:{detail}"
    tags = open_clip.list_pretrained_tags_by_model(model_name)
    if tag and tag not in tags:
        raise _unknown(f"weights {tag!r} of open_clip:{model_name}", tag, tags)
    if not tag and checkpoint is None:
        raise ValueError(
            f"{name} needs weights: one of {', '.join(f'{name}/{t}' for t in tags[:5])}, "
            f"or a checkpoint, {name}@FILE"
        )
    published = open_clip.get_pretrained_cfg(model_name, tag) if tag else {}
    with _quiet():
        if checkpoint is not None:
            model = _create(open_clip, model_name, published)
            fill(model, read_weights(checkpoint), checkpoint)
        else:
            with downloads(name):
                model = _create(open_clip, model_name, published, pretrained=tag)
    model = model.eval()
    return Encoder(
        name=name,
        version=fingerprint(model.state_dict()),
        layer="proj",
        dimension=_dimension(model),
        preprocessing=_preprocessing(open_clip.get_model_preprocess_cfg(model), published),
        function=model.encode_image,
        module=model,
        text=_text_tower(model, open_clip.get_tokenizer(model_name)),
    )


def _create(
    open_clip: Any, model_name: str, published: dict[str, Any], pretrained: str | None = None
) -> Any:
    # OpenAI's weights, and some others, were trained with an approximate GELU.
    return open_clip.create_model(
        model_name,
        pretrained=pretrained,
        force_quick_gelu=bool(published.get("quick_gelu", False)),
        pretrained_text=False,
    )


def _preprocessing(config: dict[str, Any], published: dict[str, Any]) -> Preprocessing:
    config = config | {k: published[k] for k in ("mean", "std", "interpolation") if k in published}
    size = config["size"]
    side = size if isinstance(size, int) else size[0]
    return Preprocessing(
        side, side, config["interpolation"], tuple(config["mean"]), tuple(config["std"])
    )


def _dimension(model: Any) -> int | None:
    projection = getattr(model, "text_projection", None)
    if isinstance(projection, torch.Tensor):
        return int(projection.shape[-1])
    return getattr(model.visual, "output_dim", None)


def _text_tower(
    model: Any, tokenizer: Any
) -> Callable[[Sequence[str], Sequence[str] | None], Tensor]:
    """Mean direction of each class over the prompts (Radford et al. 2021, prompt ensembling)."""

    def directions(classes: Sequence[str], prompts: Sequence[str] | None) -> Tensor:
        templates = list(prompts) if prompts is not None else read_prompts("generic")
        device = next(model.parameters()).device
        rows = []
        for name in classes:
            tokens = tokenizer([template.format(name) for template in templates]).to(device)
            rows.append(normalize(model.encode_text(tokens), dim=1).mean(dim=0))
        return normalize(torch.stack(rows).float(), dim=1)

    return directions


def _unknown(what: str, typed: str, known: Sequence[str]) -> UnknownName:
    near = difflib.get_close_matches(typed, known, n=1, cutoff=0.3)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return UnknownName(f"unknown {what}{hint}")


@contextmanager
def _quiet() -> Iterator[None]:
    """open_clip logs every step to the root logger; a failure is raised, and told once, by us."""
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        root.setLevel(level)
