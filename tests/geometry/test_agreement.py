"""Every metric of the geometry beside scipy, scikit-learn and scikit-dimension, on random clouds.

The other side is the plain script of the benchmark, studies/benchmarks/plain_geometry.py, which
shares no line with the package.
"""

import runpy
import warnings
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from tdafeat.geometry import nc3, nc4
from tdafeat.record import metrics
from tdafeat.view import View

SCRIPT = Path(__file__).parents[2] / "studies" / "benchmarks" / "plain_geometry.py"
plain = SimpleNamespace(**runpy.run_path(str(SCRIPT)))
N_INPUTS = 200
# Angles near 0 lose half of float64's digits; others keep eight of them whatever the route.
TOLERANCE = {"class_angle_min": 1e-6}
HEADS = [f"{head}_nc{k}" for head in ("probe", "zero_shot", "head") for k in (3, 4)]  # below


def random_input(seed):
    """Noisy and clean features and labels; enough of each for ten directions and neighbours."""
    rng = np.random.default_rng(seed)
    n_classes, per_class, width = rng.integers([2, 12, 20], [6, 30, 50])
    labels = rng.permutation(np.repeat(np.arange(n_classes), per_class))
    scales = np.arange(1, width + 1) ** -rng.uniform(0, 1)
    centres = rng.normal(size=(n_classes, width)) * rng.uniform(0.1, 3)
    clean = (centres[labels] + rng.normal(size=(len(labels), width))) * scales
    noise = rng.normal(size=clean.shape) * scales
    return clean + rng.uniform(0.1, 2) * noise, clean, labels


def expected(noisy, clean, labels):
    yield from plain.spectra(noisy).items()
    yield from plain.uniformity(noisy).items()
    yield from plain.angles_to_clean(noisy, clean).items()
    yield from plain.similarity(noisy, clean).items()
    yield from plain.collapse(noisy, labels).items()
    yield from plain.class_angles(noisy, labels).items()


def measured(name, noisy, clean, labels):
    value, status = View(labels, {"features": noisy, "clean": clean}).measure(metrics[name])
    assert status == "ok", (name, status)
    return getattr(value, "value", value)


def test_on_random_inputs():
    covered = set()
    for seed in range(N_INPUTS):
        given = random_input(seed)
        for name, value in expected(*given):
            tolerance = TOLERANCE.get(name, 1e-8)
            np.testing.assert_allclose(
                measured(name, *given), value, rtol=tolerance, atol=tolerance, err_msg=(name, seed)
            )
            covered.add(name)
    geometry = {name for name, record in metrics.items() if record.room == "geometry"}
    assert geometry == covered | {"two_nn", "levina_bickel", *HEADS}


def test_intrinsic_dimension_on_random_inputs():
    pytest.importorskip("skdim")
    for seed in range(N_INPUTS):
        given = random_input(seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of scikit-dimension's own
            values = plain.dimension(given[0])
        for name, value in values.items():
            assert measured(name, *given) == pytest.approx(value, rel=1e-8), (name, seed)


def test_collapse_against_a_head_on_random_inputs():
    for seed in range(N_INPUTS):
        features, _, labels = random_input(seed)
        rng = np.random.default_rng(seed)
        weights = rng.normal(size=(labels.max() + 1, features.shape[1]))
        means = np.array([features[labels == c].mean(0) for c in range(len(weights))])
        head, centred = weights - weights.mean(0), means - means.mean(0)
        cosine = np.vdot(head, centred) / np.linalg.norm(head) / np.linalg.norm(centred)
        # two points of a sphere
        assert nc3(features, labels, weights) == pytest.approx(2 - 2 * cosine)
        scores = features @ weights.T
        near = -np.square(features[:, None] - means).sum(-1)
        same = [max(range(len(s)), key=s.__getitem__) for s in scores]
        assert nc4(scores, near) == np.mean(np.equal(same, [np.argmax(s) for s in near]))
