import numpy as np
import pytest

from tdafeat.geometry import Moments, collapse_verdict
from tdafeat.geometry.verdict import judge

RNG = np.random.default_rng(0)
LABELS = np.repeat(np.arange(4), 20)
CLOUD = RNG.normal(size=(80, 16))
MEANS = RNG.normal(size=(4, 16))


@pytest.mark.parametrize(
    ("kind", "features"),
    [
        ("none", CLOUD),
        ("none", MEANS[LABELS] + CLOUD),
        ("class", MEANS[LABELS]),
        ("class", 5 * MEANS[LABELS] + 0.5 * CLOUD),
        # a line, and a plane with noise of a thousandth of its standard deviation
        ("dimensional", CLOUD[:, :1] @ np.ones((1, 16))),
        ("dimensional", CLOUD * np.r_[np.ones(2), np.full(14, 1e-3)]),
        ("complete", np.ones((80, 16))),
        ("complete", np.zeros((80, 16))),
        ("complete", 1000 + CLOUD),  # to one direction, whatever is left around it
    ],
)
def test_known_collapses(kind, features):
    assert collapse_verdict(features, LABELS).kind == kind
    assert collapse_verdict(Moments.of(features, LABELS, chunk=9)).kind == kind


def test_class_collapse_is_not_judged_without_classes():
    assert "nc1_trace" not in collapse_verdict(MEANS[LABELS]).evidence
    assert collapse_verdict(CLOUD, np.zeros(80, int)).kind == "none"


def test_the_verdict_tells_its_evidence():
    told = str(collapse_verdict(MEANS[LABELS], LABELS))
    assert told.startswith("class collapse (effective rank ")
    assert "within-class over between-class variance " in told
    assert str(judge({})) == "no collapse"


def test_it_depends_on_neither_axes_nor_scale():
    rotation = np.linalg.qr(RNG.normal(size=(16, 16)))[0]
    before = collapse_verdict(MEANS[LABELS] + CLOUD, LABELS)
    after = collapse_verdict(7 * (MEANS[LABELS] + CLOUD) @ rotation, LABELS)
    assert after.kind == before.kind
    for name in ("effective_rank", "nc1_trace", "mean_cosine"):
        assert after.evidence[name] == pytest.approx(before.evidence[name])
