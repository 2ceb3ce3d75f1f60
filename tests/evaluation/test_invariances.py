"""What the records of the room promise, and which moves of the features a predictor ignores."""

import numpy as np
import pytest

from tdafeat.evaluation import (
    LinearHead,
    NearestClassMean,
    Probe,
    WeightedNeighbours,
    accuracy,
    accuracy_area,
    expected_calibration_error,
    half_severity,
    margins,
    ranks,
    relative_accuracy,
    zero_shot,
)
from tdafeat.measure import PREDICTORS
from tdafeat.record import metrics
from tests.evaluation.inputs import draw

INPUTS = [draw(np.random.default_rng(seed)) for seed in range(200)]
OF_SCORES = [
    name
    for name, record in metrics.items()
    if record.room == "evaluation" and record.needs[0].removesuffix("_of_many") in PREDICTORS
]


def measured(record, scores, labels):
    found = record.function(scores, labels)
    return np.array([getattr(found, part, found) for part in ("value", "low", "high")])


@pytest.mark.parametrize("name", OF_SCORES)
def test_scores_in_another_order_of_rows_give_the_same_in_the_declared_range(name):
    record = metrics[name]
    assert record.invariant == {"permutation"}
    assert record.scopes == (("all",) if name.endswith("_ece") else ("all", "class"))
    rng = np.random.default_rng(0)
    for given in INPUTS:
        scores, labels = given["probabilities"], given["labels"]
        if name.endswith("_top5") and scores.shape[1] <= 5:
            continue
        before = measured(record, scores, labels)
        order = rng.permutation(len(labels))
        np.testing.assert_allclose(measured(record, scores[order], labels[order]), before)
        assert (record.range[0] <= before).all()
        assert (before <= record.range[1]).all()


def test_only_the_order_of_a_row_s_scores_makes_its_rank_and_a_common_shift_no_margin():
    for given in INPUTS:
        scores, labels = given["scores"], given["labels"]
        shift = given["features"][:, :1]
        np.testing.assert_array_equal(ranks(scores, labels), ranks(np.exp(scores), labels))
        assert accuracy(scores, labels) == accuracy(3 * scores + shift, labels)
        np.testing.assert_allclose(margins(scores + shift, labels), margins(scores, labels))


def test_calibration_asks_only_for_the_highest_probability_and_whether_it_is_right():
    for given in INPUTS[:50]:
        table, labels = given["probabilities"], given["labels"]
        guess, own = table.argmax(axis=1), np.arange(len(table))
        even = np.repeat((1 - table[own, guess])[:, None] / (table.shape[1] - 1), table.shape[1], 1)
        even[own, guess] = table[own, guess]
        if (even.argmax(axis=1) == guess).all():
            assert expected_calibration_error(even, labels) == pytest.approx(
                expected_calibration_error(table, labels)
            )


def moves(d, rng):
    rotation = np.linalg.qr(rng.normal(size=(d, d)))[0]
    shift, units = rng.normal(size=d), np.geomspace(0.1, 10, d)
    return {
        "rotation": lambda x: x @ rotation,
        "scale": lambda x: 7.0 * x,
        "translation": lambda x: x + shift,
        "units": lambda x: x * units,
    }


@pytest.mark.parametrize(
    ("make", "ignored", "n", "atol"),
    [
        (WeightedNeighbours, ("rotation", "scale"), 200, 1e-9),
        (NearestClassMean, ("rotation", "translation"), 200, 1e-9),
        (Probe, ("scale", "translation", "units"), 20, 2e-3),  # the solver stops at a tolerance
    ],
)
def test_moves_of_train_and_test_features_that_a_predictor_ignores(make, ignored, n, atol):
    for seed, given in enumerate(INPUTS[:n]):
        train, test, labels = given["train"], given["features"], given["labels"]
        n_classes = len(given["classes"])
        before = make().fit(train, labels, n_classes).scores(test)
        for name, move in moves(train.shape[1], np.random.default_rng(seed)).items():
            after = make().fit(move(train), labels, n_classes).scores(move(test))
            if name in ignored:
                np.testing.assert_allclose(after, before, rtol=1e-9, atol=atol, err_msg=name)


def test_zero_shot_ignores_lengths_and_a_common_rotation():
    for given in INPUTS[:50]:
        images, names = given["features"], given["text"]
        turn = moves(images.shape[1], np.random.default_rng(0))["rotation"]
        before = zero_shot(images, names)
        np.testing.assert_allclose(zero_shot(5 * images, 0.1 * names), before)
        np.testing.assert_allclose(zero_shot(turn(images), turn(names)), before)


def test_a_linear_head_ignores_what_all_its_classes_share():
    for given in INPUTS[:50]:
        weights, features = given["text"], given["features"]
        bias = weights.sum(axis=1)
        before = LinearHead(weights, bias).scores(features)
        np.testing.assert_allclose(before.sum(axis=1), 1)
        shared = LinearHead(weights + weights[:1], bias + 3).scores(features)
        np.testing.assert_allclose(shared, before)


def test_summaries_do_not_ask_in_what_steps_severity_counts():
    for given in INPUTS:
        x, y = given["severities"], given["curve"]
        assert accuracy_area(3 * x, y) == pytest.approx(accuracy_area(x, y))
        assert relative_accuracy(3 * x, y) == relative_accuracy(x, y)
        assert half_severity(3 * x, y, 0.1) == pytest.approx(3 * half_severity(x, y, 0.1))
