import numpy as np
import pytest

from tdafeat.evaluation import NearestClassMean, Probe
from tdafeat.geometry import (
    Moments,
    class_distance_variance,
    etf_distance,
    nc1,
    nc2_equiangular,
    nc2_equinorm,
    nc3,
    nc4,
)

ALL = (nc1, nc2_equinorm, nc2_equiangular, etf_distance, class_distance_variance)


def cloud(seed=0, n_classes=5, n=12, dimension=9):
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(n_classes), n)
    return rng.normal(size=(n_classes, dimension))[labels] * 2 + rng.normal(
        size=(len(labels), dimension)
    ), labels


def covariances(features, labels):
    """Within- and between-class covariance as D x D matrices, by direct loops."""
    classes = np.unique(labels)
    means = np.array([features[labels == c].mean(axis=0) for c in classes])
    within = sum(
        np.outer(x - means[c], x - means[c]) for x, c in zip(features, labels, strict=True)
    )
    centre = means.mean(axis=0)
    between = sum(np.outer(m - centre, m - centre) for m in means)
    return within / len(features), between / len(classes), means - centre


@pytest.mark.parametrize("function", ALL)
def test_collapsed_features_give_zero(function):
    labels = np.repeat(np.arange(6), 7)
    assert function(np.eye(6)[labels], labels) == pytest.approx(0, abs=1e-14)


@pytest.mark.parametrize("dimension", [3, 9, 40])
def test_nc1_forms_agree_with_the_matrices(dimension):
    features, labels = cloud(dimension=dimension)
    within, between, _ = covariances(features, labels)
    total = np.trace(within @ np.linalg.pinv(between, rcond=1e-10))
    assert nc1(features, labels) == pytest.approx(total / 5)
    assert nc1(features, labels, form="pinv_sum") == pytest.approx(total)
    expected = np.trace(within) / np.trace(between)
    assert nc1(features, labels, form="trace") == pytest.approx(expected)


def test_nc2_and_simplex_distance_agree_with_their_formulas():
    features, labels = cloud(1)
    _, _, means = covariances(features, labels)
    norms = np.linalg.norm(means, axis=1)
    assert nc2_equinorm(features, labels) == pytest.approx(norms.std(ddof=1) / norms.mean())
    cosines = [
        abs(means[i] @ means[j] / norms[i] / norms[j] + 1 / 4)
        for i in range(5)
        for j in range(5)
        if i != j
    ]
    assert nc2_equiangular(features, labels) == pytest.approx(np.mean(cosines))
    gram = means @ means.T
    simplex = (np.eye(5) - 1 / 5) / np.sqrt(4)
    expected = np.linalg.norm(gram / np.linalg.norm(gram) - simplex)
    assert etf_distance(features, labels) == pytest.approx(expected)


def test_class_distance_variance_agrees_with_a_loop():
    features, labels = cloud(2)
    groups = [features[labels == c] for c in range(5)]
    ratios = [
        (a.var(axis=0).sum() + b.var(axis=0).sum()) / (2 * ((a.mean(0) - b.mean(0)) ** 2).sum())
        for i, a in enumerate(groups)
        for b in groups[:i]
    ]
    assert class_distance_variance(features, labels) == pytest.approx(np.mean(ratios))


@pytest.mark.parametrize("function", ALL)
def test_coinciding_means_are_undefined(function):
    features = np.array([[1.0, 0], [-1, 0], [0, 1], [0, -1]])
    assert np.isnan(function(features, [0, 0, 1, 1]))
    assert np.isnan(function(np.full((6, 3), 1e6 / 3), [0, 0, 1, 1, 2, 2]))
    rows, _ = cloud(3)
    for order in (slice(None, None, -1), np.roll(np.arange(len(rows)), 1)):  # rounded otherwise
        both = np.vstack([rows, rows[order]])
        assert np.isnan(function(both, np.repeat([0, 1], len(rows))))


def test_two_classes_of_three_that_coincide_have_no_distance():
    rows, _ = cloud(3)
    three = np.vstack([rows, rows[::-1], rows + 1])
    assert np.isnan(class_distance_variance(three, np.repeat([0, 1, 2], len(rows))))


@pytest.mark.parametrize("function", ALL)
def test_a_large_offset_changes_nothing(function):
    features, labels = cloud(3)
    assert function(features + 1e6, labels) == pytest.approx(function(features, labels), rel=1e-6)


@pytest.mark.parametrize("function", ALL)
def test_one_class_is_refused(function):
    with pytest.raises(ValueError, match="at least two classes"):
        function(np.eye(3), [1, 1, 1])


def test_nc3_is_zero_for_a_head_of_class_means_whatever_its_size_and_offset():
    labels = np.repeat(np.arange(6), 7)
    simplex = np.eye(6) - 1 / 6
    assert nc3(simplex[labels], labels, 3 * simplex + 5) == pytest.approx(0, abs=1e-15)
    assert nc3(simplex[labels], labels, -simplex) == pytest.approx(4)
    elsewhere = np.hstack([simplex, np.zeros((6, 6))])[labels]
    assert nc3(elsewhere, labels, np.hstack([np.zeros((6, 6)), simplex])) == pytest.approx(2)


def test_nc3_agrees_with_its_formula():
    features, labels = cloud(4)
    weights = np.random.default_rng(5).normal(size=(5, 9))
    _, _, means = covariances(features, labels)
    head = weights - weights.mean(axis=0)
    expected = np.linalg.norm(head / np.linalg.norm(head) - means / np.linalg.norm(means)) ** 2
    assert nc3(features, labels, weights) == pytest.approx(expected)
    assert nc3(Moments.of(features, labels), weights=weights) == pytest.approx(expected)


@pytest.mark.parametrize("n_classes", [2, 5])
def test_as_classes_collapse_to_a_simplex_the_probe_becomes_the_means(n_classes):
    rng = np.random.default_rng(6)
    labels = np.repeat(np.arange(n_classes), 20)
    noise = rng.normal(size=(len(labels), n_classes))
    found = []
    for spread in (1.0, 0.3, 0.01):
        features = 4 * np.eye(n_classes)[labels] + spread * noise
        probe = Probe().fit(features, labels, n_classes)
        centre = NearestClassMean().fit(features, labels, n_classes)
        agreement = nc4(probe.scores(features), centre.scores(features))
        found.append((nc3(features, labels, probe.head.weights), agreement))
    assert found[0][0] > found[1][0] > found[2][0]
    assert found[2][0] < 1e-3
    assert found[2][1] == 1


def test_nc3_without_directions_is_undefined():
    features, labels = cloud(7)
    assert np.isnan(nc3(features, labels, np.ones((5, 9)) / 3))
    assert np.isnan(nc3(np.ones((5, 9)), np.arange(5), np.eye(5, 9)))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda f, y: nc3(f, y, np.ones((5, 8))), r"\(5, 9\); got shape \(5, 8\)"),
        (lambda f, y: nc3(f, y, np.ones((4, 9))), "a row for each class"),
        (lambda f, y: nc3(f, y, np.full((5, 9), np.nan)), "weights must be finite"),
        (lambda f, y: nc4(np.ones((3, 2)), np.ones((3, 3))), "must have the same shape"),
    ],
)
def test_heads_that_do_not_fit_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call(*cloud())


def test_unknown_form_is_refused():
    with pytest.raises(ValueError, match="form must be"):
        nc1(*cloud(), form="ratio")


def test_nc4_of_more_rows_than_are_read_at_a_time():
    scores, centre_scores = np.random.default_rng(0).normal(size=(2, 9000, 3))
    same = scores.argmax(axis=1) == centre_scores.argmax(axis=1)
    assert nc4(scores, centre_scores) == same.mean()
