"""Holes: what failed, each told once."""

import json

import pytest

from tdafeat.errors import Missing
from tdafeat.holes import Hole, fold
from tdafeat.log import Log

FAILED = "its features failed, are missing or damaged"


def label(encoder, severity=0, seed=0, **second):
    about = {"dataset": "textures", "split": "test", "encoder": encoder, "layer": "output"}
    return {**about, "severity": severity, "seed": seed, **second}


def pair(encoder, other):
    return label(encoder, encoder_b=other, layer_b="output")


def test_it_says_what_failed():
    hole = Hole("topology", {"encoder": "pixels", "layer": "", "severity": 2}, "no", "")
    assert str(hole) == "topology of pixels, 2: no"


def test_what_falls_away_with_an_encoder_is_told_once(capsys):
    cause = Hole.of("features", label("broken"), KeyError("weights.0"))
    fallen = [
        *(Hole.of("measure", label("broken", severity), Missing(FAILED)) for severity in (0, 1, 2)),
        Hole.of("robustness", label("broken"), Missing("its measure stage is missing or failed")),
        Hole.of("measure", label("broken", seed=1), Missing(FAILED)),
    ]
    found = fold([cause, *fallen], Log("json"))
    assert found[0] is cause
    assert [hole.error for hole in found[1:]] == [
        f"4 fell away (measure, robustness): {FAILED}",
        f"1 fell away (measure): {FAILED}",
    ]
    assert [hole.label["seed"] for hole in found[1:]] == [0, 1]
    told = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [event["error"] for event in told] == [hole.error for hole in found[1:]]


@pytest.mark.parametrize("pairs", [[("fine", "broken")], [("broken", "fine")]])
def test_of_a_pair_the_one_that_failed_is_blamed(pairs):
    """The other may lack something too, of which the pair knows nothing."""
    fallen = [
        Hole.of("measure", label("fine"), Missing("its topology stage is missing or failed")),
        Hole.of("measure", label("broken"), Missing(FAILED)),
        *(Hole.of("similarity", pair(*both), Missing(FAILED)) for both in pairs),
    ]
    errors = {hole.label["encoder"]: hole.error for hole in fold(fallen, Log("quiet"))}
    assert errors["broken"] == f"2 fell away (measure, similarity): {FAILED}"
    assert errors["fine"].startswith("1 fell away (measure)")
