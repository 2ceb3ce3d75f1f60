import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.metrics import average_precision_score

from tdafeat.evaluation import mean_average_precision, precision_at, top_k_accuracy

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


def test_refusals():
    with pytest.raises(ValueError, match="k must lie in 1..2"):
        precision_at(np.eye(3), [0, 0, 0], k=3)
    with pytest.raises(ValueError, match="k must lie in 1..2"):
        top_k_accuracy(np.eye(3), [0, 0, 0], k=0)
    with pytest.raises(ValueError, match="at least 2 rows"):
        mean_average_precision(np.eye(1), [0])
