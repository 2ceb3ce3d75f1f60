import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid

from tdafeat.evaluation import (
    NearestClassMean,
    Probe,
    WeightedNeighbours,
    predictors,
    zero_shot,
)

pytestmark = pytest.mark.filterwarnings("ignore:scipy.optimize:DeprecationWarning")


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(4), 30)
    means = rng.normal(size=(4, 6)) * 1.5
    train, test = (means[labels] + rng.normal(size=(120, 6)) for _ in range(2))
    return train, test, labels


@pytest.mark.parametrize("name", predictors)
def test_every_predictor_learns_and_gives_one_score_per_class(name, data):
    train, test, labels = data
    scores = predictors[name]().fit(train, labels, 4).scores(test)
    assert scores.shape == (120, 4)
    assert np.isfinite(scores).all()
    assert np.mean(scores.argmax(axis=1) == labels) > 0.8


@pytest.mark.parametrize("name", predictors)
def test_two_classes_have_two_columns(name, data):
    train, test, labels = data
    two = labels < 2
    assert predictors[name]().fit(train[two], labels[two], 2).scores(test).shape == (120, 2)


@pytest.mark.parametrize("n_classes", [2, 4])
def test_the_weights_of_the_probe_make_its_logits(n_classes, data):
    train, test, labels = data
    kept = labels < n_classes
    probe = Probe().fit(train[kept] * 7 + 3, labels[kept], n_classes)
    moved = test[kept] * 7 + 3
    logits = np.log(probe.scores(moved))
    bias = (logits - moved @ probe.head.weights.T) - logits.mean(axis=1, keepdims=True)
    np.testing.assert_allclose(bias, np.broadcast_to(bias[0], bias.shape), atol=1e-9)
    np.testing.assert_allclose(probe.head.weights.sum(axis=0), 0, atol=1e-6)


def test_probe_is_logistic_regression_on_standardised_features(data):
    train, test, labels = data
    mean, scale = train.mean(axis=0), train.std(axis=0)
    model = LogisticRegression(C=0.5, tol=1e-5, max_iter=5000, solver="newton-cg")
    expected = model.fit((train - mean) / scale, labels).predict_proba((test - mean) / scale)
    np.testing.assert_allclose(
        Probe(regularisation=2.0).fit(train, labels, 4).scores(test), expected, atol=2e-3
    )


def test_probe_ignores_the_units_of_a_feature(data):
    train, test, labels = data
    units = np.geomspace(1e-3, 1e3, 6)
    plain = Probe().fit(train, labels, 4).scores(test)
    scaled = Probe().fit(train * units + 5, labels, 4).scores(test * units + 5)
    np.testing.assert_allclose(scaled, plain, atol=1e-3)


def test_probe_survives_a_constant_feature(data):
    train, test, labels = data
    train, test = (np.column_stack([x, np.full(len(x), 7.0)]) for x in (train, test))
    assert np.isfinite(Probe().fit(train, labels, 4).scores(test)).all()


@pytest.mark.parametrize("k", [1, 5, 20, 200])
def test_neighbours_agree_with_scikit_learn(k, data):
    train, test, labels = data
    reference = KNeighborsClassifier(
        min(k, len(train)),
        metric="cosine",
        algorithm="brute",
        weights=lambda distances: np.exp((1 - distances) / 0.07),
    )
    expected = reference.fit(train, labels).predict_proba(test)
    scores = WeightedNeighbours(n_neighbors=k).fit(train, labels, 4).scores(test)
    np.testing.assert_allclose(scores, expected, atol=1e-10)


def test_neighbours_answer_for_a_row_of_zeros_and_a_tiny_temperature(data):
    train, _, labels = data
    model = WeightedNeighbours(n_neighbors=120).fit(train, labels, 4)
    np.testing.assert_allclose(model.scores(np.zeros((1, 6))), 0.25)
    cold = WeightedNeighbours(temperature=1e-6).fit(train, labels, 4).scores(train)
    np.testing.assert_allclose(cold, np.eye(4)[labels], atol=1e-6)


def test_class_mean_agrees_with_scikit_learn(data):
    train, test, labels = data
    scores = NearestClassMean().fit(train, labels, 4).scores(test)
    expected = NearestCentroid().fit(train, labels)
    np.testing.assert_array_equal(scores.argmax(axis=1), expected.predict(test))
    np.testing.assert_allclose(scores, -cdist(test, expected.centroids_))


def test_zero_shot_is_the_cosine(data):
    train, test, _ = data
    np.testing.assert_allclose(zero_shot(test, train[:4]), 1 - cdist(test, train[:4], "cosine"))
    with pytest.raises(ValueError, match="equally many columns"):
        zero_shot(test, np.eye(4))


@pytest.mark.parametrize("name", predictors)
@pytest.mark.parametrize(
    ("labels", "n_classes", "message"),
    [
        ([0, 0, 2, 2], 3, "class 1 has none"),
        ([0, 0, 1, 1], 1, "n_classes must be at least 2"),
        ([0, 0, 1, 2], 2, "must lie in 0..1"),
        ([0, 0, 1, -1], 2, "must lie in 0..1"),
        ([0, 1], 2, "one entry per row"),
    ],
)
def test_unfit_training_sets_are_refused(name, labels, n_classes, message):
    with pytest.raises(ValueError, match=message):
        predictors[name]().fit(np.eye(4), labels, n_classes)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Probe(0),
        lambda: WeightedNeighbours(0),
        lambda: WeightedNeighbours(temperature=-1),
    ],
)
def test_unfit_parameters_are_refused(make):
    with pytest.raises(ValueError, match="must be"):
        make()
