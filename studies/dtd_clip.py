"""CLIP on the Describable Textures Dataset: does topology follow robustness?

Noise of sigma 0.5, 1.0 and 2.0 is added to the normalised images, as in the blog post this study
grew from; the maps show all classes, and 15 of them by themselves. The weights are downloaded when
first used; where that is not possible, give a checkpoint
(``--encoder open_clip:ViT-B-32-quickgelu/openai@FILE``) or another encoder.
"""

import sys

from tdafeat import Study
from tdafeat.cli import study_main

STUDY = Study(
    name="dtd_clip",
    title="Textures of DTD under noise",
    question="Does the topology of a feature space follow its robustness on DTD?",
    dataset="dtd",
    encoders=("open_clip:ViT-B-32-quickgelu/openai",),
    noise="gaussian_normalised",
    levels=(0.5, 1.0, 2.0),
    primary="probe_accuracy",
    projections=("pca", "tsne", "umap"),
    n_projected=940,
    n_mapped_classes=15,
)

if __name__ == "__main__":
    sys.exit(study_main(STUDY))
