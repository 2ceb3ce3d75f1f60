import numpy as np
import pytest
from scipy.stats import kendalltau, pearsonr, rankdata, spearmanr

from tdafeat.statistics import ADJUSTMENTS, METHODS, correlations
from tdafeat.statistics.resampling import associate, bootstrap_interval, permutation_p


def tables(seed=0, n_levels=3, n_units=12, step=1.0, shared=0.0):
    """Metric and accuracy by (level, unit): both move with the level, units share a factor."""
    rng = np.random.default_rng(seed)
    common = rng.normal(size=n_units)
    x, y = rng.normal(size=(2, n_levels, n_units)) + shared * common
    drift = step * np.arange(n_levels)[:, None]
    return x + drift, y - drift


def by_definition(x, y, method="spearman"):
    """The three correlations by scipy, level by level."""
    of = {"spearman": spearmanr, "kendall": kendalltau, "pearson": pearsonr}[method]
    within = np.mean([of(a, b).statistic for a, b in zip(x, y, strict=True)])
    pooled = of(x.ravel(), y.ravel()).statistic
    if method == "kendall":  # the pairs of one level alone
        signs = [np.sign(z[:, :, None] - z[:, None, :]) for z in (x, y)]
        length = np.sqrt(np.abs(signs[0]).sum() * np.abs(signs[1]).sum())
        adjusted = (signs[0] * signs[1]).sum() / length
    else:
        scores = [rankdata(z).reshape(z.shape) if method == "spearman" else z for z in (x, y)]
        residuals = [(s - s.mean(axis=1, keepdims=True)).ravel() for s in scores]
        adjusted = pearsonr(*residuals)[0]
    return {"within level": within, "pooled": pooled, "level-adjusted": adjusted}


def associated(x, y, n_boot=200, n_permutations=499):
    return associate(x[None], y, 5, n_boot, n_permutations, random_state=0)[0]


def by_spearman(found):
    return {name: found["spearman", name] for name in ADJUSTMENTS}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("n_levels", [1, 4])
def test_correlations_agree_with_scipy(n_levels, ties, method):
    x, y = tables(1, n_levels)
    if ties:
        x, y = np.round(x), np.round(y)
    found = correlations(x, y, np.ones((1, x.shape[1])), method)
    for adjustment, expected in by_definition(x, y, method).items():
        assert found[adjustment][0] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_weights_stand_for_repeated_units(method):
    x, y = tables(2)
    rng = np.random.default_rng(3)
    drawn = rng.integers(0, 12, size=(20, 12))
    weights = np.stack([np.bincount(row, minlength=12) for row in drawn])
    found = correlations(x, y, weights, method)
    for draw, units in enumerate(drawn):
        for adjustment, expected in by_definition(x[:, units], y[:, units], method).items():
            assert found[adjustment][draw] == pytest.approx(expected, abs=1e-12)


def test_level_without_variation_is_left_out_of_the_mean():
    x, y = tables(4)
    x[1] = 7.0
    expected = np.mean([spearmanr(x[i], y[i]).statistic for i in (0, 2)])
    found = correlations(x, y, np.ones((1, 12)))["within level"][0]
    assert found == pytest.approx(expected)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("adjustment", ["within level", "level-adjusted"])
def test_permutation_p_counts_permuted_trajectories(adjustment, method):
    x, y = tables(5, shared=0.7)
    other = np.round(tables(6)[0])  # with ties, and tested at the same time
    permutations = np.random.default_rng(6).permuted(np.tile(np.arange(12), (99, 1)), axis=1)
    found = permutation_p(np.stack([x, other]), y, permutations, method, adjustment)
    for metric, p in zip((x, other), found, strict=True):
        observed = abs(by_definition(metric, y, method)[adjustment])
        drawn = [abs(by_definition(metric, y[:, o], method)[adjustment]) for o in permutations]
        assert p == (1 + np.sum(np.array(drawn) >= observed - 1e-12)) / 100


def test_planted_effect_is_found():
    found = by_spearman(associated(*tables(7, n_units=40, shared=1.5)))
    for adjustment in ("within level", "level-adjusted"):
        result = found[adjustment]
        assert result.value > 0.4
        assert 0 < result.low < result.value < result.high < 1
        assert result.p == 1 / 500


def test_level_alone_gives_a_pooled_correlation_and_nothing_within():
    x, y = tables(8, n_units=60, n_levels=4, step=4.0)
    found = by_spearman(associated(x, y))
    assert found["pooled"].value < -0.8
    assert np.isnan(found["pooled"].p)
    assert "level moves both" in found["pooled"].status
    for adjustment in ("within level", "level-adjusted"):
        assert abs(found[adjustment].value) < 0.2
        assert found[adjustment].low < 0 < found[adjustment].high
        assert found[adjustment].p > 0.05


def test_perfect_correlation_has_an_interval_that_ends_at_one():
    x = np.arange(12.0) + np.arange(3)[:, None]
    result = associated(x, x)["spearman", "within level"]
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
        (np.ones((2, 3)), np.ones((2, 3)), "3 with finite values, at least 5"),
        (np.ones((2, 8)), np.arange(16.0).reshape(2, 8), "constant"),
        (np.repeat([[0.0], [1]], 8, axis=1), np.arange(16.0).reshape(2, 8), "constant"),
    ],
)
def test_what_cannot_be_estimated_says_why(x, y, reason):
    result = associated(x, y)["spearman", "within level"]
    assert np.isnan([result.value, result.low, result.high, result.p]).all()
    assert result.status.startswith("not estimable: ")
    assert reason in result.status
