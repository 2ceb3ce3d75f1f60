import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import LeaveOneOut, cross_val_predict

from tdafeat.statistics import added_value, added_verdict, prediction, prediction_verdict
from tdafeat.statistics.prediction import left_out

PRIMARY = "probe_accuracy"


def table(n=14, effect=1.0, unit="class", noise="gaussian", seed=0):
    """Units whose clean loops foretell the drop by `effect`, and whose displacement is noise."""
    rng = np.random.default_rng(seed)
    loops, other = rng.normal(size=(2, n))
    accuracy = rng.normal(0.9, 0.01, n)
    drop = 0.2 + 0.05 * (effect * loops + 0.2 * rng.normal(size=n))
    rows = []
    for severity in (0, 1, 2):
        columns = {
            PRIMARY: accuracy - severity * drop / 1.5,
            "longest_bar_h1": loops + 0.01 * severity,
            "koleo": other,
            "total_variance": rng.normal(size=n),
            "nearest_neighbour_distance": rng.normal(size=n),
        }
        if severity:
            columns["displacement"] = rng.normal(size=n)
        for metric, values in columns.items():
            for k, value in enumerate(values):
                where = {"encoder": "one", "scope": f"class {k}"}
                if unit == "encoder":
                    where = {"encoder": f"encoder {k}", "scope": "all"}
                cell = {"dataset": "d", "layer": "l", "noise": noise, "severity": severity}
                rows.append(cell | where | {"metric": metric, "value": value})
    return pd.DataFrame(rows)


def test_left_out_agrees_with_refitting():
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(12, 2)), rng.normal(size=12)
    refitted = cross_val_predict(LinearRegression(), x, y, cv=LeaveOneOut())
    np.testing.assert_allclose(left_out(x, y), refitted)
    np.testing.assert_allclose(left_out(None, y), (y.sum() - y) / 11)
    alone = np.r_[np.zeros(11), 1.0][:, None]  # the last unit alone decides the slope
    assert np.isnan(left_out(alone, y)).tolist() == [False] * 11 + [True]
    # the mean of twelve 0.7 is not quite 0.7; what is left is no second constant
    np.testing.assert_allclose(left_out(np.full((12, 1), 0.7), y), left_out(None, y))
    # a power of two rounds nothing, and in these units squares overflow or vanish
    for scale in (2.0**600, 2.0**-600):
        np.testing.assert_array_equal(left_out(scale * x, y), left_out(x, y))


@pytest.mark.parametrize(("unit", "a"), [("class", "a class"), ("encoder", "an encoder")])
def test_a_planted_drop_is_foretold_and_noise_is_not(unit, a):
    found = prediction(table(unit=unit), PRIMARY, unit, n_permutations=999).set_index("metric")
    assert found.loc["longest_bar_h1", "r2"] > 0.8
    assert found.loc["longest_bar_h1", "p_holm"] == pytest.approx(0.004)  # four were tested
    assert found.loc["longest_bar_h1", "error"] < 0.5 * found.loc["longest_bar_h1", "error_of_mean"]
    assert found.loc["koleo", "p"] > 0.05
    assert "displacement" not in found.index  # it needs noisy features
    assert np.isnan(found.loc[PRIMARY, "p_holm"])
    assert found.loc[PRIMARY, "p"] > 0
    (text,) = prediction_verdict(found.reset_index(), PRIMARY)
    assert (
        f"1 of 4 metrics, measured on clean features alone, foretells what noise costs {a}" in text
    )
    assert "Clean accuracy itself" in text


def test_no_evidence_and_not_estimable_say_so():
    nothing = prediction(table(effect=0, seed=1), PRIMARY, n_permutations=199)
    assert "no evidence" in prediction_verdict(nothing, PRIMARY)[0]
    few = prediction(table(n=4), PRIMARY)
    assert few["status"].str.contains("4 with finite values, at least 5 needed").all()
    assert "not estimable: 4 with finite values" in prediction_verdict(few, PRIMARY)[0]
    assert prediction(table().query("severity == 0"), PRIMARY).empty
    assert prediction(table(noise="training"), PRIMARY).empty
    assert prediction_verdict(prediction(table(noise="training"), PRIMARY), PRIMARY) == []


def test_an_infinite_value_takes_its_unit_out_and_half_levels_count():
    rows = table()
    here = (rows["metric"] == "longest_bar_h1") & (rows["scope"] == "class 3")
    infinite, left = (
        prediction(part, PRIMARY, n_permutations=99).set_index("metric").loc["longest_bar_h1"]
        for part in (rows.assign(value=rows["value"].mask(here, np.inf)), rows[~here])
    )
    pd.testing.assert_series_equal(infinite, left)
    assert infinite["n"] == 13
    halves = prediction(rows.assign(severity=rows["severity"] / 2), PRIMARY, n_permutations=99)
    pd.testing.assert_frame_equal(halves, prediction(rows, PRIMARY, n_permutations=99))
    added = added_value(
        rows.assign(value=rows["value"].mask(here, np.inf)), PRIMARY, n_boot=100, n_permutations=99
    )
    assert (added["n"] == 13).all()
    assert (added["status"] == "ok").all()


def test_what_topology_adds_to_displacement_and_what_repeats_it():
    rows = table()
    found = added_value(rows, PRIMARY, n_boot=200, n_permutations=999)
    assert found["beyond"].tolist() == ["displacement", "spread"]
    assert (found["value"] < -0.5).all()  # more loops, a larger drop
    assert (found["p_holm"] < 0.05).all()
    assert (found["r2_both"] > found["r2_beyond"] + 0.5).all()
    assert (found["low"] < found["value"]).all()
    # The same metric under another name leaves nothing.
    loops = rows[(rows["metric"] == "longest_bar_h1") & (rows["severity"] > 0)]
    rest = rows[rows["metric"] != "displacement"]
    same = pd.concat([rest, loops.assign(metric="displacement")])
    repeated = added_value(same, PRIMARY, n_boot=200, n_permutations=99).iloc[0]
    assert "nothing is left" in repeated["status"]
    text = " ".join(added_verdict(found, PRIMARY))
    assert "Beyond displacement, the one metric of topology still goes" in text
    nothing = added_value(table(effect=0, seed=1), PRIMARY, n_boot=200, n_permutations=99)
    assert "no evidence that topology adds" in added_verdict(nothing, PRIMARY)[0]


def test_a_metric_of_clean_images_alone_predicts_no_drop_by_its_noisy_levels():
    rows = table()
    noisy = (rows["metric"] == "longest_bar_h1") & (rows["severity"] > 0)
    clean = rows.assign(value=rows["value"].mask(noisy))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = added_value(clean, PRIMARY, beyond={"spread": ["total_variance"]}, n_boot=100)
    assert found["status"].tolist() == ["ok"]
    assert found[["r2_beyond", "r2_both"]].isna().all(axis=None)


def test_a_level_at_which_the_metric_is_constant_shares_nothing():
    rows = table()
    constant = (rows["metric"] == "longest_bar_h1") & (rows["severity"] == 2)
    alone = rows[rows["severity"] < 2]
    kept, left = (
        added_value(part, PRIMARY, n_boot=200, n_permutations=99).set_index("beyond")
        for part in (rows.assign(value=rows["value"].mask(constant, 1.0)), alone)
    )
    assert kept.loc["displacement", "shared"] == pytest.approx(left.loc["displacement", "shared"])


def test_too_few_units_for_the_simple_metrics():
    found = added_value(table(n=5), PRIMARY, n_boot=200, n_permutations=99).set_index("beyond")
    assert found["status"].str.contains("5 with finite values, at least 6 needed").all()


@pytest.mark.parametrize(
    "simple",
    [(), "displacement", ("koleo", "koleo"), ("displacement", "koleo", "total_variance")],
)
def test_simple_metrics_are_one_or_two(simple):
    with pytest.raises(ValueError, match="beyond must hold one or two names of metrics for 'set'"):
        added_value(table(), PRIMARY, beyond={"set": simple})


@pytest.mark.parametrize("named", [{"of": ["bottleneck_h9"]}, {"beyond": {"set": ["size"]}}])
def test_what_is_asked_for_must_be_in_the_table(named):
    with pytest.raises(ValueError, match="it has no '(bottleneck_h9|size)'"):
        added_value(table(), PRIMARY, **named)


def test_metrics_are_named_in_a_list():
    with pytest.raises(ValueError, match="of must be a list of names of metrics; got 'koleo'"):
        added_value(table(), PRIMARY, of="koleo")


def test_what_topology_adds_to_two_simple_metrics():
    both = {"both": ("displacement", "total_variance")}
    (found,) = added_value(
        table(), PRIMARY, beyond=both, n_boot=100, n_permutations=99
    ).itertuples()
    assert found.value < -0.5
    assert found.p == 0.01
