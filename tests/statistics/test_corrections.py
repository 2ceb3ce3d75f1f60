import numpy as np
import pytest
from scipy.stats import false_discovery_control

from tdafeat.statistics import benjamini_hochberg, holm


def holm_by_steps(p):
    """The textbook procedure: the smallest alpha at which each hypothesis is rejected."""
    rejected_at = {}
    worst = 0.0
    for step, index in enumerate(sorted(range(len(p)), key=p.__getitem__)):
        worst = max(worst, (len(p) - step) * p[index])
        rejected_at[index] = min(1.0, worst)
    return [rejected_at[i] for i in range(len(p))]


def test_holm_agrees_with_its_steps():
    p = np.random.default_rng(11).uniform(0, 0.2, 15)
    np.testing.assert_allclose(holm(p), holm_by_steps(list(p)))


def test_benjamini_hochberg_agrees_with_scipy():
    p = np.random.default_rng(12).uniform(0, 0.2, 15)
    np.testing.assert_allclose(benjamini_hochberg(p), false_discovery_control(p))


@pytest.mark.parametrize("correct", [holm, benjamini_hochberg])
def test_nan_is_not_counted_and_nothing_is_no_error(correct):
    p = np.random.default_rng(13).uniform(0, 0.2, 5)
    with_gap = correct(np.r_[p, np.nan])
    np.testing.assert_allclose(with_gap[:-1], correct(p))
    assert np.isnan(with_gap[-1])
    assert correct([]).size == 0
    with pytest.raises(ValueError, match=r"in \[0, 1\]"):
        correct([0.5, 1.5])
    with pytest.raises(ValueError, match=r"p must have 1 axes; got shape \(1, 2\)"):
        correct([[0.1, 0.2]])
