"""Representations by name: which published encoders can be named, and where their weights are.

The facts stand here, rather than being asked of timm, open_clip and transformers, whose import
takes longer than reading the table; its tests compare every row with those libraries.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tdafeat.encoders.checkpoint import embedded_names
from tdafeat.encoders.hub import cached

SAFE = ("model.safetensors", "pytorch_model.bin")
OPEN_CLIP = tuple(f"open_clip_{file}" for file in SAFE)


@dataclass(frozen=True)
class Model:
    """One encoder.

    Attributes
    ----------
    encoder : what to type; ``@FILE`` where the authors' own checkpoint has to be given.
    dimension : number of features.
    layers : where features can be read off, the default first.
    input : shorter side after resizing > side of the crop, interpolation, normalisation; one side
        where the whole image is taken; ``squash`` where it is stretched.
    licence : of the weights, as their publisher states it; ``-`` where there are none.
    hub : repositories of the Hugging Face hub its weights come from.
    """

    encoder: str
    dimension: int
    layers: str
    input: str
    licence: str = "-"
    hub: tuple[str, ...] = ()

    @property
    def weights(self) -> str:
        """``here``, ``download`` or ``path``; the hub's cache is looked at, never the network."""
        if "@" in self.encoder:
            return "path"
        files = OPEN_CLIP if self.encoder.startswith("open_clip:") else SAFE
        return "here" if all(cached(repository, files) for repository in self.hub) else "download"


@dataclass(frozen=True)
class Method:
    """Encoders of one method.

    Attributes
    ----------
    name, paper : what it is called, and who described it first.
    about : what it is in a few words, and what its reader must know.
    """

    name: str
    paper: str
    about: str
    models: tuple[Model, ...]


def _shipped(name: str, dimension: int, layers: str, input: str) -> tuple[Model, ...]:
    """What is trained here and embedded: ``family:model``, or every model of a ``family``."""
    family, _, only = name.partition(":")
    names = [model for model in embedded_names(family) if only in ("", model)]
    return tuple(Model(f"{family}:{m}", dimension, layers, input, "bsd-3-clause") for m in names)


def _timm(name: str, dimension: int, layers: str, input: str, licence: str) -> Model:
    """A model whose weights timm publishes, in a repository of the same name."""
    return Model(f"timm:{name}", dimension, layers, input, licence, (f"timm/{name}",))


def _authors(name: str, dimension: int, layers: str, input: str, licence: str) -> Model:
    """A model of timm's that takes the checkpoint of a method's authors."""
    return Model(f"timm:{name}@FILE", dimension, layers, input, licence)


def _clip(name: str, dimension: int, input: str, licence: str, hub: str) -> Model:
    """A model of open_clip's."""
    return Model(f"open_clip:{name}", dimension, "proj", input, licence, (hub,))


TOKENS, POOLED = "cls avg patches", "avg cls patches"
GREY, SMALL = "128 bilinear grey", "28 bilinear grey 0.5"
PAPERS, BILINEAR = "256>224 bicubic imagenet", "256>224 bilinear imagenet"
TIMMS, SQUASHED = "248>224 bicubic", "squash 224 bicubic 0.5"

CATALOGUE = (
    Method("Pixels", "", "the image itself", (Model("pixels", 3072, "rgb grey", "32 bilinear"),)),
    Method(
        "PCA",
        "Turk & Pentland 1991",
        "principal components of the study's own train images",
        (Model("pca:64", 64, "rgb grey", "32 bilinear"),),
    ),
    Method(
        "BRIEF",
        "Calonder et al. 2010",
        "binary tests around a fixed grid of points",
        (Model("brief", 4096, "bits mean", GREY),),
    ),
    Method(
        "HOG",
        "Dalal & Triggs 2005",
        "histograms of oriented gradients",
        (Model("hog", 1764, "blocks", GREY),),
    ),
    Method(
        "LBP",
        "Ojala et al. 2002",
        "histograms of uniform local binary patterns",
        (Model("lbp", 54, "histograms", GREY),),
    ),
    Method(
        "LeNet-5",
        "LeCun et al. 1998",
        "trained here on labels",
        _shipped("lenet", 84, "features logits", SMALL),
    ),
    Method(
        "DenseNet",
        "Huang et al. 2017",
        "a small one, trained here on labels",
        _shipped("densenet", 192, "features logits", SMALL),
    ),
    Method(
        "Siamese",
        "Hadsell et al. 2006",
        "on the DenseNet, trained here on pairs",
        _shipped("siamese", 128, "embedding", SMALL),
    ),
    Method(
        "tiny CLIP",
        "Radford et al. 2021",
        "trained here on procedural textures and words for them",
        _shipped("tiny:clip", 128, "proj", "64 bicubic 0.5"),
    ),
    Method(
        "tiny DINO",
        "Caron et al. 2021",
        "trained here without labels",
        _shipped("tiny:dino", 96, TOKENS, "64 bicubic 0.5"),
    ),
    Method(
        "DINO",
        "Caron et al. 2021",
        "self-distillation without labels",
        (
            _timm("vit_small_patch16_224.dino", 384, TOKENS, PAPERS, "apache-2.0"),
            _timm("vit_base_patch16_224.dino", 768, TOKENS, PAPERS, "apache-2.0"),
        ),
    ),
    Method(
        "DINOv2",
        "Oquab et al. 2023",
        "self-distillation and masked patches",
        (
            _timm("vit_small_patch14_dinov2.lvd142m", 384, TOKENS, PAPERS, "apache-2.0"),
            _timm("vit_base_patch14_dinov2.lvd142m", 768, TOKENS, PAPERS, "apache-2.0"),
        ),
    ),
    Method(
        "MoCo v3",
        "Chen, Xie & He 2021",
        "contrast with a momentum encoder",
        tuple(
            _authors(f"{name}.mocov3", size, layers, BILINEAR, "cc-by-nc-4.0")
            for name, size, layers in (
                ("vit_small_patch16_224", 384, TOKENS),
                ("vit_base_patch16_224", 768, TOKENS),
                ("resnet50", 2048, "avg"),
            )
        ),
    ),
    Method(
        "SimCLR",
        "Chen et al. 2020",
        "contrast within the batch; converted to PyTorch",
        (_authors("resnet50.simclr", 2048, "avg", "256>224 bicubic", "see source"),),
    ),
    Method(
        "BYOL",
        "Grill et al. 2020",
        "prediction of a slower self; converted to PyTorch",
        (_authors("resnet50.byol", 2048, "avg", PAPERS, "see source"),),
    ),
    Method(
        "MAE",
        "He et al. 2022",
        "masked patches, as pixels",
        (
            _timm("vit_base_patch16_224.mae", 768, TOKENS, PAPERS, "cc-by-nc-4.0"),
            _timm("vit_large_patch16_224.mae", 1024, TOKENS, PAPERS, "cc-by-nc-4.0"),
        ),
    ),
    Method(
        "BEiT",
        "Bao et al. 2022",
        "masked patches, as tokens; then fine-tuned on labels of ImageNet-22k",
        (_timm("beit_base_patch16_224.in22k_ft_in22k", 768, POOLED, f"{TIMMS} 0.5", "apache-2.0"),),
    ),
    Method(
        "BEiT v2",
        "Peng et al. 2022",
        "masked patches, as tokens learnt from CLIP; then fine-tuned on labels of ImageNet-1k",
        (
            _timm(
                "beitv2_base_patch16_224.in1k_ft_in1k",
                768,
                POOLED,
                f"{TIMMS} imagenet",
                "apache-2.0",
            ),
        ),
    ),
    Method(
        "CLIP",
        "Radford et al. 2021",
        "images beside their captions",
        tuple(
            _clip(name, 512, "224 bicubic clip", "mit", hub)
            for name, hub in (
                ("ViT-B-32-quickgelu/openai", "timm/vit_base_patch32_clip_224.openai"),
                ("ViT-B-16-quickgelu/openai", "timm/vit_base_patch16_clip_224.openai"),
                ("ViT-B-32/laion2b_s34b_b79k", "laion/CLIP-ViT-B-32-laion2B-s34B-b79K"),
            )
        ),
    ),
    Method(
        "SigLIP",
        "Zhai et al. 2023",
        "images beside their captions, pair by pair",
        (_clip("ViT-B-16-SigLIP/webli", 768, SQUASHED, "apache-2.0", "timm/ViT-B-16-SigLIP"),),
    ),
    Method(
        "VisualBERT",
        "Li et al. 2019",
        "words and regions in one transformer; here cells of a ResNet's map, not Detectron's",
        (
            Model(
                "visualbert:vqa-coco-pre",
                768,
                "cls avg",
                BILINEAR,
                "see source",
                ("uclanlp/visualbert-vqa-coco-pre", "timm/resnet50.tv_in1k"),
            ),
        ),
    ),
)

LEGEND = """\
input: shorter side > crop, interpolation, normalisation; licence: of the weights, as published
weights: here, download (when first used), path (only with the authors' checkpoint as FILE)"""


def table() -> Iterator[str]:
    """The catalogue as lines of at most 120 characters.

    Examples
    --------
    >>> [line for line in table() if line.startswith("DINO:")]
    ['DINO: self-distillation without labels (Caron et al. 2021)']
    """
    yield _row("encoder", "size", "layers", "input", "licence", "weights")
    for method in (method for method in CATALOGUE if method.models):
        yield f"{method.name}: {method.about}" + f" ({method.paper})" * bool(method.paper)
        for model in method.models:
            facts = (f"{model.dimension:,}", model.layers, model.input, model.licence)
            yield _row(f"  {model.encoder}", *facts, model.weights)
    yield LEGEND


def _row(encoder: str, size: str, layers: str, input: str, licence: str, weights: str) -> str:
    return f"{encoder:<46}{size:>6}  {layers:<17}{input:<27}{licence:<14}{weights}"
