"""A zoo of representations on one data set: descriptors, networks that ship here, published ones.

Runs with whatever is at hand. Published weights are downloaded when first used (about 3 GB in all;
``HF_HUB_OFFLINE=1`` takes those that are in the hub's cache already), and what cannot be had is
left out: the report's notes say which, and how to get it. Weights that only their authors have
(MoCo v3, SimCLR, BYOL) go in as ``NAME@FILE``; ``tdafeat list encoders`` names them all.
"""

import sys

from tdafeat import Study
from tdafeat.cli import study_main

STUDY = Study(
    name="representation_zoo",
    title="A zoo of representations under noise",
    question="Which representations keep their shape and accuracy under noise?",
    dataset="dtd",
    encoders=(
        "pixels",
        "pca:64",
        "brief",
        "hog",
        "lbp",
        "densenet:textures",
        "siamese:textures",
        "tiny:clip",
        "tiny:dino",
    ),
    optional=(
        "timm:vit_small_patch16_224.dino",
        "timm:vit_small_patch14_dinov2.lvd142m",
        "timm:vit_base_patch16_224.mocov3",
        "timm:resnet50.simclr",
        "timm:resnet50.byol",
        "timm:vit_base_patch16_224.mae",
        "timm:beit_base_patch16_224.in22k_ft_in22k",
        "timm:beitv2_base_patch16_224.in1k_ft_in1k",
        "open_clip:ViT-B-32-quickgelu/openai",
        "open_clip:ViT-B-16-SigLIP/webli",
        "visualbert:vqa-coco-pre",
    ),
    noise="gaussian",
    levels=(0.02, 0.04, 0.08, 0.16),
    primary="probe_accuracy",
)

if __name__ == "__main__":
    sys.exit(study_main(STUDY))
