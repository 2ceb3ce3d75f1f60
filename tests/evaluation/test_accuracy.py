import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.metrics import top_k_accuracy_score

from tdafeat.evaluation import accuracy, margin, top5_accuracy, wilson
from tdafeat.record import metrics


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_agrees_with_scipy(counts):
    successes, n = counts
    expected = binomtest(successes, n).proportion_ci(0.95, method="wilson")
    estimate = wilson(successes, n)
    assert (estimate.low, estimate.high) == pytest.approx((expected.low, expected.high), abs=1e-12)
    assert 0 <= estimate.low <= estimate.value <= estimate.high <= 1


@pytest.mark.parametrize("top_k", [1, 2, 5])
def test_accuracy_agrees_with_scikit_learn(top_k):
    rng = np.random.default_rng(0)
    scores, labels = rng.normal(size=(200, 7)), rng.integers(0, 7, 200)
    expected = top_k_accuracy_score(labels, scores, k=top_k, labels=range(7))
    assert accuracy(scores, labels, top_k).value == pytest.approx(expected)


def test_ties_go_to_the_lower_class_as_argmax_does():
    rng = np.random.default_rng(1)
    scores, labels = rng.integers(0, 2, (300, 4)), rng.integers(0, 4, 300)
    assert accuracy(scores, labels).value == np.mean(scores.argmax(axis=1) == labels)


def test_margin_by_a_loop():
    rng = np.random.default_rng(2)
    scores, labels = rng.normal(size=(50, 3)), rng.integers(0, 3, 50)
    expected = [row[c] - max(np.delete(row, c)) for row, c in zip(scores, labels, strict=True)]
    assert margin(scores, labels) == pytest.approx(np.mean(expected))


def test_metrics_of_every_predictor_are_registered():
    for predictor in ("probe", "knn", "class_mean", "zero_shot", "head"):
        record = metrics[f"{predictor}_accuracy"]
        assert record.needs == (predictor, "labels")
        assert record.better == "higher"
        assert set(record.scopes) == {"all", "class"}
        assert record.function(np.eye(3), [0, 1, 1]).value == pytest.approx(2 / 3)
        assert metrics[f"{predictor}_top5"].needs == (f"{predictor}_of_many", "labels")


def test_top5_is_the_accuracy_of_five_guesses():
    rng = np.random.default_rng(3)
    scores, labels = rng.normal(size=(40, 9)), rng.integers(0, 9, 40)
    assert top5_accuracy(scores, labels) == accuracy(scores, labels, top_k=5)
    with pytest.raises(ValueError, match=r"top_k must lie in 1\.\.4"):
        top5_accuracy(scores[:, :4], labels % 4)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: accuracy(np.eye(3), [0, 1, 3]), "labels must lie in 0..2"),
        (lambda: accuracy(np.eye(3), [0, 1]), "one entry per row"),
        (lambda: accuracy(np.eye(3), [0, 1, 2], top_k=4), "top_k"),
        (lambda: accuracy([[np.nan, 1.0]], [0]), "scores must be finite"),
        (lambda: accuracy(np.zeros((0, 3)), []), "scores must have at least 1 rows"),
        (lambda: margin([[1.0]], [0]), "two columns"),
        (lambda: wilson(3, 2), "successes"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(ValueError, match=message):
        call()
