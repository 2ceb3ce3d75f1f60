"""What the metric records promise, checked on every metric of arrays, whatever its room."""

import numpy as np
import pytest

from tdafeat.record import metrics

RNG = np.random.default_rng(0)
LABELS = np.repeat(np.arange(4), 12)
CLEAN = RNG.normal(size=(4, 8))[LABELS] + RNG.normal(size=(48, 8))
VIEW = {"features": CLEAN + 0.3 * RNG.normal(size=CLEAN.shape), "clean": CLEAN, "labels": LABELS}
ROTATION = np.linalg.qr(RNG.normal(size=(8, 8)))[0]
ORDER = RNG.permutation(48)
HEADS = {f"{name}_weights": RNG.normal(size=(4, 8)) for name in ("probe", "zero_shot", "head")}
VIEW |= HEADS

TRANSFORMS = {
    "rotation": lambda x: x @ ROTATION,
    "scale": lambda x: 7.0 * x,
    "translation": lambda x: x - np.arange(8),
    "permutation": lambda x: x[ORDER],
}
MEASURED = [name for name, record in metrics.items() if set(record.needs) <= set(VIEW)]
SINGLE = {"topology_divergence"}  # a Rips filtration: in float32


def value(record, view):
    found = record.function(*(view[need] for need in record.needs))
    return np.asarray(getattr(found, "value", found), dtype=float)


def moved(transform):
    rows = {name: TRANSFORMS[transform](VIEW[name]) for name in ("features", "clean")}
    labels = VIEW["labels"][ORDER] if transform == "permutation" else VIEW["labels"]
    return {**rows, **HEADS, "labels": labels}


@pytest.mark.parametrize("name", MEASURED)
@pytest.mark.parametrize("transform", TRANSFORMS)
def test_invariances_are_those_declared(name, transform):
    record = metrics[name]
    before, after = value(record, VIEW), value(record, moved(transform))
    if transform in record.invariant:
        tolerance = 1e-5 if name in SINGLE else 1e-7
        np.testing.assert_allclose(after, before, rtol=tolerance, atol=tolerance)
    elif transform in ("scale", "rotation", "translation"):
        assert not np.allclose(after, before, rtol=1e-7), "more invariant than declared"


@pytest.mark.parametrize("name", MEASURED)
def test_values_lie_in_the_declared_range(name):
    record = metrics[name]
    low, high = record.range
    found = value(record, VIEW)
    assert ((found >= low - 1e-6) & (found <= high + 1e-6)).all()


@pytest.mark.parametrize("name", MEASURED)
def test_records_are_complete(name):
    record = metrics[name]
    assert record.summary.endswith((".", "|^2.")), record.summary
    assert record.source
    assert record.title
