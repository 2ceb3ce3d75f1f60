import numpy as np
import pytest
from scipy.stats import kstest, pearsonr, rankdata, spearmanr
from scipy.stats import t as student

from tdafeat.resampling import (
    ADJUSTMENTS,
    associate,
    bootstrap_interval,
    correlations,
    critical_correlation,
    holm,
    permutation_p,
)


def tables(seed=0, n_levels=3, n_units=12, step=1.0, shared=0.0):
    """Metric and accuracy by (level, unit): both move with the level, units share a factor."""
    rng = np.random.default_rng(seed)
    common = rng.normal(size=n_units)
    x, y = rng.normal(size=(2, n_levels, n_units)) + shared * common
    drift = step * np.arange(n_levels)[:, None]
    return x + drift, y - drift


def by_definition(x, y):
    """The three correlations by scipy, level by level."""
    within = np.mean([spearmanr(a, b).statistic for a, b in zip(x, y, strict=True)])
    ranks = [rankdata(z).reshape(z.shape) for z in (x, y)]
    residuals = [(r - r.mean(axis=1, keepdims=True)).ravel() for r in ranks]
    pooled = spearmanr(x.ravel(), y.ravel()).statistic
    return {"within level": within, "pooled": pooled, "level-adjusted": pearsonr(*residuals)[0]}


def associated(x, y, n_boot=200, n_permutations=499):
    return associate(x, y, 5, n_boot, n_permutations, random_state=0)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("n_levels", [1, 4])
def test_correlations_agree_with_scipy(n_levels, ties):
    x, y = tables(1, n_levels)
    if ties:
        x, y = np.round(x), np.round(y)
    found = correlations(x, y, np.ones((1, x.shape[1])))
    for adjustment, expected in by_definition(x, y).items():
        assert found[adjustment][0] == pytest.approx(expected, abs=1e-12)


def test_weights_stand_for_repeated_units():
    x, y = tables(2)
    rng = np.random.default_rng(3)
    drawn = rng.integers(0, 12, size=(20, 12))
    weights = np.stack([np.bincount(row, minlength=12) for row in drawn])
    found = correlations(x, y, weights)
    for draw, units in enumerate(drawn):
        for adjustment, expected in by_definition(x[:, units], y[:, units]).items():
            assert found[adjustment][draw] == pytest.approx(expected, abs=1e-12)


def test_level_without_variation_is_left_out_of_the_mean():
    x, y = tables(4)
    x[1] = 7.0
    expected = np.mean([spearmanr(x[i], y[i]).statistic for i in (0, 2)])
    found = correlations(x, y, np.ones((1, 12)))["within level"][0]
    assert found == pytest.approx(expected)


@pytest.mark.parametrize("adjustment", ["within level", "level-adjusted"])
def test_permutation_p_counts_permuted_trajectories(adjustment):
    x, y = tables(5, shared=0.7)
    permutations = np.random.default_rng(6).permuted(np.tile(np.arange(12), (99, 1)), axis=1)
    observed = abs(by_definition(x, y)[adjustment])
    drawn = [abs(by_definition(x[:, order], y)[adjustment]) for order in permutations]
    expected = (1 + np.sum(np.array(drawn) >= observed - 1e-12)) / 100
    assert permutation_p(x, y, adjustment, permutations) == expected


def test_planted_effect_is_found():
    found = associated(*tables(7, n_units=40, shared=1.5))
    for adjustment in ("within level", "level-adjusted"):
        result = found[adjustment]
        assert result.value > 0.4
        assert 0 < result.low < result.value < result.high < 1
        assert result.p == 1 / 500


def test_level_alone_gives_a_pooled_correlation_and_nothing_within():
    x, y = tables(8, n_units=60, n_levels=4, step=4.0)
    found = associated(x, y)
    assert found["pooled"].value < -0.8
    assert np.isnan(found["pooled"].p)
    assert "level moves both" in found["pooled"].status
    for adjustment in ("within level", "level-adjusted"):
        assert abs(found[adjustment].value) < 0.2
        assert found[adjustment].low < 0 < found[adjustment].high
        assert found[adjustment].p > 0.05


def null_p_values(runs):
    """Trajectories shared over levels, so that rows of one unit are far from independent."""
    p = []
    for seed in range(runs):
        rng = np.random.default_rng([9, seed])
        x, y = (rng.normal(size=10) + 0.3 * rng.normal(size=(3, 10)) for _ in range(2))
        found = associated(x + np.arange(3)[:, None], y, n_boot=1, n_permutations=199)
        p.append([found[name].p for name in ("within level", "level-adjusted")])
    return np.array(p).T


def check_null(runs):
    for p in null_p_values(runs):
        jitter = np.random.default_rng(0).uniform(size=runs) / 200  # p comes in steps of 1/200
        assert kstest(p - jitter, "uniform").pvalue > 0.01
        assert np.mean(p <= 0.05) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / runs)


def test_null_p_values_are_uniform():
    check_null(150)


@pytest.mark.slow
def test_null_p_values_are_uniform_over_many_runs():
    check_null(1000)


@pytest.mark.slow
@pytest.mark.parametrize("n_units", [10, 47])
@pytest.mark.parametrize("shared", [0.0, 1.0])
def test_intervals_cover(n_units, shared):
    truth = by_definition(*tables(10, n_units=20_000, shared=shared))
    covered = dict.fromkeys(ADJUSTMENTS, 0)
    for seed in range(600):
        found = associated(*tables(seed, n_units=n_units, shared=shared), n_permutations=1)
        for name in ADJUSTMENTS:
            covered[name] += found[name].low <= truth[name] <= found[name].high
    for name in ("within level", "level-adjusted"):
        assert 0.92 <= covered[name] / 600 <= 0.98


def test_perfect_correlation_has_an_interval_that_ends_at_one():
    x = np.arange(12.0) + np.arange(3)[:, None]
    result = associated(x, x)["within level"]
    assert result.value == pytest.approx(1)
    assert 0.9 < result.low <= result.value <= result.high
    assert bootstrap_interval(1.0, np.full(50, np.nan), 12) == pytest.approx(
        (np.nan, np.nan), nan_ok=True
    )


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("x", "y", "reason"),
    [
        (np.zeros((0, 8)), np.zeros((0, 8)), "no common level"),
        (np.ones((2, 3)), np.ones((2, 3)), "3 measured, at least 5"),
        (np.ones((2, 8)), np.arange(16.0).reshape(2, 8), "constant"),
        (np.repeat([[0.0], [1]], 8, axis=1), np.arange(16.0).reshape(2, 8), "constant"),
    ],
)
def test_what_cannot_be_estimated_says_why(x, y, reason):
    result = associated(x, y)["within level"]
    assert np.isnan([result.value, result.low, result.high, result.p]).all()
    assert result.status.startswith("not estimable: ")
    assert reason in result.status


def holm_by_steps(p):
    """The textbook procedure: the smallest alpha at which each hypothesis is rejected."""
    rejected_at = {}
    worst = 0.0
    for step, index in enumerate(sorted(range(len(p)), key=p.__getitem__)):
        worst = max(worst, (len(p) - step) * p[index])
        rejected_at[index] = min(1.0, worst)
    return [rejected_at[i] for i in range(len(p))]


def test_holm_agrees_with_its_steps_and_skips_nan():
    p = np.random.default_rng(11).uniform(0, 0.2, 15)
    np.testing.assert_allclose(holm(p), holm_by_steps(list(p)))
    with_gap = holm(np.r_[p, np.nan])
    np.testing.assert_allclose(with_gap[:-1], holm(p))
    assert np.isnan(with_gap[-1])
    assert holm([]).size == 0


def test_critical_correlation_is_where_pearsons_test_turns():
    for n_units, alpha in [(5, 0.05), (47, 0.05 / 30)]:
        r = critical_correlation(n_units, alpha)
        t = r * np.sqrt((n_units - 2) / (1 - r * r))
        assert 2 * student.sf(t, n_units - 2) == pytest.approx(alpha)
