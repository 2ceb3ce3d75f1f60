import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as reference

from tdafeat.evaluation import classification_report, confusion_matrix

NAMES = np.array(["ant", "bee", "cow", "dog"])


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("kind", ["names", "numbers"])
def test_agrees_with_scikit_learn(seed, kind):
    rng = np.random.default_rng(seed)
    labels, predicted = rng.integers(0, 4, (2, 40))
    if kind == "names":
        labels, predicted = NAMES[labels], NAMES[predicted]
    found = confusion_matrix(labels, predicted)
    np.testing.assert_array_equal(found, reference.confusion_matrix(labels, predicted))
    report = classification_report(labels, predicted)
    expected = reference.precision_recall_fscore_support(labels, predicted)
    for column, values in zip(("precision", "recall", "f1", "n"), expected, strict=True):
        np.testing.assert_allclose(report[column], values)


def test_classes_give_the_order_and_may_be_absent():
    found = confusion_matrix(["b", "b"], ["b", "a"], classes=["c", "b", "a"])
    assert list(found.index) == list(found.columns) == ["c", "b", "a"]
    assert found.loc["b"].tolist() == [0, 1, 1]
    report = classification_report(["b", "b"], ["b", "a"], classes=["c", "b", "a"])
    assert report.loc["c"].isna().tolist() == [True, True, True, False]
    assert np.isnan(report.loc["a", "recall"])  # no sample to find
    assert report.loc["a", ["precision", "f1"]].tolist() == [0, 0]


def test_columns_of_a_run_are_taken_as_they_are():
    frame = pd.DataFrame({"label": ["a", "b"], "prediction": ["a", "a"]})
    assert confusion_matrix(frame["label"], frame["prediction"]).loc["b", "a"] == 1


@pytest.mark.parametrize(
    ("labels", "predicted", "classes", "error", "message"),
    [
        ([0, 1], [0], None, ValueError, "equally long"),
        ([], [], None, ValueError, "not empty"),
        ([[0]], [[0]], None, ValueError, "labels must have 1 axis"),
        ([0, 1], ["a", "b"], None, TypeError, "both be names or both be whole numbers"),
        ([0.5], [1], None, TypeError, "labels must be names or whole numbers"),
        ([np.nan], [1], None, TypeError, "labels must be names or whole numbers"),
        ([0], [1], [0], ValueError, "1 is missing"),
        ([0], [1], [0, 1, 1], ValueError, "classes must be distinct"),
    ],
)
def test_refusals(labels, predicted, classes, error, message):
    with pytest.raises(error, match=message):
        confusion_matrix(labels, predicted, classes)
