"""The study scripts declare what can run."""

import runpy
from pathlib import Path

import pytest

from tdafeat import Study
from tdafeat.datasets.textures import CLASSES, PER_CLASS

STUDIES = sorted((Path(__file__).parents[1] / "studies").glob("*.py"))


def declared(name):
    return runpy.run_path(str(next(path for path in STUDIES if path.stem == name)))["STUDY"]


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_a_script_declares_a_study_of_its_own_name(path):
    study = runpy.run_path(str(path))["STUDY"]
    assert isinstance(study, Study)
    assert study.name == path.stem
    assert study.question.endswith("?")


def test_the_last_step_of_the_collapse_study_ends_its_training():
    study = declared("koleo_collapse")
    trained_on = len(CLASSES) * round(0.9 * PER_CLASS["train"])
    for variant in study.variants.values():
        assert variant.settings(seed=0).steps(trained_on) == study.steps[-1]
