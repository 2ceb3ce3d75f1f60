from dataclasses import asdict

import pandas as pd
import pytest

from tdafeat.record import metrics
from tdafeat.wording import COURSE, NOISE, STILL, wording, wording_of


def test_a_training_knows_no_noise():
    said = " ".join(text for name, text in asdict(COURSE).items() if name != "definitions")
    assert not {"noise", "noisy", "clean", "severity"} & set(said.split())


def test_every_title_that_speaks_of_clean_is_retold():
    for _, metric in metrics.items():
        assert NOISE.titled(metric.title) == metric.title
        assert "clean" not in COURSE.titled(metric.title)
        if metric.compares_with_clean:
            assert "start" in COURSE.titled(metric.title), metric.name


@pytest.mark.parametrize("name", ["gaussian", "given", "corrupted"])
def test_anything_else_is_a_noise(name):
    assert wording(name) is NOISE


def test_clean_images_alone_are_not_called_clean():
    assert wording("") is STILL
    assert STILL.named(0, 0.0) == "test images"


def test_a_table_says_what_its_levels_are():
    assert wording_of(pd.DataFrame({"noise": ["training"]})) is COURSE
    assert wording_of(pd.DataFrame({"noise": ["gaussian"]})) is NOISE
    assert wording_of(pd.DataFrame({"noise": []})) is NOISE
    assert wording_of(pd.DataFrame({"severity": [0]})) is NOISE
