"""What the metric records promise, checked on every metric of arrays, whatever its room."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tdafeat.measure import PREDICTORS
from tdafeat.record import metrics
from tdafeat.sharing import sharing
from tdafeat.view import View

HEADS = tuple(f"{name}_weights" for name in ("probe", "zero_shot", "head"))
CLOUDS = ("features", "clean")
MEASURED = [
    name
    for name, record in metrics.items()
    if set(record.needs) <= {*CLOUDS, "labels", *HEADS, *PREDICTORS}
]
OF_FEATURES = [name for name in MEASURED if set(metrics[name].needs) & set(CLOUDS)]
TOLERANCE = {
    "topology_divergence": 1e-5,  # a Rips filtration: in float32
    "class_angle_min": 1e-6,  # near 0 an angle has half of the digits
}
MOVES = ("rotation", "scale", "translation", "permutation")


def cell(rng, n_classes=4, per_class=12, width=8):
    """Features, clean ones, labels, heads and scores, of enough rows for every metric."""
    labels = rng.permutation(np.repeat(np.arange(n_classes), per_class))
    clean = rng.normal(size=(n_classes, width))[labels] + rng.normal(size=(len(labels), width))
    return {
        "features": clean + 0.3 * rng.normal(size=clean.shape),
        "clean": clean,
        "labels": labels,
        **{name: rng.normal(size=(n_classes, width)) for name in HEADS},
        **{name: rng.dirichlet(np.ones(n_classes), size=len(labels)) for name in PREDICTORS},
    }


def moved(view, move, rng):
    """The same cell with its features rotated, scaled or shifted, or its rows in another order."""
    n, width = view["features"].shape
    if move == "permutation":
        order = rng.permutation(n)
        return {k: values if k in HEADS else values[order] for k, values in view.items()}
    rotation, shift = np.linalg.qr(rng.normal(size=(width, width)))[0], 3 * rng.normal(size=width)
    by = 10 ** rng.uniform(-40, 40)
    apply = {
        "rotation": lambda x: x @ rotation,
        "scale": lambda x: by * x,
        "translation": lambda x: x + shift,
    }[move]
    return {**view, **{name: apply(view[name]) for name in CLOUDS}}


def measured(view, names):
    """Value, low and high of each metric of a cell, or the matrix of its pairs."""
    labels = view["labels"]
    rows = {name: values for name, values in view.items() if name not in ("labels", *HEADS)}
    seen = View(labels, rows, other={name: view[name] for name in HEADS})
    found = {}
    with sharing():
        for name in names:
            value, status = seen.measure(metrics[name])
            assert status == "ok", (name, status)
            parts = [getattr(value, part, value) for part in ("value", "low", "high")]
            found[name] = np.asarray(parts, dtype=float)
    return found


SIZES = st.tuples(st.integers(2, 5), st.integers(12, 16), st.integers(4, 12))


@pytest.mark.parametrize("move", MOVES)
@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), sizes=SIZES)
def test_every_invariance_that_is_declared_holds(move, seed, sizes):
    rng = np.random.default_rng(seed)
    view = cell(rng, *sizes)
    names = [name for name in MEASURED if move in metrics[name].invariant]
    before, after = measured(view, names), measured(moved(view, move, rng), names)
    for name in names:
        tolerance = TOLERANCE.get(name, 1e-7)
        np.testing.assert_allclose(
            after[name], before[name], rtol=tolerance, atol=tolerance, err_msg=name
        )


@pytest.mark.parametrize("move", ["rotation", "scale", "translation"])
def test_no_metric_has_an_invariance_that_it_does_not_declare(move):
    rng = np.random.default_rng(0)
    view = cell(rng, n_classes=20, per_class=3)  # so many that no retrieval finds them all
    names = [name for name in OF_FEATURES if move not in metrics[name].invariant]
    before, after = measured(view, names), measured(moved(view, move, rng), names)
    for name in names:
        assert not np.allclose(after[name], before[name], 1e-7, 1e-300, equal_nan=True), name


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), sizes=SIZES)
def test_values_lie_in_the_declared_range(seed, sizes):
    for name, found in measured(cell(np.random.default_rng(seed), *sizes), MEASURED).items():
        low, high = metrics[name].range
        assert ((found[0] >= low - 1e-6) & (found[0] <= high + 1e-6)).all(), name


@pytest.mark.parametrize("name", MEASURED)
def test_records_are_complete(name):
    record = metrics[name]
    assert record.summary.endswith((".", "|^2.")), record.summary
    assert record.source
    assert record.title
