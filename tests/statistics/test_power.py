import numpy as np
import pytest
from scipy.stats import kendalltau, pearsonr, spearmanr
from scipy.stats import t as student

from tdafeat.statistics import METHODS, critical_correlation, detectable_correlation, units_needed

TESTS = {"spearman": spearmanr, "pearson": pearsonr, "kendall": kendalltau}


def test_critical_correlation_is_where_pearsons_test_turns():
    for n_units, alpha in [(5, 0.05), (47, 0.05 / 30)]:
        r = critical_correlation(n_units, alpha)
        t = r * np.sqrt((n_units - 2) / (1 - r * r))
        assert 2 * student.sf(t, n_units - 2) == pytest.approx(alpha)


@pytest.mark.parametrize("method", METHODS)
def test_a_detectable_correlation_is_found_four_times_in_five(method):
    """Of bivariate normal units whose correlation has exactly that size, by scipy's own test."""
    n_units, n_tests, runs = 30, 5, 600
    size = detectable_correlation(n_units, n_tests, method=method)
    pearson = {  # of a normal pair with this Spearman's or Kendall's correlation
        "spearman": 2 * np.sin(np.pi * size / 6),
        "kendall": np.sin(np.pi * size / 2),
        "pearson": size,
    }[method]
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, runs, n_units))
    b = pearson * a + np.sqrt(1 - pearson**2) * b
    found = [TESTS[method](*pair).pvalue <= 0.05 / n_tests for pair in zip(a, b, strict=True)]
    assert 0.75 <= np.mean(found) <= 0.86


def test_too_few_units_detect_nothing():
    assert all(np.isnan(detectable_correlation(1, method=method)) for method in METHODS)
    assert np.isnan(detectable_correlation(4, 3))  # two orders of 24: p is 1/12 at best
    assert np.isnan(detectable_correlation(5, 40))
    assert detectable_correlation(8, 1) < 1


def test_too_few_permutations_detect_nothing():
    """Of 99 drawn no p is below 1 / 100; of 12 units an exact test goes far below."""
    assert np.isnan(detectable_correlation(12, 6, n_permutations=99))
    exact = detectable_correlation(12, 6)
    assert detectable_correlation(12, 6, n_permutations=9999) == exact < 1


def test_units_needed_is_the_smallest_number_that_detects():
    for size, tests in [(0.9, 1), (0.5, 40), (0.1, 1), (1e-5, 40)]:
        n = units_needed(size, tests)
        assert detectable_correlation(n, tests) <= size
        assert not detectable_correlation(n - 1, tests) <= size
    assert units_needed(0.0) is units_needed(1e-300) is None
    with pytest.raises(ValueError, match=r"correlation must lie in \[-1, 1\]; got nan"):
        units_needed(np.nan)


@pytest.mark.parametrize("of", [critical_correlation, detectable_correlation])
def test_a_level_that_is_none_is_refused(of):
    with pytest.raises(ValueError, match="alpha must lie between 0 and 1; got 0"):
        of(10, alpha=0)
