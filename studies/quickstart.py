"""Quickstart: three feature spaces of procedural textures under Gaussian noise.

Needs no download: images are painted, and the encoders' weights ship with the package.
"""

import sys

from tdafeat import Study
from tdafeat.cli import study_main

STUDY = Study(
    name="quickstart",
    title="Noisy textures as three networks see them",
    question="Does the shape of a feature space tell how robust its classifier is?",
    dataset="textures",
    encoders=("tiny:clip", "tiny:dino", "siamese:textures"),
    noise="gaussian",
    levels=(0.01, 0.02, 0.04),
    primary="probe_accuracy",
    limit=30,
    n_projected=240,
)

if __name__ == "__main__":
    sys.exit(study_main(STUDY))
