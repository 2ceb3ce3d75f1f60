"""Collapse: what keeps the features of self-distillation apart?

A small transformer learns textures by self-distillation, with and without centring of the
teacher and with and without the KoLeo regulariser. Everything else is the same, sharpening
included. The features of every checkpoint are measured.
"""

import sys

from tdafeat import Study
from tdafeat.cli import study_main
from tdafeat.encoders.tiny_dino import Architecture
from tdafeat.training.student_teacher import Recipe
from tdafeat.training.variants import Dino


def variant(centring: bool, koleo: float) -> Dino:
    return Dino(
        Recipe(centring=centring, koleo=koleo),
        Architecture(width=64, depth=2, heads=2),
        epochs=16,
    )


STUDY = Study(
    name="koleo_collapse",
    title="Collapse, centring and KoLeo",
    question="What keeps the features of self-distillation from collapsing: centring, or KoLeo?",
    dataset="textures",
    variants={
        "neither": variant(centring=False, koleo=0.0),
        "centring": variant(centring=True, koleo=0.0),
        "KoLeo": variant(centring=False, koleo=0.1),
        "centring and KoLeo": variant(centring=True, koleo=0.1),
    },
    steps=(0, 45, 90, 180, 360, 720),
    primary="knn_accuracy",
)

if __name__ == "__main__":
    sys.exit(study_main(STUDY))
