"""Which variants collapsed, and when: on tables whose course is known."""

import numpy as np
import pandas as pd
import pytest

from tdafeat import geometry
from tdafeat.answer import answer
from tdafeat.course import courses

STEPS = (0, 20, 40, 80)
HEALTHY = {"mean_cosine": 0.5, "effective_rank": 8.0, "total_variance": 2.0}


def table(variant="a", seed=0, knn=(0.1, 0.2, 0.3, 0.4), **changed):
    """A healthy course, but for the metrics `changed`, which have one value per step."""
    rows = []
    values = {name: (value,) * len(STEPS) for name, value in HEALTHY.items()}
    for name, course in (values | {"knn_accuracy": knn} | changed).items():
        for level, (step, value) in enumerate(zip(STEPS, course, strict=True)):
            row = {"encoder": variant, "layer": "cls", "noise": "training", "seed": seed}
            row |= {"severity": level, "parameter": step, "scope": "all", "metric": name}
            rows.append(row | {"value": value, "low": value})
            if name == "knn_accuracy":
                rows += [rows[-1] | {"scope": scope} for scope in "pqrst"]
    return pd.DataFrame(rows)


@pytest.mark.parametrize(
    ("changed", "by"),
    [
        ({}, None),
        ({"effective_rank": (8.0, 4.0, 1.9, 1.0)}, 40),
        ({"effective_rank": (8.0, 1.5, 4.0, 1.0)}, 80),
        ({"effective_rank": (1.0, 1.0, 1.0, 1.0)}, 0),
        ({"effective_rank": (8.0, 1.0, 1.0, 2.1)}, None),
        ({"mean_cosine": (0.5, 0.94, 0.96, 0.99)}, 40),
        ({"mean_cosine": (0.98, 0.5, 0.9, 0.98)}, 80),  # a narrow cone at first is no collapse
        ({"total_variance": (1.0, 1.0, 0.0, 0.0), "effective_rank": (8, 8, np.nan, np.nan)}, 40),
    ],
)
def test_the_criterion(changed, by):
    (course,) = courses(table(**changed))
    assert course.by == by


def test_recovered_steps_are_named():
    (course,) = courses(table(effective_rank=(8.0, 1.0, 1.0, 3.0)))
    assert course.once == [20, 40]


@pytest.mark.parametrize(
    ("collapse", "kind"),
    [
        (lambda points, t: points * np.array([1.0, t, t, t, t]), "to a line"),
        (lambda points, t: points * t + 1, "to a point"),
        (lambda points, t: points, ""),
    ],
)
def test_the_criterion_holds_on_clouds(collapse, kind):
    points = np.random.default_rng(0).normal(size=(200, 5))
    clouds = [collapse(points, t) for t in (1.0, 0.5, 0.1, 0.001)]
    measured = {
        "mean_cosine": [geometry.mean_cosine(cloud) for cloud in clouds],
        "effective_rank": [geometry.effective_rank(geometry.spectrum(c)) for c in clouds],
    }
    (course,) = courses(table(**measured))
    assert (course.by in (40, 80)) == bool(kind)


def test_no_collapse_is_told_with_its_numbers():
    verdict, first, last = answer(table(), pd.DataFrame(), "knn_accuracy")
    assert verdict == "The features of no variant collapsed."
    assert first == (
        "a: no collapse; from step 0 to 80 spread of directions 0.5 to 0.5; effective rank 8 to 8; "
        "k-NN accuracy 10 to 40 %."
    )
    assert last.startswith("Chance is 20 %. Each variant was trained once")


def test_a_collapse_is_told_with_its_step_and_its_evidence():
    rows = table(effective_rank=(8.0, 4.0, 1.9, 1.0), nearest_neighbour_distance=(1, 1, 0.1, 0.01))
    verdict, text, _ = answer(rows, pd.DataFrame(), "knn_accuracy")
    assert verdict == "The features of every variant collapsed."
    assert text.startswith("a: collapsed by step 40 (effective rank below 2);")
    assert "effective rank 8 to 1;" in text
    assert "median nearest-neighbour distance 1 to 0.01;" in text


@pytest.mark.parametrize(
    ("changed", "kind"),
    [
        ({"effective_rank": (8.0, 4.0, 1.9, 1.0)}, "by step 40 (effective rank below 2)"),
        ({"mean_cosine": (0.5, 0.94, 0.96, 0.99)}, "by step 40 (directions lost their spread)"),
        (  # first the spread, which comes back when the rank goes
            {"mean_cosine": (0.5, 0.99, 0.99, 0.5), "effective_rank": (8.0, 5.0, 4.0, 1.5)},
            "by step 20 (directions lost their spread)",
        ),
    ],
)
def test_the_kind_of_a_collapse_is_that_of_the_step_it_is_told_with(changed, kind):
    assert f"a: collapsed {kind};" in answer(table(**changed), pd.DataFrame(), "knn_accuracy")[1]


@pytest.mark.filterwarnings("error")
def test_where_all_images_come_to_one_point_the_rank_is_undefined():
    gone = {"total_variance": (1.0, 1.0, 0.0, 0.0), "effective_rank": (8, 8, np.nan, np.nan)}
    text = answer(table(**gone), pd.DataFrame(), "knn_accuracy")[1]
    assert text.startswith("a: collapsed by step 40 (directions lost their spread);")
    assert "effective rank 8 to undefined;" in text


def test_what_was_logged_last_is_told():
    log = pd.DataFrame(
        [["a", 0, "loss", 2.0], ["a", 80, "loss", 0.5], ["a", 80, "score", 0.25], ["b", 9, "x", 1]],
        columns=["variant", "step", "quantity", "value"],
    )
    first = answer(table(), pd.DataFrame(), "knn_accuracy", log)[1]
    assert first.endswith("; logged last: loss 0.5, score 0.25.")


def test_variants_and_seeds_are_told_apart():
    rows = pd.concat(
        [
            table(seed=0, effective_rank=(8.0, 4.0, 1.0, 1.0)),
            table(seed=1, effective_rank=(8.0, 1.0, 1.0, 1.0)),
            table(seed=2, knn=(0.1, 0.2, 0.3, 1.0)),
            *(table("b", seed) for seed in (0, 1)),
            table("b", 2, effective_rank=(8.0, 1.0, 4.0, 8.0)),
        ]
    )
    verdict, a, b, last = answer(rows, pd.DataFrame(), "knn_accuracy")
    assert verdict == "The features of a collapsed; those of b did not."
    assert a.startswith(
        "a: collapsed in 2 of 3 trainings, by step 20 to 40 (effective rank below 2);"
    )
    assert "k-NN accuracy 10 to 60 %" in a
    assert b.startswith("b: recovered from a collapse (at step 20);")
    assert "means over 3 trainings" in last
