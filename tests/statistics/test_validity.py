"""The statistics shown valid by simulation.

Units are drawn as a study gives them: a unit's values at neighbouring levels are alike
(autoregressive, correlation 0.8), the level moves metric and accuracy, and metrics depend on each
other (half of their variance is shared).
"""

import numpy as np
import pytest
from scipy.stats import kendalltau, kstest, norm, pearsonr, rankdata, spearmanr

from tdafeat.statistics import ADJUSTMENTS, METHODS, benjamini_hochberg, holm
from tdafeat.statistics.added import partial_correlation, partial_p
from tdafeat.statistics.prediction import _row
from tdafeat.statistics.resampling import associate, bootstrap_interval, draws

N_LEVELS = 3
TESTED = ("within level", "level-adjusted")


def paths(rng, n_units, n_tables=1):
    """(tables, levels, units): standard normal, correlated 0.8 from level to level."""
    steps = rng.normal(size=(N_LEVELS, n_tables, n_units))
    values = [steps[0]]
    for step in steps[1:]:
        values.append(0.8 * values[-1] + 0.6 * step)
    return np.stack(values, axis=1)


def study(rng, n_units, n_metrics, shared=0.0):
    """Metrics that depend on each other, and an accuracy of which they share some, with drift."""
    common, ease = paths(rng, n_units, 2)
    metrics = (paths(rng, n_units, n_metrics) + common) / np.sqrt(2)
    drift = np.arange(N_LEVELS)[:, None]
    own = paths(rng, n_units)[0]
    return metrics + shared * ease + drift, shared * ease + own - drift


def p_values(runs, n_units=10, n_metrics=1):
    """p by method and adjustment: (runs, metrics) each, nothing being there to find."""
    found = {(method, name): [] for method in METHODS for name in TESTED}
    for seed in range(runs):
        xs, y = study(np.random.default_rng([1, seed]), n_units, n_metrics)
        results = associate(xs, y, 5, n_boot=1, n_permutations=199, random_state=seed)
        for kind, p in found.items():
            p.append([result[kind].p for result in results])
    return {kind: np.array(p) for kind, p in found.items()}


def check_uniform(p, n_permutations=199, ties=False):
    """p comes in steps; ties of the statistic itself may make it too large, never too small."""
    jitter = np.random.default_rng(0).uniform(size=p.shape) / (n_permutations + 1)
    assert kstest(p - jitter, "uniform", alternative="greater").pvalue > 0.01
    assert ties or kstest(p - jitter, "uniform").pvalue > 0.01
    assert np.mean(p <= 0.05) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / len(p))


def test_null_p_values_are_uniform():
    for (method, _), p in p_values(150).items():
        check_uniform(p[:, 0], ties=method == "kendall")


@pytest.mark.slow
def test_null_p_values_are_uniform_over_many_runs():
    for (method, _), p in p_values(1000).items():
        check_uniform(p[:, 0], ties=method == "kendall")


@pytest.mark.slow
def test_false_discoveries_keep_to_the_nominal_rate():
    """With nothing to find, any discovery is a false one, so both rates are P(any discovery)."""
    for p in p_values(1000, n_metrics=12).values():
        for correct in (holm, benjamini_hochberg):
            any_found = np.mean([correct(row).min() <= 0.05 for row in p])
            assert any_found <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / len(p))


@pytest.mark.slow
def test_false_discoveries_among_true_ones_keep_to_the_nominal_rate():
    """Four metrics of twelve follow accuracy: the mean share of false ones among those found."""
    shares, families = [], []
    for seed in range(400):
        rng = np.random.default_rng([2, seed])
        xs, y = study(rng, 20, 12)
        xs[:4] += 1.5 * (y - y.mean(axis=1, keepdims=True))
        results = associate(xs, y, 5, 1, 999, random_state=seed, methods=("spearman",))
        p = np.array([result["spearman", "within level"].p for result in results])
        found = benjamini_hochberg(p) <= 0.05
        shares.append(found[4:].sum() / max(1, found.sum()))
        families.append((holm(p)[4:] <= 0.05).any())
        assert found[:4].any()
    assert np.mean(shares) <= 0.05 + 3 * np.std(shares) / 20
    assert np.mean(families) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 400)


def truth(x, y, method):
    """The correlations that many units have."""
    of = {"spearman": spearmanr, "kendall": kendalltau, "pearson": pearsonr}[method]
    within = np.mean([of(a, b).statistic for a, b in zip(x, y, strict=True)])
    if method == "kendall":  # no ties: every level has equally many pairs
        return {"within level": within, "level-adjusted": within}
    scores = [rankdata(z).reshape(z.shape) if method == "spearman" else z for z in (x, y)]
    residuals = [(s - s.mean(axis=1, keepdims=True)).ravel() for s in scores]
    return {"within level": within, "level-adjusted": pearsonr(*residuals).statistic}


@pytest.mark.slow
@pytest.mark.parametrize("n_units", [10, 47])
@pytest.mark.parametrize("shared", [0.0, 1.0])
def test_intervals_cover(n_units, shared):
    runs = 600
    (x,), y = study(np.random.default_rng(3), 20_000, 1, shared)
    true = {method: truth(x, y, method) for method in METHODS}
    covered = {(method, name): 0 for method in METHODS for name in TESTED}
    for seed in range(runs):
        xs, y = study(np.random.default_rng([4, seed]), n_units, 1, shared)
        (found,) = associate(xs, y, 5, n_boot=300, n_permutations=1, random_state=seed)
        for method, name in covered:
            result = found[method, name]
            covered[method, name] += result.low <= true[method][name] <= result.high
    assert set(ADJUSTMENTS) > set(TESTED)
    assert all(0.92 <= count / runs <= 0.98 for count in covered.values())


def confounded(rng, n_units, n_simple=1, strength=1.0, beyond=0.0):
    """Metric and accuracy both follow simple metrics, and beyond these correlate by so much."""
    simple = strength * paths(rng, n_units, n_simple)
    own = paths(rng, n_units, 2)
    own[1] = beyond * own[0] + np.sqrt(1 - beyond**2) * own[1]
    return np.concatenate([own + simple.sum(axis=0), simple])


def partial_p_values(runs, n_units, n_simple, strength=1.0, beyond=0.0, bent=None):
    p = []
    for seed in range(runs):
        tables = confounded(np.random.default_rng([5, seed]), n_units, n_simple, strength, beyond)
        tables = tables if bent is None else bent(tables)
        p.append(partial_p(tables, draws(n_units, 1, 199, seed)[1]))
    return np.array(p)


def saturating(tables):
    """Accuracies of twelve images, near 1 where the simple metrics are."""
    return np.stack([tables[0], np.rint(12 * norm.cdf(tables[1] / 2 + 1)), *tables[2:]])


# What bends the values, and how strongly simple metrics drive both: by 1, one of them makes half of
# the variance, by 3 nine tenths.
WORLDS = {
    "straight": (None, 1.0),
    "straight, strong": (None, 3.0),
    "saturating, strong": (saturating, 3.0),
    "log-normal": (np.exp, 1.0),
}


def test_what_ranks_leave_of_strong_simple_metrics_is_no_finding():
    # they make nine tenths and more of metric and accuracy: of ranks alone, two in three stand out
    p = partial_p_values(60, 20, 2, strength=3.0)
    assert np.mean(p <= 0.05) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 60)


@pytest.mark.slow
@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("n_simple", [1, 2])
@pytest.mark.parametrize("n_units", [10, 20])
def test_false_findings_beyond_simple_metrics_keep_to_the_nominal_rate(n_units, n_simple, world):
    bent, strength = WORLDS[world]
    p = partial_p_values(1000, n_units, n_simple, strength, bent=bent)
    assert np.mean(p <= 0.05) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 1000)


@pytest.mark.slow
@pytest.mark.parametrize("n_simple", [1, 2])
def test_findings_beyond_simple_metrics(n_simple):
    found = np.mean(partial_p_values(300, 20, n_simple, beyond=0.6) <= 0.05)
    assert found >= 0.8


@pytest.mark.slow
@pytest.mark.parametrize("n_units", [10, 47])
def test_partial_intervals_cover(n_units):
    runs, covered = 600, 0
    (true,) = partial_correlation(confounded(np.random.default_rng(6), 3000), np.ones((1, 3000)))
    for seed in range(runs):
        tables = confounded(np.random.default_rng([7, seed]), n_units)
        values = partial_correlation(tables, draws(n_units, 300, 1, seed)[0])
        low, high = bootstrap_interval(float(values[0]), values[1:], n_units, n_covariates=1)
        covered += low <= true <= high
    assert 0.92 <= covered / runs <= 0.98


@pytest.mark.slow
def test_p_values_of_prediction_are_uniform():
    p = []
    for seed in range(1000):
        x, y = np.random.default_rng([8, seed]).normal(size=(2, 10))
        p.append(_row(x, y, 199, random_state=seed)["p"])
    check_uniform(np.array(p))
