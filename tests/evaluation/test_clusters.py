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


INDICES = [silhouette, davies_bouldin, calinski_harabasz, purity]
MOVES = {
    "tiny": lambda x: 1e-30 * x,
    "huge": lambda x: 1e30 * x,
    "far from the origin": lambda x: x + 2.0**20,
    "tiny and far": lambda x: 1e-12 * (x + 2.0**20),
    "with a constant feature": lambda x: np.column_stack([x, np.full(len(x), 1e8 / 3)]),
}


@pytest.mark.parametrize("function", INDICES)
@pytest.mark.parametrize("move", MOVES.values(), ids=MOVES)
def test_unit_and_offset_cost_no_digits(function, move):
    # float64 holds the moved points themselves to 2^20 roundings
    assert function(move(FEATURES), LABELS) == pytest.approx(function(FEATURES, LABELS), rel=1e-8)


@pytest.mark.parametrize("half_width", [0.0, 1e-13, 1e-9, 0.1])
def test_davies_bouldin_of_two_pairs(half_width):
    # each at half its width from its mean, the means 1 apart
    pairs = np.array([[-half_width], [half_width], [1 - half_width], [1 + half_width]])
    found = davies_bouldin(pairs, [0, 0, 1, 1])
    assert found == pytest.approx(2 * half_width, rel=1e-2, abs=0)


def test_davies_bouldin_of_classes_that_coincide_is_undefined():
    twice = np.vstack([FEATURES[:20], FEATURES[:20][::-1], FEATURES[40:]])
    assert np.isnan(davies_bouldin(twice, LABELS))
    assert np.isnan(davies_bouldin(twice + 100, LABELS))
    assert np.isnan(davies_bouldin(np.full((60, 3), 1 / 3), LABELS))


def test_classes_that_are_points_have_no_dispersion_ratio():
    assert np.isnan(calinski_harabasz(np.eye(4)[LABELS], LABELS))


@pytest.mark.parametrize("function", INDICES)
@pytest.mark.parametrize("labels", [np.zeros(60), np.arange(60)])
def test_one_class_and_only_single_samples_are_refused(function, labels):
    with pytest.raises(ValueError, match="labels must name at least two classes and fewer"):
        function(FEATURES, labels)
