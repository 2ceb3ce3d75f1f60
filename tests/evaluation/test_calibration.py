import numpy as np
import pytest
from scipy.stats import binomtest

from tdafeat.evaluation import (
    brier_score,
    expected_calibration_error,
    negative_log_likelihood,
    reliability,
)
from tdafeat.record import metrics


def test_bins_hold_their_upper_end_and_the_first_also_zero():
    frame = reliability([0.0, 0.25, 0.5, 0.500001, 1.0], [1, 0, 1, 0, 1], n_bins=4)
    assert frame["n"].tolist() == [2, 1, 1, 1]
    assert frame["accuracy"].tolist() == [0.5, 1.0, 0.0, 1.0]


def test_every_column_by_a_loop():
    rng = np.random.default_rng(0)
    sure, right = rng.random(300), rng.random(300) < 0.6
    sure[sure < 0.2] = 0.3  # the first bins stay empty
    for row in reliability(sure, right, n_bins=10).itertuples():
        inside = (sure > row.low) & (sure <= row.high)
        assert row.n == inside.sum()
        if not row.n:
            assert np.isnan([row.confidence, row.accuracy, row.accuracy_low]).all()
            continue
        assert row.confidence == pytest.approx(sure[inside].mean())
        assert row.accuracy == pytest.approx(right[inside].mean())
        bounds = binomtest(int(right[inside].sum()), int(row.n)).proportion_ci(method="wilson")
        assert (row.accuracy_low, row.accuracy_high) == pytest.approx(tuple(bounds))


def test_a_calibrated_predictor_errs_by_chance_alone_and_a_boastful_one_more():
    """Labels drawn from the probabilities themselves: the error vanishes like 1 / sqrt(n)."""
    rng = np.random.default_rng(1)
    table = rng.dirichlet([0.5] * 4, size=40_000)
    labels = (rng.random((len(table), 1)) > table.cumsum(axis=1)).sum(axis=1)
    assert expected_calibration_error(table, labels) < 0.015
    boastful = table**3 / (table**3).sum(axis=1, keepdims=True)
    assert expected_calibration_error(boastful, labels) > 0.1
    for proper in (brier_score, negative_log_likelihood):  # the truth minimises both
        assert proper(table, labels) < proper(boastful, labels)


def test_the_sure_and_right_lose_nothing_and_the_sure_and_wrong_all():
    labels = np.array([0, 1, 2])
    for score in (expected_calibration_error, brier_score, negative_log_likelihood):
        assert score(np.eye(3), labels) == 0
    wrong = np.roll(np.eye(3), 1, axis=1)
    assert expected_calibration_error(wrong, labels) == 1
    assert brier_score(wrong, labels) == 2
    assert negative_log_likelihood(wrong, labels) == pytest.approx(52 * np.log(2))


def test_knowing_nothing_is_calibrated_at_chance():
    even, labels = np.full((12, 4), 0.25), np.arange(12) % 4
    assert expected_calibration_error(even, labels) == pytest.approx(0)
    assert brier_score(even, labels) == pytest.approx(0.75)
    assert negative_log_likelihood(even, labels) == pytest.approx(np.log(4))


def test_only_predictors_of_probabilities_are_judged_by_them():
    assert {n for n in metrics if n.endswith("_ece")} == {"probe_ece", "knn_ece", "head_ece"}
    assert metrics["probe_ece"].scopes == ("all",)
    assert "knn_nll" not in metrics
    for name in ("probe_ece", "probe_brier", "probe_nll"):
        assert metrics[name].better == "lower"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: reliability([0.5, 1.1], [0, 1]), r"confidences must lie in \[0, 1\]"),
        (lambda: reliability([0.5, np.nan], [0, 1]), r"confidences must lie in \[0, 1\]"),
        (lambda: reliability([0.5], [2]), "correct must hold"),
        (lambda: reliability([0.5], [0, 1]), "equally long"),
        (lambda: reliability([], []), "not empty"),
        (lambda: reliability([0.5], [1], n_bins=0), "n_bins must be at least 1"),
        (lambda: brier_score([[0.5, 0.6]], [0]), "row 0 adds up to 1.1"),
        (lambda: brier_score([[-0.5, 1.5]], [0]), "must be at least 0; row 0 has -0.5"),
        (lambda: expected_calibration_error(np.eye(2), [0, 2]), r"labels must lie in 0\.\.1"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(ValueError, match=message):
        call()
