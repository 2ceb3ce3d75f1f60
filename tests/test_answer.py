import numpy as np
import pandas as pd
import pytest

from tdafeat.answer import answer
from tdafeat.statistics import associations

CLASSES = [f"c{k}" for k in range(12)]


def tables(clean=0.9, worst=0.4, topology=1.0, encoder="one"):
    """A run in which `topology` says how closely the longest bar follows class accuracy."""
    rng = np.random.default_rng(0)
    skill = np.linspace(-0.05, 0.05, len(CLASSES))
    noise = rng.permutation(skill)
    rows = []
    for severity, accuracy in ((0, clean), (1, worst)):
        cell = {"dataset": "d", "encoder": encoder, "layer": "l", "noise": "g"}
        cell |= {"severity": severity, "seed": 0}
        rows.append(
            {**cell, "scope": "all", "metric": "probe_accuracy", "value": accuracy}
            | {"low": accuracy - 0.02, "high": accuracy + 0.02}
        )
        for name, own, other in zip(CLASSES, skill, noise, strict=True):
            bar = topology * own + (1 - topology) * other - severity
            for metric, value in (("probe_accuracy", accuracy + own), ("longest_bar_h1", bar)):
                rows.append({**cell, "scope": name, "metric": metric, "value": value})
    table = pd.DataFrame(rows)
    return table, associations(table, "probe_accuracy", n_permutations=999)


def robust(encoder="one", kept=0.5, half=1.25, method="probe", seed=0):
    cell = {"encoder": encoder, "layer": "l", "method": method, "scope": "all", "seed": seed}
    summaries = {"accuracy_area": 0.65, "relative_accuracy": kept, "half_severity": half}
    return pd.DataFrame(
        {**cell, "summary": name, "value": value, "low": 0.9 * value, "high": 1.1 * value}
        for name, value in summaries.items()
    )


def test_robustness_is_told_with_its_intervals():
    table = pd.concat([robust(), robust(method="knn", kept=0.1), robust(seed=1, kept=0.3)])
    text = answer(*tables(), "probe_accuracy", robustness=table)[0]
    assert text == (
        "Linear probe accuracy, from clean images to the strongest noise: one 90 [88, 92] to "
        "40 [38, 42] % (65 [59, 72] % on average over the levels, under noise 40 [36, 44] % of "
        "clean; excess over chance halved at severity 1.2 [1.1, 1.4])."
    )
    text = answer(*tables(), "probe_accuracy", robustness=robust(half=np.inf))[0]
    assert "no level halves its excess over chance" in text
    text = answer(*tables(clean=0.09, worst=0.08), "probe_accuracy", robustness=table)[0]
    assert "over the levels" not in text


@pytest.mark.parametrize("kept", [{"b": 0.7, "c": 0.2}, {"a": 0.5, "b": 0.7, "c": 0.2, "d": 0.4}])
def test_of_several_spaces_the_most_and_the_least_robust_are_told(kept):
    several = [tables(encoder=name) for name in kept]
    both = [pd.concat(pair, ignore_index=True) for pair in zip(*several, strict=True)]
    table = pd.concat(robust(name, share) for name, share in kept.items())
    text = answer(*both, "probe_accuracy", robustness=table)[0]
    assert text.endswith(
        "; under noise b keeps most of its clean accuracy, 70 [63, 77] %, and c keeps least of its "
        "clean accuracy, 20 [18, 22] %."
    )


def test_a_planted_relation_is_told_with_its_size():
    accuracy, topology, pooling, change = answer(*tables(), "probe_accuracy")
    assert "one 90 [88, 92] to 40 [38, 42] %" in accuracy
    assert "go with linear probe accuracy in one (1 of 1" in topology
    assert "rho +1.00" in topology
    assert "Pool" in pooling
    assert "more encoders" in change
    assert "1 was measured" in change


def test_no_relation_is_no_evidence():
    text = answer(*tables(topology=0.0), "probe_accuracy")
    assert "no evidence" in text[1]
    assert "metrics look stronger" in text[2]
    assert "more classes" in text[3]
    assert "and 12 were measured" in text[3]
    metrics, associations = tables(topology=0.0)
    zero = answer(metrics, associations.assign(value=0.0), "probe_accuracy")
    assert "would take more than any data set has of them" in zero[3]


def test_a_classifier_at_chance_is_named():
    text = answer(*tables(clean=0.09, worst=0.08), "probe_accuracy")
    assert "one is not clearly above chance" in text[0]
    assert not any("topological" in sentence for sentence in text)
    assert text[-1] == "What would change it: an encoder that knows these classes when clean."


def test_of_two_classes_chance_is_a_half():
    metrics, associations = tables()
    two = metrics[metrics["scope"].isin(["all", *CLASSES[:2]])]
    assert "chance" not in answer(two, associations, "probe_accuracy")[0]
    two = two.assign(value=two["value"] - 0.2)
    assert "not clearly above chance" in answer(two, associations, "probe_accuracy")[0]


def test_encoders_are_told_apart():
    first, second = tables(), tables(topology=0.0, encoder="two")
    both = [pd.concat(pair, ignore_index=True) for pair in zip(first, second, strict=True)]
    text = answer(*both, "probe_accuracy")
    assert "one 90 [88, 92] to 40 [38, 42] % and two 90 [88, 92] to 40 [38, 42] %" in text[0]
    assert "no evidence of it in two" in text[1]


def test_of_many_encoders_without_evidence_only_the_strongest_relation_is_told():
    planted = [tables(topology=share, encoder=f"e{share}") for share in (0.0, 0.1, 0.3, 0.2)]
    text = answer(*map(pd.concat, zip(*planted, strict=True)), "probe_accuracy")[1]
    assert "in e0.0, e0.1, e0.3 and e0.2 (strongest, in e0.3: " in text
    assert text.count("rho") == 1


@pytest.mark.parametrize("n_classes", [2, 4])
def test_too_few_classes_say_so(n_classes):
    table, _ = tables()
    few = table[table["scope"].isin(["all", *CLASSES[:n_classes]])]
    text = answer(few, associations(few, "probe_accuracy"), "probe_accuracy")
    assert text[1] == "No class-wise relation could be estimated."
    assert f"at least 5 classes with noise that tells them apart; {n_classes} were" in text[2]


@pytest.mark.parametrize("p", [0.01, 0.5])
def test_what_topology_adds_to_displacement_takes_the_third_sentence(p):
    row = {"encoder": "one", "beyond": "displacement", "scope_unit": "class", "p_holm": p}
    row |= {"metric": "longest_bar_h1", "value": 0.6, "low": 0.2, "high": 0.8}
    text = answer(*tables(), "probe_accuracy", added=pd.DataFrame([row]))
    assert len(text) == 4
    assert ("no evidence that topology adds" in text[2]) == (p > 0.05)
    assert "H1 longest bar, rho +0.60 [+0.20, +0.80]" in text[2]
