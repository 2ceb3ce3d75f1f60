import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from tdafeat.statistics import associations, detectable_correlation, per_class, verdict

PRIMARY = "probe_accuracy"


def metric_table(n_classes=12, n_levels=3, encoders=("a", "b"), effect=0.0, seeds=(0,), seed=0):
    """A run's metric table: one planted metric, one of noise, and one that follows the level."""
    rng = np.random.default_rng(seed)
    rows = []
    for encoder in encoders:
        ease = rng.normal(size=n_classes)
        for severity in range(n_levels):
            for noise_seed in seeds:
                cell = {
                    "dataset": "textures",
                    "encoder": encoder,
                    "layer": "cls",
                    "noise": "gaussian",
                    "severity": severity,
                    "seed": noise_seed,
                }
                noise = rng.normal(size=(4, n_classes))
                columns = {
                    PRIMARY: ease - severity + 0.2 * noise[0],
                    "koleo": effect * ease + noise[1],
                    "rankme": noise[2] + 3 * severity,
                    "displacement": noise[3] * (severity > 0),
                }
                for metric, values in columns.items():
                    rows += [
                        cell | {"scope": f"class {c}", "metric": metric, "value": v}
                        for c, v in enumerate(values)
                    ]
                    rows.append(cell | {"scope": "all", "metric": metric, "value": values.mean()})
    return pd.DataFrame(rows)


def row(table, metric, adjustment="within level", encoder="a", method="spearman"):
    same = "metric == @metric and adjustment == @adjustment and encoder == @encoder"
    chosen = table.query(f"{same} and method == @method")
    assert len(chosen) == 1
    return chosen.iloc[0]


def test_one_row_per_encoder_metric_method_and_adjustment():
    found = associations(metric_table(), PRIMARY, n_boot=100, n_permutations=99)
    assert len(found) == 2 * 3 * 3 * 3
    assert set(found["encoder"]) == {"a", "b"}
    assert (found["n"] == 12).all()
    assert (found["scope_unit"] == "class").all()
    assert not found["value"].isna().any()


def test_value_is_the_mean_of_the_levels_spearman():
    table = metric_table(effect=1)
    found = row(associations(table, PRIMARY, n_boot=100, n_permutations=99), "koleo")
    classes = table.query("scope != 'all' and encoder == 'a'")
    wide = classes.pivot_table(index=["severity", "scope"], columns="metric", values="value")
    expected = [
        spearmanr(level["koleo"], level[PRIMARY]).statistic for _, level in wide.groupby("severity")
    ]
    assert found["value"] == pytest.approx(np.mean(expected))


def test_metrics_compared_with_clean_are_read_under_noise_only():
    table = metric_table()
    without = table[(table["metric"] != "displacement") | (table["severity"] > 0)]
    results = [
        associations(t, PRIMARY, n_boot=100, n_permutations=99).query("metric == 'displacement'")
        for t in (table, without)
    ]
    pd.testing.assert_frame_equal(*results)


def test_seeds_are_averaged_before_anything_else():
    table = metric_table(seeds=(0, 1, 2))
    keys = [c for c in table if c not in ("seed", "value")]
    mean = table.groupby(keys, sort=False, as_index=False)["value"].mean().assign(seed=0)
    arguments = {"primary": PRIMARY, "n_boot": 100, "n_permutations": 99}
    several, averaged = associations(table, **arguments), associations(mean, **arguments)
    seeds = ["n_seeds", "seed_sd"]
    pd.testing.assert_frame_equal(several.drop(columns=seeds), averaged.drop(columns=seeds))
    assert (several["n_seeds"] == 3).all()
    assert averaged["seed_sd"].isna().all()


@pytest.mark.parametrize("method", ["spearman", "kendall", "pearson"])
def test_the_spread_between_seeds_is_that_of_the_correlations_at_each(method):
    table = metric_table(seeds=(0, 1, 2))
    arguments = {"primary": PRIMARY, "n_boot": 100, "n_permutations": 99}
    alone = [
        row(associations(part, **arguments), "koleo", method=method)["value"]
        for _, part in table.groupby("seed")
    ]
    together = row(associations(table, **arguments), "koleo", method=method)
    assert together["seed_sd"] == pytest.approx(np.std(alone, ddof=1))
    assert "from seed to seed" in verdict(associations(table, **arguments), PRIMARY)[0]


def test_rows_in_any_order_and_other_metrics_change_no_interval():
    table = metric_table(effect=1)
    fewer = table[table["metric"].isin([PRIMARY, "koleo"])]
    arguments = {"primary": PRIMARY, "n_boot": 100, "n_permutations": 99}
    whole = row(associations(table, **arguments), "koleo")
    alone = row(associations(fewer, **arguments), "koleo")
    assert whole["low"] == alone["low"]
    assert whole["p"] == alone["p"]


def test_other_accuracies_are_not_metrics_but_unregistered_names_are():
    table = metric_table()
    extra = table[table["metric"] == "koleo"]
    table = pd.concat([table, extra.assign(metric="knn_accuracy"), extra.assign(metric="mine")])
    found = associations(table, PRIMARY, n_boot=100, n_permutations=99)
    assert "mine" in set(found["metric"])
    assert not {"knn_accuracy", PRIMARY} & set(found["metric"])


def test_classes_with_a_gap_are_left_out():
    table = metric_table()
    gap = (table["metric"] == "koleo") & (table["scope"] == "class 3") & (table["severity"] == 1)
    table.loc[gap, "value"] = np.nan
    found = associations(table, PRIMARY, n_boot=100, n_permutations=99)
    assert row(found, "koleo")["n"] == 11
    assert row(found, "rankme")["n"] == 12


def test_an_infinite_value_is_as_one_that_is_missing():
    """As the bottleneck distance of diagrams with unequally many essential bars is."""
    table = metric_table()
    here = (table["metric"] == "koleo") & (table["scope"] == "class 3") & (table["severity"] == 1)
    infinite, missing = (
        associations(
            table.assign(value=table["value"].mask(here, value)),
            PRIMARY,
            n_boot=100,
            n_permutations=99,
        )
        for value in (np.inf, np.nan)
    )
    pd.testing.assert_frame_equal(infinite, missing)
    assert row(infinite, "koleo")["n"] == 11
    of_objects = table.assign(value=table["value"].astype(object).mask(here, None))
    none = associations(of_objects, PRIMARY, n_boot=100, n_permutations=99)
    pd.testing.assert_frame_equal(none, missing)
    everywhere = table.assign(value=table["value"].mask(table["metric"] == "koleo", -np.inf))
    found = associations(everywhere, PRIMARY, n_boot=100, n_permutations=99)
    assert "finite values at no common level" in row(found, "koleo")["status"]
    assert row(found, "rankme")["status"] == "ok"


def test_levels_need_not_be_whole():
    table = metric_table(effect=1)
    arguments = {"primary": PRIMARY, "n_boot": 100, "n_permutations": 99}
    halves = associations(table.assign(severity=table["severity"] / 2), **arguments)
    pd.testing.assert_frame_equal(halves, associations(table, **arguments))


def test_holm_is_over_the_metrics_of_an_encoder_and_adjustment():
    found = associations(metric_table(effect=3), PRIMARY, n_boot=100, n_permutations=999)
    planted = row(found, "koleo")
    assert planted["p"] == pytest.approx(0.001)
    assert planted["p_holm"] == pytest.approx(3 * planted["p"])
    assert planted["p_bh"] == pytest.approx(3 * planted["p"])  # the smallest of three
    assert planted["p"] <= planted["p_bh"] <= planted["p_holm"]
    assert planted["detectable"] == detectable_correlation(12, 3)
    assert np.isnan(row(found, "koleo", "pooled")["p_holm"])


def test_too_few_classes_and_an_encoder_without_the_accuracy():
    few = associations(metric_table(n_classes=4), PRIMARY)
    assert few["value"].isna().all()
    assert few["status"].str.contains("4 with finite values, at least 5").all()
    table = metric_table()
    table = table[(table["encoder"] == "a") | (table["metric"] != PRIMARY)]
    found = associations(table, PRIMARY, n_boot=100, n_permutations=99)
    assert found.query("encoder == 'b'")["status"].str.startswith("not estimable").all()
    assert found.query("encoder == 'a'")["value"].notna().all()


def test_the_encoder_as_unit():
    table = metric_table(encoders=tuple("abcdef"), effect=2)
    found = associations(table, PRIMARY, unit="encoder", n_boot=200, n_permutations=99)
    assert len(found) == 3 * 9
    assert (found["n"] == 6).all()
    assert (found["encoder"] == "all").all()
    few = associations(metric_table(), PRIMARY, unit="encoder")
    assert few["status"].str.contains("2 with finite values, at least 4").all()


def test_a_run_without_classes_has_an_empty_table_and_a_verdict():
    found = associations(metric_table().query("scope == 'all'"), PRIMARY)
    assert found.empty
    assert "p_holm" in found
    assert "Nothing was measured per class" in verdict(found, PRIMARY)[0]


def test_refusals():
    table = metric_table()
    with pytest.raises(ValueError, match="'top5' is not in the metric table"):
        associations(table, "top5")
    with pytest.raises(ValueError, match=r"missing: \['severity'\]"):
        associations(table.drop(columns="severity"), PRIMARY)
    with pytest.raises(ValueError, match="unit must be"):
        associations(table, PRIMARY, unit="row")
    for name, least in (("n_boot", 0), ("n_permutations", 1), ("random_state", 0)):
        with pytest.raises(ValueError, match=f"{name} must be at least {least}; got {least - 1}"):
            associations(table, PRIMARY, **{name: least - 1})
    with pytest.raises(ValueError, match="severities of at least 0, which is clean; got -1"):
        associations(table.assign(severity=-1), PRIMARY)
    with pytest.raises(TypeError, match="hold numbers in the column 'severity'"):
        associations(table.assign(severity="mild"), PRIMARY)
    with pytest.raises(ValueError, match="alpha must lie between 0 and 1; got 5"):
        verdict(pd.DataFrame(), PRIMARY, alpha=5)


def test_pairs_per_class_are_row_means_of_the_symmetric_matrix():
    matrix = np.random.default_rng(0).uniform(size=(5, 5))
    matrix = matrix + matrix.T
    first, second = np.triu_indices(5, k=1)
    pairs = pd.DataFrame({"scope": first, "scope_b": second, "value": matrix[first, second]})
    found = per_class(pairs.assign(metric="class_angle_mean", severity=1)).set_index("scope")
    off_diagonal = matrix.sum(axis=1) - np.diag(matrix)
    np.testing.assert_allclose(found.loc[range(5), "value"], off_diagonal / 4)
    assert (found["severity"] == 1).all()


def test_verdict_names_what_was_found_with_its_size():
    found = associations(metric_table(effect=3, n_classes=30), PRIMARY, n_boot=200)
    text = "\n".join(verdict(found, PRIMARY))
    assert "a (cls) on textures, gaussian: at a fixed noise level, 1 of 3 metrics goes with" in text
    planted = row(found, "koleo")
    assert f"KoLeo (rho {planted['value']:+.2f}, 95 % interval {planted['low']:+.2f} to" in text
    assert "topological" not in text  # none was measured
    assert "Across encoders nothing is estimable: 2 measured" in text


def test_verdict_counts_the_topological_metrics():
    from tdafeat.record import metrics

    name = next(name for name, record in metrics.items() if record.room == "topology")
    table = metric_table(effect=3, n_classes=30)
    for renamed, expected in (("koleo", "1 of them topological"), ("rankme", "none of them")):
        found = associations(table.replace({"metric": {renamed: name}}), PRIMARY, n_boot=100)
        assert expected in verdict(found, PRIMARY)[0]


def test_verdict_says_no_evidence_and_warns_of_pooling():
    found = associations(metric_table(n_levels=4, seed=5), PRIMARY, n_boot=100, n_permutations=199)
    text = "\n".join(verdict(found, PRIMARY))
    assert "no evidence that any of 3 metrics goes with linear probe accuracy" in text
    assert "Pooling the noise levels makes metrics look stronger" in text


def test_verdict_of_what_cannot_be_estimated():
    found = associations(metric_table(n_classes=3), PRIMARY)
    assert "not estimable: 3 with finite values" in verdict(found, PRIMARY)[0]
    assert "Nothing was measured per class" in verdict(pd.DataFrame(), PRIMARY)[0]
