"""Every public function of the room: a value or NaN, or one sentence; no warning from numpy."""

import re

import numpy as np
import pytest
import torch

from tdafeat import evaluation
from tdafeat.evaluation import LinearHead, NearestClassMean, Probe, WeightedNeighbours

RNG = np.random.default_rng(0)
LABELS = np.repeat([0, 1, 2], 4)
POINTS = RNG.normal(size=(12, 5)) + LABELS[:, None]
SHARES = RNG.dirichlet(np.ones(3), size=12)
TRAINED = [
    model.fit(POINTS, LABELS, 3) for model in (Probe(), WeightedNeighbours(), NearestClassMean())
]


def of_predictors(features, labels):
    n_classes = len(set(np.asarray(labels).ravel().tolist()))
    fitted = [make().fit(features, labels, n_classes) for make in evaluation.predictors.values()]
    return np.stack([predictor.scores(features) for predictor in fitted])


FEATURES = {  # of features and labels
    name: getattr(evaluation, name)
    for name in (
        *("silhouette", "davies_bouldin", "calinski_harabasz", "purity"),
        *("mean_average_precision", "precision_at", "top_k_accuracy"),
    )
} | {"predictors": of_predictors}
SCORES = {  # of scores (here probabilities) and labels
    name: getattr(evaluation, name)
    for name in (
        *("accuracy", "margin", "margins", "ranks"),
        *("expected_calibration_error", "brier_score", "negative_log_likelihood"),
    )
}
FRAMES = {  # of labels and predictions
    name: getattr(evaluation, name) for name in ("confusion_matrix", "classification_report")
}
KNOWN = {*FEATURES, *SCORES, *FRAMES} - {"predictors"}
ELSEWHERE = {  # each refused case by case beside its other tests, or below
    *("LinearHead", "NearestClassMean", "Predictor", "Probe", "WeightedNeighbours", "predictors"),
    *("accuracy_area", "half_severity", "relative_accuracy", "robustness"),
    *("reliability", "top5_accuracy", "wilson", "zero_shot"),
}


def test_no_public_function_is_forgotten():
    assert set(evaluation.__all__) == KNOWN | ELSEWHERE


NAN = POINTS.copy()
NAN[3, 1] = np.nan
BAD_FEATURES = {
    "one axis": (POINTS[:, 0], LABELS),
    "three axes": (POINTS[None], LABELS),
    "no row": (POINTS[:0], LABELS[:0]),
    "no column": (POINTS[:, :0], LABELS),
    "NaN": (NAN, LABELS),
    "infinite": (np.where(np.isnan(NAN), np.inf, NAN), LABELS),
    "huge": (POINTS * 1e200, LABELS),
    "words": (np.full((12, 5), "a"), LABELS),
    "complex": (POINTS * 1j, LABELS),
    "ragged": ([[1.0, 2.0], [1.0]], [0, 1]),
    "too few labels": (POINTS, LABELS[:-1]),
    "labels of two axes": (POINTS, LABELS[:, None]),
    "fractions as labels": (POINTS, LABELS + 0.5),
    "words as labels": (POINTS, LABELS.astype(str)),
    "infinity as a label": (POINTS, np.where(LABELS == 2, np.inf, LABELS)),
    "labels beyond int64": (POINTS, LABELS * 1e20),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", FEATURES)
@pytest.mark.parametrize("case", BAD_FEATURES)
def test_bad_features_and_labels_are_refused_by_name(name, case):
    features, labels = BAD_FEATURES[case]
    with pytest.raises((ValueError, TypeError), match="features|labels"):
        FEATURES[name](features, labels)


UNUSUAL = {
    "integers": ((POINTS * 10).astype(int), LABELS),
    "float16": (POINTS.astype(np.float16), LABELS),
    "float32": (POINTS.astype(np.float32), LABELS),
    "booleans": (POINTS > 0, LABELS),
    "a tensor": (torch.from_numpy(POINTS), torch.from_numpy(LABELS)),
    "lists": (POINTS.tolist(), LABELS.tolist()),
    "labels as floats": (POINTS, LABELS.astype(float)),
    "one class": (POINTS, np.zeros(12)),
    "one sample": (POINTS[:1], LABELS[:1]),
    "a class of one sample": (POINTS[:9], LABELS[:9]),
    "every class one sample": (POINTS[:3], np.arange(3)),
    "fewer samples than dimensions": (POINTS[[0, 1, 4, 5]], LABELS[[0, 1, 4, 5]]),
    "constant": (np.ones((12, 5)), LABELS),
    "zeros": (np.zeros((12, 5)), LABELS),
    "duplicates": (POINTS[[0, 0, 0, 0, 5, 5, 5, 5, 9, 9, 9, 9]], LABELS),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", FEATURES)
@pytest.mark.parametrize("case", UNUSUAL)
def test_unusual_features_give_a_value_nan_or_a_sentence(name, case):
    try:
        found, said = FEATURES[name](*UNUSUAL[case]), ""
    except ValueError as error:
        found, said = np.nan, str(error)
    assert re.search("must|needs", said) if said else not np.isinf(found).any()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", [name for name in FEATURES if name != "predictors"])
@pytest.mark.parametrize("case", ["float16", "float32", "a tensor", "lists", "labels as floats"])
def test_the_form_of_the_input_does_not_change_the_value(name, case):
    expected = FEATURES[name](POINTS, LABELS)
    assert FEATURES[name](*UNUSUAL[case]) == pytest.approx(expected, rel=1e-2)


BAD_SCORES = {
    "one axis": (SHARES[:, 0], LABELS),
    "no row": (SHARES[:0], LABELS[:0]),
    "no column": (SHARES[:, :0], LABELS),
    "NaN": (np.where(LABELS[:, None] == 2, np.nan, SHARES), LABELS),
    "infinite": (np.where(LABELS[:, None] == 2, np.inf, SHARES), LABELS),
    "words": (np.full((12, 3), "a"), LABELS),
    "too few labels": (SHARES, LABELS[:-1]),
    "a label without a column": (SHARES, LABELS + 1),
    "a negative label": (SHARES, LABELS - 1),
    "fractions as labels": (SHARES, LABELS + 0.5),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", SCORES)
@pytest.mark.parametrize("case", BAD_SCORES)
def test_bad_scores_and_labels_are_refused_by_name(name, case):
    with pytest.raises((ValueError, TypeError), match="scores|probabilities|labels"):
        SCORES[name](*BAD_SCORES[case])


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", SCORES)
@pytest.mark.parametrize(
    "scores",
    [
        np.full((12, 3), 1 / 3),
        np.eye(3)[LABELS],
        np.eye(3, dtype=int)[LABELS],
        SHARES.astype(np.float16),
        torch.from_numpy(SHARES),
        SHARES.tolist(),
    ],
    ids=["constant", "sure", "integers", "float16", "a tensor", "lists"],
)
def test_unusual_scores_give_a_finite_value(name, scores):
    found = SCORES[name](scores, LABELS)
    assert np.isfinite(getattr(found, "value", found)).all()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("fitted", TRAINED, ids=lambda fitted: type(fitted).__name__)
@pytest.mark.parametrize(
    "features", [POINTS[:, :3], POINTS[0], NAN], ids=["columns", "axes", "nan"]
)
def test_what_a_predictor_was_not_fitted_for_is_refused(fitted, features):
    with pytest.raises(ValueError, match="features"):
        fitted.scores(features)


@pytest.mark.parametrize(
    ("weights", "bias", "message"),
    [
        (np.eye(2), [0.0], "bias must hold a finite number for each of the 2 rows"),
        (np.eye(2), [0.0, np.nan], "bias must hold a finite number"),
        (np.eye(1), [0.0], "weights must have at least 2 rows"),
        (np.full((2, 2), np.inf), [0.0, 0.0], "weights must be finite"),
        (np.zeros(3), [0.0], "weights must have 2 axes"),
    ],
)
def test_a_linear_head_must_fit(weights, bias, message):
    with pytest.raises(ValueError, match=message):
        LinearHead(weights, bias)


RIGHT = np.ones((6, 3), dtype=bool)
RIGHT[::2, 1:] = False


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"correct": RIGHT[0]}, "correct must have 2 axes"),
        ({"correct": RIGHT[:0]}, "correct must hold"),
        ({"correct": RIGHT * 0.5}, "correct must hold True or False"),
        ({"correct": np.where(RIGHT, np.nan, 0)}, "correct must hold True or False"),
        ({"severities": [0, 1]}, "severities must have one entry per column of correct, 3"),
        ({"severities": [1, 2, 3]}, r"severities must hold 0 \(clean\)"),
        ({"severities": [0, 1, 1]}, "severities must be distinct"),
        ({"severities": [0, 1, np.nan]}, "severities must be finite"),
        ({"correct": RIGHT[:, :1], "severities": [0]}, "at least one noisy level"),
        ({"chance": 1.0}, r"chance must lie in \[0, 1\)"),
        ({"chance": np.nan}, r"chance must lie in \[0, 1\)"),
        ({"images": [0, 1]}, "images must have one entry per row of correct, 6"),
        ({"images": [[0], [1, 2]]}, "images must be a rectangular array"),
        ({"n_boot": 0}, "n_boot must be at least 1"),
    ],
)
def test_bad_outcomes_are_refused(changes, message):
    given = {"correct": RIGHT, "severities": [0, 1, 2], "chance": 0.1} | changes
    with pytest.raises(ValueError, match=message):
        evaluation.robustness(**given)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("dtype", [bool, int, np.float16])
def test_outcomes_of_any_type(dtype):
    found = evaluation.robustness(RIGHT.astype(dtype), [0, 1, 2], 0.1)
    assert found == evaluation.robustness(RIGHT, [0, 1, 2], 0.1)


@pytest.mark.parametrize("name", FRAMES)
@pytest.mark.parametrize("labels", [None, ["a", None], [np.nan, 1.0], [1j, 1], [[1], [1, 2]]])
def test_what_names_no_class_is_refused(name, labels):
    with pytest.raises((ValueError, TypeError), match="^labels must"):
        FRAMES[name](labels, [0, 1])


@pytest.mark.parametrize("name", FRAMES)
def test_frames_of_one_class_and_of_another_type(name):
    assert FRAMES[name]([1, 1], [1, 1]).shape[0] == 1
    whole = FRAMES[name](LABELS, LABELS)
    assert (
        (FRAMES[name](LABELS.astype(np.float16), torch.from_numpy(LABELS)) == whole)
        .to_numpy()
        .all()
    )
    with pytest.raises((ValueError, TypeError), match="labels"):
        FRAMES[name](LABELS, LABELS[:-1])


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("n_neighbors", lambda n: WeightedNeighbours(n_neighbors=n)),
        ("n_classes", lambda n: Probe().fit(POINTS, LABELS, n)),
        ("top_k", lambda n: evaluation.accuracy(SHARES, LABELS, n)),
        ("n_bins", lambda n: evaluation.expected_calibration_error(SHARES, LABELS, n)),
        ("k", lambda n: evaluation.precision_at(POINTS, LABELS, n)),
        ("k", lambda n: evaluation.top_k_accuracy(POINTS, LABELS, n)),
        ("n_boot", lambda n: evaluation.robustness(RIGHT, [0, 1, 2], 0.1, n_boot=n)),
        ("random_state", lambda n: evaluation.robustness(RIGHT, [0, 1, 2], 0.1, random_state=n)),
        ("random_state", lambda n: evaluation.purity(POINTS, LABELS, n)),
        ("n", lambda n: evaluation.wilson(0, n)),
    ],
)
def test_counts_are_named(name, call):
    with pytest.raises(ValueError, match=f"^{name} must be at least .; got -1"):
        call(-1)
    with pytest.raises(TypeError, match=f"^{name} must be a whole number; got 2.5"):
        call(2.5)


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("temperature", lambda x: WeightedNeighbours(temperature=x)),
        ("regularisation", Probe),
        ("chance", lambda x: evaluation.half_severity([0, 1], [0.9, 0.5], x)),
    ],
)
def test_numbers_are_named(name, call):
    for wrong in (-1.0, np.nan, np.inf):
        with pytest.raises(ValueError, match=f"^{name} must .*; got {wrong}"):
            call(wrong)
    with pytest.raises(TypeError, match=f"^{name} must be a number; got 'much'"):
        call("much")


@pytest.mark.parametrize("make", evaluation.predictors.values())
def test_what_was_not_fitted_has_no_scores(make):
    with pytest.raises(ValueError, match=f"{make.__name__} must be fitted before"):
        make().scores(POINTS)


@pytest.mark.filterwarnings("error")
def test_at_no_temperature_the_nearest_alone_votes():
    frozen = WeightedNeighbours(temperature=1e-320).fit(POINTS, LABELS, 3)
    np.testing.assert_array_equal(frozen.scores(POINTS), np.eye(3)[LABELS])


def test_rounding_of_probabilities_is_no_confidence_beyond_one():
    table = np.array([[1.0005, 0.0], [0.0, 1.0]])  # as far off as float16 may leave a row
    assert evaluation.expected_calibration_error(table, [0, 1]) == 0
    assert evaluation.expected_calibration_error(table, [1, 0]) == 1
