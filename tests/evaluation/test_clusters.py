import numpy as np
import pytest
from sklearn import metrics as reference

from tdafeat.evaluation import calinski_harabasz, davies_bouldin, purity, silhouette

LABELS = np.repeat(np.arange(3), 20)
FEATURES = np.random.default_rng(0).normal(size=(60, 4)) + 1.5 * np.eye(4)[LABELS]


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (silhouette, reference.silhouette_score),
        (davies_bouldin, reference.davies_bouldin_score),
        (calinski_harabasz, reference.calinski_harabasz_score),
    ],
)
def test_indices_are_scikit_learns(function, expected):
    assert function(FEATURES, LABELS) == pytest.approx(expected(FEATURES, LABELS))


def test_purity_of_separate_and_of_meaningless_classes():
    separate = 100 * np.eye(4)[LABELS] + FEATURES
    assert purity(separate, LABELS) == 1
    shuffled = np.random.default_rng(1).permutation(LABELS)
    assert 1 / 3 <= purity(separate, shuffled) < 0.6


def test_purity_of_fewer_points_than_classes():
    assert purity(np.ones((60, 2)), LABELS) == pytest.approx(1 / 3)


def test_classes_that_are_points_have_no_dispersion_ratio():
    assert np.isnan(calinski_harabasz(np.eye(4)[LABELS], LABELS))


@pytest.mark.parametrize("function", [silhouette, davies_bouldin, calinski_harabasz, purity])
@pytest.mark.parametrize("labels", [np.zeros(60), np.arange(60)])
def test_one_class_and_only_single_samples_are_refused(function, labels):
    with pytest.raises(ValueError, match="labels must name at least two classes and fewer"):
        function(FEATURES, labels)
