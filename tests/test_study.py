"""A whole study over features of known shape: six classes whose spread grows with severity."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from tdafeat import FeatureSet, Levels, Study
from tdafeat.errors import Unpaired
from tdafeat.evaluation import reliability, robustness

CLASSES = tuple("abcdef")
PER_CLASS = 24
NAMED = {"one": 0, "two": 1}


def levels(seed=0, ids=None, spreads=(0.3, 0.6, 1.2)):
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(CLASSES)), PER_CLASS)
    centres = rng.normal(size=(len(CLASSES), 8))
    base = rng.normal(size=(len(labels), 8))
    names = ids or tuple(f"image-{i}" for i in range(len(labels)))
    sets = [FeatureSet(centres[labels] + s * base, names, labels, CLASSES) for s in spreads]
    return Levels(sets[0], dict(enumerate(sets[1:], start=1)))


def study(**changes):
    declared = Study(
        name="known",
        question="Is it known?",
        features={name: levels(seed) for name, seed in NAMED.items()},
        projections=("pca",),
    )
    return replace(declared, **changes)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("study")


@pytest.fixture(scope="module")
def run(place):
    return study().run(place / "run", store=place / "store", jobs=2, quiet=True)


def test_every_table_is_there(run):
    assert run.manifest["holes"] == []
    for name in ("metrics", "pairs", "diagrams", "spectra", "projections", "predictions"):
        table = getattr(run, name)
        assert set(table["encoder"]) == {"one", "two"}, name
        assert set(table["severity"]) == {0, 1, 2}, name
    assert set(run.associations["encoder"]) >= {"one", "two"}


def test_a_second_map_shows_some_classes_spread_over_the_list(run, place):
    with_few = study(n_mapped_classes=3).run(place / "few", store=place / "store", quiet=True)
    maps = with_few.projections
    whole, few = maps[maps["subset"] == ""], maps[maps["subset"] == "3 of 6 classes"]
    assert len(whole) + len(few) == len(maps)
    assert set(few["label"]) == {"a", "c", "f"}  # places 0, 2 (2.5, rounded to even) and 5
    at = ["encoder", "severity", "image"]
    same = whole.merge(few, on=at, suffixes=("", "_few"))
    assert len(same) == len(few)  # the same images ...
    assert not np.allclose(same["x"], same["x_few"])  # ... fitted on their own
    assert set(run.projections["subset"]) == {""}
    enough = study(n_mapped_classes=6).run(place / "enough", store=place / "store", quiet=True)
    assert set(enough.projections["subset"]) == {""}  # there are no more


def test_whole_clouds_have_a_confidence_band(run):
    whole = run.records[run.records["scope"] == "all"]
    assert len(whole) == 6
    assert (whole["points"] == len(CLASSES) * PER_CLASS // 2).all()  # the other half is trained on
    assert (whole["band_h0"] > 0).all()
    assert whole["band_h1"].notna().all()  # inf where samples lose the longest loop
    assert run.records.loc[run.records["scope"] != "all", "band_h0"].isna().all()


def test_metrics_cover_all_rooms_scopes_and_levels(run):
    from tdafeat.record import metrics

    rooms = {metrics[name].room for name in run.metrics["metric"].unique()}
    assert rooms == {"topology", "geometry", "evaluation"}
    assert set(run.metrics["scope"]) == {"all", *CLASSES}
    keys = ["encoder", "severity", "seed", "scope", "metric"]
    assert not run.metrics.duplicated(keys).any()


def test_the_linear_head_of_the_probe_reaches_the_metrics_that_need_one(run):
    whole = run.metrics[run.metrics["scope"] == "all"]
    duality = whole[whole["metric"] == "probe_nc3"]
    assert len(duality) == 6
    assert ((duality["value"] > 0) & (duality["value"] < 2)).all()
    agreement = whole[whole["metric"] == "probe_nc4"].groupby("severity")["value"].mean()
    assert agreement[0] > agreement[2] > 1 / len(CLASSES)


def test_notes_stand_beside_angles_and_fits(run):
    angles = run.pairs[run.pairs["metric"] == "class_angle_mean"]
    assert set(angles["params"]) == {"4 principal directions per class in 8 dimensions"}
    fits = run.metrics[run.metrics["metric"] == "power_law_exponent"]
    assert fits["params"].str.fullmatch(r"fitted to ranks 1 to \d+").all()
    assert (run.metrics.loc[run.metrics["metric"] == "koleo", "params"] == "").all()


def test_predictions_say_how_sure_they_are_and_where_the_truth_came(run):
    said = run.predictions
    assert ((said["rank"] == 1) == (said["label"] == said["prediction"])).all()
    assert ((said["margin"] > 0) <= (said["rank"] == 1)).all()
    probable = said["method"].isin(["probe", "knn"])
    assert (said.loc[probable, "confidence"] == said.loc[probable, "score"]).all()
    assert said.loc[~probable, "confidence"].isna().all()
    clean = said.query("encoder == 'one' and severity == 0 and method == 'probe'")
    bins = reliability(clean["confidence"], clean["rank"] == 1)
    error = (bins["n"] * (bins["accuracy"] - bins["confidence"]).abs()).sum() / len(clean)
    kept = "encoder == 'one' and severity == 0 and scope == 'all' and metric == "
    assert run.metrics.query(f"{kept}'probe_ece'")["value"].item() == pytest.approx(error)
    top5 = run.metrics.query(f"{kept}'probe_top5'")["value"].item()
    assert top5 == (clean["rank"] <= 5).mean()


def test_robustness_is_that_of_the_predictions_with_all_levels_of_an_image_together(run):
    table = run.robustness
    assert set(table["method"]) == {"probe", "knn", "class_mean"}
    assert set(table["scope"]) == {"all", *CLASSES}
    said = run.predictions.query("encoder == 'two' and method == 'knn'")
    right = said.assign(right=said["label"] == said["prediction"])
    wide = right.pivot_table(index=["label", "image"], columns="severity", values="right")
    images = wide.index.get_level_values("image")
    expected = robustness(wide.to_numpy(), [0, 1, 2], chance=1 / 6, images=images)
    own = table.query("encoder == 'two' and method == 'knn' and scope == 'all'")
    assert set(own["summary"]) == set(expected)
    for row in own.itertuples():
        estimate = expected[row.summary]
        assert (row.value, row.low, row.high) == (estimate.value, estimate.low, estimate.high)
        assert row.n == len(CLASSES) * PER_CLASS // 2


def test_a_nan_has_a_reason_and_a_value_has_none(run):
    missing = run.metrics["value"].isna()
    assert (run.metrics.loc[~missing, "status"] == "ok").all()
    assert (run.metrics.loc[missing, "status"] != "ok").all()


def test_encoders_are_compared_with_each_other_at_every_level(run):
    table = run.similarities
    assert set(zip(table["encoder"], table["encoder_b"], strict=True)) == {("one", "two")}
    assert set(table["severity"]) == {0, 1, 2}
    assert set(table["metric"]) == {
        *("linear_cka", "procrustes", "representational_similarity", "mutual_neighbours"),
        "topology_divergence",
    }
    assert (table["status"] == "ok").all()
    assert (table["n"] == len(CLASSES) * PER_CLASS // 2).all()
    # what the two share are the classes, in the same places for every image of one
    cka = table[table["metric"] == "linear_cka"].set_index("severity")["value"]
    assert cka[0] > cka[2]


def test_a_collapse_stands_in_the_notes_with_its_evidence(place, run):
    points = levels(0, spreads=(0.01, 0.6, 1.2))
    found = study(features={"one": points}).run(place / "points", store=place / "s3", quiet=True)
    told = [note for note in found.manifest["notes"] if "collapse" in note]
    assert len(told) == 1
    assert told[0].startswith("Features of one: class collapse (effective rank ")
    assert not any("collapse" in note for note in run.manifest["notes"])


def test_encoders_of_other_images_are_not_compared(place):
    other = levels(1, ids=tuple(f"other-{i}" for i in range(len(CLASSES) * PER_CLASS)))
    spaces = {"one": levels(0), "two": other}
    apart = study(features=spaces).run(place / "apart", store=place / "store", quiet=True)
    assert apart.manifest["holes"] == []
    assert apart.similarities.empty


def test_images_are_paired_by_name_between_encoders(place, run):
    order = np.random.default_rng(3).permutation(len(CLASSES) * PER_CLASS)
    mixed = levels(1)
    sets = [mixed.clean, *mixed.noisy.values()]
    clean, *noisy = (cloud.take(order) for cloud in sets)
    spaces = {"one": levels(0), "two": Levels(clean, dict(enumerate(noisy, start=1)))}
    again = study(features=spaces).run(place / "mixed", store=place / "store-mixed", quiet=True)
    keys = ["severity", "metric"]
    before, after = (r.similarities.set_index(keys)["value"] for r in (run, again))
    pd.testing.assert_series_equal(after, before, rtol=1e-5)


def test_comparisons_with_clean_start_at_the_first_noise_level(run):
    table = run.metrics[run.metrics["metric"] == "wasserstein_h0"]
    assert set(table["severity"]) == {1, 2}


def test_more_spread_is_seen_everywhere(run):
    whole = run.metrics[run.metrics["scope"] == "all"]
    by_level = whole.pivot_table(index="severity", columns="metric", values="value")
    assert by_level["probe_accuracy"].is_monotonic_decreasing
    assert by_level["displacement"].dropna().is_monotonic_increasing
    assert by_level["wasserstein_h0"].dropna().is_monotonic_increasing


def test_half_of_each_class_is_measured_when_no_train_set_is_given(run):
    clean = run.predictions.query("encoder == 'one' and severity == 0 and method == 'probe'")
    assert clean["label"].value_counts().to_dict() == dict.fromkeys(CLASSES, PER_CLASS // 2)


def test_a_second_run_computes_nothing_and_gives_the_same(run, place, monkeypatch):
    def never(*_, **__):
        raise AssertionError("computed again")

    monkeypatch.setattr("tdafeat.tasks._run", never)
    again = study().run(place / "again", store=place / "store", quiet=True)
    pd.testing.assert_frame_equal(again.metrics, run.metrics)
    pd.testing.assert_frame_equal(again.associations, run.associations)


def test_the_number_of_jobs_does_not_change_a_bit(run, place):
    alone = study().run(place / "alone", store=place / "store-alone", quiet=True)
    tables = ("metrics", "pairs", "diagrams", "spectra", "predictions", "projections")
    for name in (*tables, "similarities"):
        pd.testing.assert_frame_equal(getattr(alone, name), getattr(run, name), check_exact=True)


def test_one_more_encoder_costs_only_its_own_cells(run, place, monkeypatch):
    from tdafeat import tasks

    computed = []
    original = tasks._run
    monkeypatch.setattr(
        tasks, "_run", lambda task, *rest: (computed.append(task), original(task, *rest))[1]
    )
    wider = {"one": levels(0), "two": levels(1), "three": levels(2)}
    study(features=wider).run(place / "wider", store=place / "store", quiet=True)
    over_all = ("similarity", "statistics")
    measured = [task.label["encoder"] for task in computed if task.stage not in over_all]
    assert set(measured) == {"three"}
    compared = [task.arguments["names"] for task in computed if task.stage == "similarity"]
    assert compared == [("one", "three"), ("two", "three")]


def test_one_more_level_costs_only_its_own_cells(run, place, monkeypatch):
    from tdafeat import tasks

    computed = []
    original = tasks._run
    monkeypatch.setattr(
        tasks, "_run", lambda task, *rest: (computed.append(task), original(task, *rest))[1]
    )
    more = {name: levels(seed, spreads=(0.3, 0.6, 1.2, 2.4)) for name, seed in NAMED.items()}
    study(features=more).run(place / "longer", store=place / "store", quiet=True)
    # of all levels together
    joint = ("similarity", "robustness", "projection", "baseline", "statistics")
    done = [(t.stage, t.label["severity"]) for t in computed if t.stage not in joint]
    assert sorted(done) == sorted([("topology", 3), ("scores", 3), ("measure", 3)] * 2)


def test_a_failing_cell_is_a_hole_and_the_rest_finishes(place, monkeypatch):
    from tdafeat import stages

    original = stages.topology

    def fails_once(store, cloud, **options):
        if cloud.read(store).features.std() > 1.4:
            raise RuntimeError("no memory for this one")
        return original(store, cloud, **options)

    monkeypatch.setattr(stages, "topology", fails_once)
    broken = levels(5, spreads=(0.3, 0.6, 5.0))
    run = study(features={"one": broken}).run(place / "hole", store=place / "s2", quiet=True)
    cause, fallen = run.manifest["holes"]
    assert (cause["stage"], cause["cell"]["severity"]) == ("topology", 2)
    assert cause["error"] == "RuntimeError: no memory for this one"
    assert fallen["error"].startswith("2 fell away (measure, robustness): its topology stage is")
    assert set(run.metrics["severity"]) == {0, 1}
    # Mended, the same study fills the hole and computes nothing else of the measured cells.
    monkeypatch.setattr(stages, "topology", original)
    mended = study(features={"one": broken}).run(place / "hole", store=place / "s2", quiet=True)
    assert mended.manifest["holes"] == []
    assert set(mended.metrics["severity"]) == {0, 1, 2}


def test_the_manifest_is_plain_json(run, place):
    manifest = json.loads((place / "run" / "manifest.json").read_text())
    assert manifest["classes"] == list(CLASSES)
    assert manifest["primary"] == "probe_accuracy"
    assert manifest["answer"]
    assert manifest["noise"]["levels"] == [1, 2]
    assert {"numpy", "torch"} <= set(manifest["provenance"]["versions"])


def test_clouds_too_small_for_a_loop_are_measured(tmp_path):
    """Three points per class have no H1 bar anywhere; the table of diagrams then has no H1 row."""
    tiny = FeatureSet(
        np.vstack([np.eye(3), np.eye(3) + 10]).repeat(2, axis=0)
        + 0.01 * np.arange(12)[:, None] ** 2,
        tuple(f"i{k}" for k in range(12)),
        np.repeat([0, 1], 6),
        ("a", "b"),
    )
    noisy = FeatureSet(tiny.features * 1.1, tiny.ids, tiny.labels, tiny.classes)
    declared = study(features={"x": Levels(tiny, {1: noisy})}, n_landmarks=3)
    got = declared.run(tmp_path / "run", store=tmp_path / "store", quiet=True)
    assert got.manifest["holes"] == []
    assert not (got.diagrams["degree"] == 1).any()
    moved = got.metrics.query("metric == 'wasserstein_h1' and scope == 'all'")
    assert moved["value"].tolist() == [0.0]


def test_no_file_is_left_aside(run, place):
    assert not list(place.rglob(".writing-*"))


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"primary": "koleo"}, ValueError, "must be one of"),
        ({"primary": "prob_accuracy"}, ValueError, "did you mean 'probe_accuracy'"),
        ({"primary": "zero_shot_accuracy"}, ValueError, "text"),
        ({"features": {}}, ValueError, "at least one"),
        ({"seeds": (0, 1, 0)}, ValueError, "seeds must differ from each other; 0 is given twice"),
        ({"projections": ("pca", "pca")}, ValueError, "projections must differ .* 'pca' is given"),
        ({"projections": ("mds",)}, ValueError, "projections must be among pca, .*'mds'"),
    ],
)
def test_what_cannot_run_is_refused_before_anything_is_written(tmp_path, change, error, message):
    with pytest.raises(error, match=message):
        study(**change).run(tmp_path / "run", store=tmp_path / "store", quiet=True)
    assert not list(tmp_path.iterdir())


def test_ids_that_do_not_pair_are_refused(tmp_path):
    one = levels(0)
    other = levels(0, ids=tuple(f"other-{i}" for i in range(len(one.clean))))
    mixed = Levels(one.clean, other.noisy)
    with pytest.raises(Unpaired, match="severity 1"):
        study(features={"x": mixed}).run(tmp_path / "run", store=tmp_path / "s", quiet=True)


def test_one_class_is_refused(tmp_path):
    cloud = FeatureSet(np.eye(4), tuple("abcd"), [0] * 4, ("only",))
    with pytest.raises(ValueError, match="at least two classes"):
        study(features={"x": Levels(cloud, {})}).run(tmp_path / "run", store=tmp_path / "s")


@pytest.mark.parametrize("jobs", [0, -2])
def test_no_processes_are_refused_before_anything_is_computed(jobs, tmp_path):
    with pytest.raises(ValueError, match=f"jobs must be at least 1, or -1 .* got {jobs}"):
        Study("s", "q?", limit=4).run(tmp_path / "run", store=tmp_path / "store", jobs=jobs)
    assert not (tmp_path / "store").exists()


def test_several_noise_seeds_are_averaged_and_their_spread_is_told(tmp_path):
    declared = Study("seeds", "?", limit=8, levels=(0.1,), seeds=(0, 1), projections=())
    run = replace(declared, baselines=0).run(tmp_path / "r", store=tmp_path / "s", quiet=True)
    assert run.manifest["holes"] == []
    own = run.metrics[run.metrics["scope"] != "all"]
    wide = own.pivot_table(index=["severity", "scope", "seed"], columns="metric", values="value")

    def rho(values):  # at a fixed level, averaged over the levels
        pairs = values[["koleo", "probe_accuracy"]].groupby("severity")
        return np.mean([spearmanr(part).statistic for _, part in pairs])

    found = run.associations.query("metric == 'koleo' and method == 'spearman'")
    found = found[found["adjustment"].eq("within level") & found["scope_unit"].eq("class")]
    assert found["value"].item() == pytest.approx(rho(wide.groupby(["severity", "scope"]).mean()))
    alone = [rho(part) for _, part in wide.groupby("seed")]
    assert found["seed_sd"].item() == pytest.approx(np.std(alone, ddof=1))
    assert found["n_seeds"].item() == 2
    assert any("2 noise seeds are averaged" in note for note in run.manifest["notes"])
    assert any("from seed to seed" in sentence for sentence in run.manifest["findings"])
