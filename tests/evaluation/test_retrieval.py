import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.metrics import average_precision_score

from tdafeat.directions import directions
from tdafeat.evaluation import mean_average_precision, precision_at, retrieval, top_k_accuracy

RNG = np.random.default_rng(0)
LABELS = RNG.integers(0, 4, 700)  # more than one chunk of queries
FEATURES = RNG.normal(size=(700, 5)) + 0.7 * np.eye(5)[LABELS]


def test_map_agrees_with_scikit_learn_query_by_query():
    cosines = 1 - cdist(FEATURES, FEATURES, "cosine")
    expected = [
        average_precision_score(np.delete(LABELS[i] == LABELS, i), np.delete(cosines[i], i))
        for i in range(len(LABELS))
    ]
    assert mean_average_precision(FEATURES, LABELS) == pytest.approx(np.mean(expected))


@pytest.mark.parametrize("k", [1, 10])
def test_precision_agrees_with_a_loop(k):
    cosines = 1 - cdist(FEATURES, FEATURES, "cosine")
    np.fill_diagonal(cosines, -np.inf)
    nearest = np.argsort(-cosines, axis=1)[:, :k]
    expected = (LABELS[nearest] == LABELS[:, None]).mean()
    assert precision_at(FEATURES, LABELS, k) == pytest.approx(expected)
    hit = (LABELS[nearest] == LABELS[:, None]).any(axis=1).mean()
    assert top_k_accuracy(FEATURES, LABELS, k) == pytest.approx(hit)


def test_a_sample_alone_in_its_class_asks_nothing_but_is_found():
    features = np.array([[1, 0], [1, 0.2], [1, 0.1]])
    assert precision_at(features, [0, 0, 1]) == 0  # the stranger is nearest to both
    assert mean_average_precision(features, [0, 0, 1]) == pytest.approx(1 / 2)
    assert np.isnan(mean_average_precision(features, [0, 1, 2]))
    assert np.isnan(precision_at(features, [0, 1, 2]))
    assert np.isnan(top_k_accuracy(features, [0, 1, 2]))


def test_a_duplicate_does_not_hide_behind_the_query_itself():
    features = [[1.0, 0], [1, 0], [0, 1], [0, 1]]
    assert precision_at(features, [0, 0, 1, 1]) == 1


def test_equal_cosines_are_ranked_in_order_of_the_rows():
    rows = np.repeat(np.eye(3), 4, axis=0)
    labels = np.array([0, 1, 0, 1] * 3)
    nearest = retrieval._nearest(directions(rows), np.arange(12), 5)
    assert nearest[:2].tolist() == [[1, 2, 3, 4, 5], [0, 2, 3, 4, 5]]
    assert precision_at(rows, labels, 3) == pytest.approx(1 / 3)


def test_faiss_gives_the_same_numbers(monkeypatch):
    """Cosines closer than float32 can tell apart and duplicates are ranked in float64 after all."""
    pytest.importorskip("faiss")
    close = FEATURES.round(1)[RNG.integers(0, 60, 700)]  # each of 60 rows a dozen times
    close[::3] += 1e-9 * RNG.normal(size=close[::3].shape)
    asked = []
    original = retrieval._shortlisted
    monkeypatch.setattr(
        retrieval, "_shortlisted", lambda *given: (asked.append(1), original(*given))[1]
    )
    for features in (FEATURES, close):
        for k in (1, 5, 40):
            monkeypatch.setattr(retrieval, "LARGE", 10_000)
            expected = precision_at(features, LABELS, k), top_k_accuracy(features, LABELS, k)
            monkeypatch.setattr(retrieval, "LARGE", 100)
            assert (
                precision_at(features, LABELS, k),
                top_k_accuracy(features, LABELS, k),
            ) == expected
    assert len(asked) == 12


def test_refusals():
    with pytest.raises(ValueError, match="k must lie in 1..2"):
        precision_at(np.eye(3), [0, 0, 0], k=3)
    with pytest.raises(ValueError, match="k must be at least 1; got 0"):
        top_k_accuracy(np.eye(3), [0, 0, 0], k=0)
    with pytest.raises(ValueError, match="at least 2 rows"):
        mean_average_precision(np.eye(1), [0])
