import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import PCA

from tdafeat.geometry import (
    collapsed_dimensions,
    condition_number,
    cumulative_variance,
    effective_rank,
    explained_variance_ratio,
    n_components_for,
    participation_ratio,
    power_law,
    rankme,
    spectrum,
    stable_rank,
    total_variance,
)

HARMONIC = 1 / np.arange(1, 101)  # eigenvalues 1/i, i <= 100


def with_singular_values(values, n, seed=0):
    """An (n, len(values)) matrix with these singular values and random directions."""
    rng = np.random.default_rng(seed)
    left = np.linalg.qr(rng.normal(size=(n, len(values))))[0]
    right = np.linalg.qr(rng.normal(size=(len(values), len(values))))[0]
    return left * values @ right


@pytest.mark.parametrize("shape", [(50, 8), (8, 50), (20, 20), (21, 20), (2, 5), (9, 1)])
def test_spectrum_agrees_with_scikit_learn(shape):
    features = np.random.default_rng(0).normal(size=shape) + 5
    expected = PCA().fit(features).explained_variance_[: min(shape[0] - 1, shape[1])]
    np.testing.assert_allclose(spectrum(features), expected, rtol=1e-10, atol=1e-13)


def test_spectrum_sums_to_the_total_variance():
    features = np.random.default_rng(1).normal(size=(30, 70))
    assert spectrum(features).sum() == pytest.approx(np.trace(np.cov(features.T)))
    assert total_variance(features) == pytest.approx(np.trace(np.cov(features.T)))


def test_directions_that_hold_only_rounding_are_zero():
    features = with_singular_values(np.r_[np.ones(3), np.zeros(17)], 40)
    assert np.count_nonzero(spectrum(features)) == 3
    assert not spectrum(np.full((10, 4), 1e7 / 3)).any()


def test_summaries_of_the_harmonic_spectrum():
    # recomputed from the definitions: sum^2 / sum of squares; exp of the entropy
    assert participation_ratio(HARMONIC) == pytest.approx(16.4582, abs=5e-5)
    assert effective_rank(HARMONIC) == pytest.approx(39.677, abs=5e-4)
    assert stable_rank(HARMONIC) == pytest.approx(HARMONIC.sum())


def test_rankme_is_another_number_than_effective_rank():
    # singular values sqrt(1/i): 84.412 without eps, 84.4153 with the 1e-7 of the definition
    features = with_singular_values(np.sqrt(HARMONIC), 120)
    assert rankme(features) == pytest.approx(84.4153, abs=1e-4)


def test_rankme_with_its_eps():
    # equal singular values, D = 512, and rank one, with eps = 1e-7 (1e-5 would give 525.91, 1.0606)
    assert rankme(np.eye(512)) == pytest.approx(512.137, abs=1e-3)
    assert rankme(np.eye(512)[:, :1] @ np.ones((1, 512))) == pytest.approx(1.0008, abs=1e-4)


def test_rankme_is_not_centred():
    features = np.random.default_rng(2).normal(size=(100, 10))
    assert rankme(features + 100) < 2 < rankme(features)


@pytest.mark.parametrize(("fraction", "expected"), [(0.9, 2), (0.95, 3), (0.6, 1), (1.0, 3)])
def test_components_for_a_share_of_the_variance(fraction, expected):
    assert n_components_for([6.0, 3.0, 1.0, 0.0], fraction) == expected


def test_condition_number_is_that_of_the_covariance():
    features = np.random.default_rng(4).normal(size=(50, 6)) * np.arange(1, 7)
    expected = np.linalg.cond(np.cov(features.T))
    assert condition_number(spectrum(features)) == pytest.approx(expected)
    flat = np.column_stack([features, features[:, 0]])  # a direction without variance is left out
    assert np.isfinite(condition_number(spectrum(flat)))
    wide = features[:4]
    singular = np.linalg.svd(wide - wide.mean(axis=0), compute_uv=False)
    assert condition_number(spectrum(wide)) == pytest.approx((singular[0] / singular[2]) ** 2)


def test_cumulative_variance_ends_at_one_and_names_the_components():
    curve = cumulative_variance(HARMONIC)
    np.testing.assert_allclose(curve, np.cumsum(1 / np.arange(1, 101)) / HARMONIC.sum())
    assert curve[-1] == pytest.approx(1)
    assert n_components_for(HARMONIC, 0.9) == 1 + np.argmax(curve >= 0.9)


def test_collapsed_dimensions_are_those_without_variance():
    scales = np.r_[np.ones(12), np.full(4, 1e-3)]  # variances of 1e-6 of the others
    features = with_singular_values(scales, 60)
    assert collapsed_dimensions(spectrum(features)) == 4 / 16
    assert collapsed_dimensions(spectrum(features), threshold=1e-7) == 0
    assert collapsed_dimensions(spectrum(features[:, :1])) == 0


@pytest.mark.parametrize("exponent", [0.5, 1.0, 2.3])
@pytest.mark.parametrize("limits", [(1, None), (1, 100), (11, 50)])
def test_exact_power_law_is_found_on_any_range(exponent, limits):
    fit = power_law(np.arange(1, 101) ** -exponent, *limits)
    assert fit.exponent == pytest.approx(exponent)
    assert fit.r_squared == pytest.approx(1)


def test_power_law_agrees_with_polyfit_and_reports_its_range():
    values = np.sort(np.random.default_rng(3).exponential(size=60))[::-1]
    fit = power_law(values, first=4, last=31)
    x, y = np.log(np.arange(4, 32)), np.log(values[3:31])
    slope, intercept = np.polyfit(x, y, 1)
    assert fit.exponent == pytest.approx(-slope)
    residual = y - slope * x - intercept
    assert fit.r_squared == pytest.approx(1 - residual.var() / y.var())
    assert (fit.first, fit.last) == (4, 31)
    assert power_law(values).last == 30  # half of the positive ones


def test_flat_spectrum_has_exponent_zero():
    fit = power_law(np.ones(20))
    assert fit.exponent == pytest.approx(0)
    assert fit.r_squared == 1


def test_no_variance_gives_nan_without_warning():
    for function in (
        participation_ratio,
        effective_rank,
        stable_rank,
        condition_number,
        collapsed_dimensions,
    ):
        assert np.isnan(function([0.0, 0.0]))
    assert np.isnan(explained_variance_ratio([0.0, 0.0])).all()
    assert np.isnan(n_components_for([0.0], 0.9))
    assert np.isnan(power_law([1.0, 0.0]).exponent)
    assert np.isnan(rankme(np.zeros((3, 2))))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=40))
def test_ranks_lie_between_one_and_the_dimension(values):
    eigenvalues = np.sort(values)[::-1]
    ranks = [f(eigenvalues) for f in (stable_rank, participation_ratio, effective_rank)]
    for rank in ranks:
        assert 1 - 1e-9 <= rank <= len(values) + 1e-9
    assert participation_ratio(eigenvalues) <= effective_rank(eigenvalues) + 1e-9  # Renyi 2 <= 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: spectrum([[1.0, 2.0]]), "at least 2 rows"),
        (lambda: participation_ratio([1.0, 2.0]), "descending"),
        (lambda: participation_ratio([1.0, -2.0]), "each 0 or between"),
        (lambda: condition_number([1e200, 1e-200]), r"between 1e-150 and 1e\+150"),
        (lambda: participation_ratio([]), "at least one"),
        (lambda: n_components_for([1.0], 90), "fraction"),
        (lambda: collapsed_dimensions([1.0], 1.0), "threshold"),
        (lambda: power_law([3.0, 2.0, 1.0], first=0), "first"),
        (lambda: power_law([3.0, 2.0, 1.0], first=3, last=2), "last must be at least 3"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_rankme_of_one_row_is_one():
    assert rankme([[3.0, 4.0]]) == 1  # the eps of its definition alone would make it less
