import numpy as np
import pytest

from tdafeat.record import Estimate, Metric
from tdafeat.view import View

LABELS = np.array([0, 0, 1, 1])
FEATURES = np.arange(8.0).reshape(4, 2)


def metric(function, needs, scopes=("all", "class"), shape="value"):
    return Metric(
        "m", "m", "geometry", function, needs, scopes, shape, None, (0, 1), frozenset(), "-", ""
    )


@pytest.fixture
def view():
    return View(
        LABELS,
        {"features": FEATURES},
        class_diagrams=[["first"], ["second"]],
        other={"diagrams": ["whole"], "text": "directions"},
    )


def test_a_class_sees_its_own_rows_and_diagrams(view):
    own = view.of_class(1)
    np.testing.assert_array_equal(own["features"], FEATURES[2:])
    assert own["diagrams"] == ["second"]
    assert "text" not in own
    assert own.n == 2


def test_a_metric_is_measured_only_where_all_it_needs_is_there(view):
    needs_clean = metric(lambda a, b: 0.0, ("features", "clean"))
    assert not view.measurable(needs_clean, "all")
    whole_only = metric(lambda f: 0.0, ("features",), scopes=("all",))
    assert view.measurable(whole_only, "all")
    assert not view.measurable(whole_only, "class")


def test_fields_come_in_the_order_of_needs(view):
    seen = metric(lambda labels, features: labels.sum() + features[0, 1], ("labels", "features"))
    assert view.measure(seen) == (
        Estimate(3.0, pytest.approx(np.nan, nan_ok=True), pytest.approx(np.nan, nan_ok=True)),
        "ok",
    )


def test_a_refused_input_is_nan_with_its_reason(view):
    def refuse(features):
        raise ValueError("too few points")

    value, status = view.measure(metric(refuse, ("features",)))
    assert np.isnan(value.value)
    assert status == "too few points"


def test_a_bug_is_not_hidden(view):
    def bug(features):
        raise KeyError("typo")

    with pytest.raises(KeyError):
        view.measure(metric(bug, ("features",)))


def test_nan_is_never_ok(view):
    value, status = view.measure(metric(lambda f: np.nan, ("features",)))
    assert np.isnan(value.value)
    assert status != "ok"
