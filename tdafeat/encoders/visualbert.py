"""VisualBERT, one transformer over words and image regions: ``visualbert:vqa-coco-pre``.

The published networks (Li et al. 2019) were trained on regions proposed by a Detectron model, for
which there is no package. Here the regions are the cells of ResNet-50's last map, 7 x 7 of 2,048
values in reading order, and the sentence is the same for every image: a simplification, with
features another than those of the paper.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from tdafeat.compat import import_torchvision
from tdafeat.encoders import timm_family
from tdafeat.encoders.base import Encoder, choose_layer, fingerprint
from tdafeat.encoders.checkpoint import fill, read_weights
from tdafeat.encoders.hub import downloads, quiet
from tdafeat.errors import DataUnavailable, UnknownName, UnreadableData

PUBLISHED = {"vqa-coco-pre": "uclanlp/visualbert-vqa-coco-pre"}  # of 2,048 values to a region
REGIONS = "resnet50.tv_in1k"  # timm's name of torchvision's first weights on ImageNet
CAPTION = (101, 2019, 3746, 1012, 102)  # BERT's tokens: [CLS] an image . [SEP]
FILES = ("model.safetensors", "pytorch_model.bin")  # as transformers saves weights
REMARK = (
    "saw the cells of ResNet-50's last map as regions, not those of the Detectron model it was "
    "trained with, and the sentence 'an image.' beside every image: its features stand in for "
    "VisualBERT's."
)


class VisualBert(nn.Module):
    """A convolutional network, and a transformer that reads its last map after a sentence."""

    def __init__(self, regions: nn.Module, transformer: nn.Module) -> None:
        super().__init__()
        self.regions = regions
        self.transformer = transformer

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) normalised -> (B, 5 + cells, D), the sentence's five tokens first."""
        regions: Any = self.regions
        cells = regions.forward_features(images).flatten(start_dim=2).transpose(1, 2)
        sentence = torch.tensor(CAPTION, device=images.device).expand(len(images), -1)
        return self.transformer(input_ids=sentence, visual_embeds=cells).last_hidden_state


def load(detail: str, layer: str | None, checkpoint: str | None) -> Encoder:
    """VisualBERT over a ResNet's map and a constant sentence, not Detectron's regions.

    A checkpoint is a folder as transformers saves one, ``config.json`` beside
    ``model.safetensors`` or ``pytorch_model.bin``; the ResNet-50's weights may lie there too, as
    ``resnet50.safetensors`` or ``resnet50.pth``, and are downloaded otherwise. Layers: cls (the
    sentence's first token), avg (the mean over regions). Needs the extra ``[visualbert]``.

    Raises
    ------
    UnknownName for a model that is not published; DataUnavailable if transformers is not
    installed or weights cannot be had; UnreadableData for weights that are another model's.
    """
    import_torchvision()
    name = f"visualbert:{detail}".removesuffix(":")
    try:
        from transformers import VisualBertConfig, VisualBertModel
    except ImportError:
        raise DataUnavailable(
            f"{name} needs transformers: pip install tdafeat[visualbert]"
        ) from None

    layer = choose_layer("visualbert", layer, ("cls", "avg"))
    folder = _downloaded(name, detail) if checkpoint is None else Path(checkpoint)
    if not folder.is_dir():
        raise DataUnavailable(f"{folder}: there is no such folder of a VisualBERT checkpoint")
    config, weights = _config(folder), _find(folder, FILES)
    if weights is None:
        raise DataUnavailable(f"{folder}: holds neither {' nor '.join(FILES)}")
    regions = _regions(folder)
    try:
        with quiet():
            transformer = VisualBertModel(
                VisualBertConfig.from_dict(config), add_pooling_layer=False
            )
    except Exception as error:  # transformers checks configurations in ways of its own
        reason = str(error).strip().split("\n")[0]
        raise UnreadableData(f"{folder}/config.json: not VisualBERT's ({reason})") from None
    fill(transformer, _converted(read_weights(weights)), weights)
    if transformer.config.visual_embedding_dim != regions.dimension:
        raise UnreadableData(
            f"{folder}: reads regions of {transformer.config.visual_embedding_dim} values; "
            f"{REGIONS} gives {regions.dimension}"
        )
    assert regions.module is not None
    network = VisualBert(regions.module, transformer).eval()
    layers: dict[str, Callable[[Tensor], Tensor]] = {
        "cls": lambda images: network(images)[:, 0],
        "avg": lambda images: network(images)[:, len(CAPTION) :].mean(dim=1),
    }
    return Encoder(
        name=name,
        version=fingerprint(network.state_dict()),
        layer=layer,
        dimension=transformer.config.hidden_size,
        preprocessing=regions.preprocessing,
        function=layers[layer],
        module=network,
        remark=f"{name} {REMARK}",
    )


def _regions(folder: Path) -> Encoder:
    """The ResNet whose cells are the regions: in the folder too, or downloaded."""
    names = ("resnet50.safetensors", "resnet50.pth")
    own = _find(folder, names)
    try:
        return timm_family.load(REGIONS, None, None if own is None else str(own))
    except DataUnavailable:
        raise DataUnavailable(
            f"{folder}: holds neither {' nor '.join(names)}, and timm:{REGIONS}, which gives the "
            "regions, cannot be downloaded; put one of these files into the folder"
        ) from None


def _downloaded(name: str, detail: str) -> Path:
    """The folder of the hub's cache that holds a published network."""
    if detail not in PUBLISHED:
        known = ", ".join(f"visualbert:{model}" for model in PUBLISHED)
        raise UnknownName(f"unknown {name!r}; published: {known}; or {name}@FOLDER")
    from huggingface_hub import snapshot_download

    with downloads(f"{name}: its weights are", f"give a checkpoint: {name}@FOLDER"):
        wanted = ["config.json", *FILES]
        return Path(snapshot_download(PUBLISHED[detail], allow_patterns=wanted))


def _config(folder: Path) -> dict[str, Any]:
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataUnavailable(f"{folder}: holds no config.json") from None
    except ValueError:
        config = None
    if not isinstance(config, dict) or config.get("model_type") != "visual_bert":
        raise UnreadableData(f"{folder}/config.json: not the configuration of a VisualBERT")
    return config


def _find(folder: Path, names: tuple[str, ...]) -> Path | None:
    return next((folder / name for name in names if (folder / name).is_file()), None)


def _converted(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The transformer alone, without what it was trained with: heads, pooler, a constant."""
    bare = {name.removeprefix("visual_bert."): value for name, value in state.items()}
    bare.pop("embeddings.position_ids", None)
    return {n: v for n, v in bare.items() if n.partition(".")[0] not in ("pooler", "cls")}
