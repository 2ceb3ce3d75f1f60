"""A study along a training: what is trained, once, and what the run says of it."""

import threading
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest

from tdafeat import Study
from tdafeat.cli import main
from tdafeat.encoders.base import Encoder
from tdafeat.extraction import Compute
from tdafeat.report.content import build
from tdafeat.report.formulas import SYMBOLS
from tdafeat.report.model import Figure, Table
from tdafeat.sources import TrainingSource
from tdafeat.store import Store
from tdafeat.watch import Watch
from tdafeat.wording import COURSE
from tests.toy_training import Shrinking

STEPS = (0, 2, 8)


def study(**changes):
    declared = Study(
        name="toy",
        question="Does it collapse?",
        dataset="textures:16",
        variants={"steady": Shrinking(), "shrinking": Shrinking(keep=0.3)},
        steps=STEPS,
        primary="knn_accuracy",
        projections=("pca",),
        limit=4,
    )
    return replace(declared, **changes)


def run(place, name, declared, **options):
    return declared.run(place / name, store=place / "store", quiet=True, **options)


def extract(place, declared, force=False):
    """What a run does before it measures: trained and encoded, as (source, groups)."""
    source = TrainingSource.load(declared, None, Compute("cpu"))
    groups, holes = source.extract(Store(place / "store"), force, Watch())
    assert holes == []
    return source, groups


def features(place, groups):
    """Test and train features of every cell, in order."""
    clouds = [cloud for g in groups for s in g.cells for cloud in (g.clouds[s], g.train[s])]
    return [cloud.read(Store(place / "store")).features for cloud in clouds]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("training")


@pytest.fixture(scope="module")
def made(place):
    return run(place, "run", study())


@pytest.fixture
def trained(monkeypatch):
    """The variants that made a step, one entry for each."""
    seen = []
    original = Shrinking._step
    monkeypatch.setattr(
        Shrinking, "_step", lambda self, *rest: (seen.append(self.keep), original(self, *rest))[1]
    )
    return seen


@pytest.fixture
def encoded(monkeypatch):
    """Batches that went through an encoder: its name and the number of images."""
    seen = []
    original = Encoder.encode
    monkeypatch.setattr(
        Encoder,
        "encode",
        lambda self, images: (seen.append((self.name, len(images))), original(self, images))[1],
    )
    return seen


def test_variants_and_steps_take_the_place_of_encoders_and_noise(made):
    assert made.manifest["holes"] == []
    assert set(made.metrics["encoder"]) == {"steady", "shrinking"}
    assert set(made.metrics["noise"]) == {"training"}
    levels = made.metrics[["severity", "parameter"]].drop_duplicates()
    assert dict(zip(levels["severity"], levels["parameter"], strict=True)) == {0: 0, 1: 2, 2: 8}
    assert made.manifest["noise"]["levels"] == list(STEPS)
    assert made.manifest["encoders"][1]["training"] == Shrinking(keep=0.3).spec


def test_the_log_is_a_table(made):
    log = made.training.set_index(["variant", "quantity", "step"])["value"]
    assert log["shrinking", "loss", 8] == pytest.approx(0.3**8)
    assert log["steady", "others", 1] == 5
    assert len(log) == 2 * 2 * 9


def test_predictors_are_fitted_on_the_features_of_their_own_step(made):
    """Without a step between them two checkpoints agree; fitted elsewhere they would not."""
    whole = made.metrics.query("scope == 'all'").set_index(["encoder", "severity", "metric"])
    value = whole["value"]
    for metric in ("probe_accuracy", "knn_accuracy", "class_mean_accuracy"):
        steady = [value["steady", level, metric] for level in (0, 1, 2)]
        assert steady[0] == steady[1] == steady[2]
    # Standardised features do not see the scale: a probe fitted anew learns as much as before.
    probe = [value["shrinking", level, "probe_accuracy"] for level in (0, 1)]
    assert probe[0] == pytest.approx(probe[1], abs=0.05)


def test_the_answer_tells_who_collapsed_and_when(made):
    verdict, steady, shrinking, last = made.manifest["answer"]
    assert verdict == "The features of shrinking collapsed; those of steady did not."
    assert steady.startswith("steady: no collapse")
    assert shrinking.startswith(
        "shrinking: collapsed by step 2 (effective rank below 2); from step 0 to 8 spread"
    )
    assert "k-NN accuracy" in shrinking
    assert "trained once" in last
    assert any("counts as collapsed" in note for note in made.manifest["notes"])


def test_a_training_that_leaves_the_numbers_is_a_hole_from_there_on(tmp_path):
    """1e30 to the second power is beyond float32: from step 2 on the map is infinite."""
    diverging = {"steady": Shrinking(), "diverging": Shrinking(keep=1e30)}
    got = run(tmp_path, "run", study(variants=diverging, baselines=0))
    failed = [hole["cell"] for hole in got.manifest["holes"] if hole["stage"] == "features"]
    assert [(cell["encoder"], cell["step"]) for cell in failed] == [
        ("diverging", step) for step in STEPS[1:]
    ]
    measured = got.metrics[["encoder", "severity"]].drop_duplicates().itertuples(index=False)
    assert set(map(tuple, measured)) == {
        ("steady", 0),
        ("steady", 1),
        ("steady", 2),
        ("diverging", 0),
    }
    assert "left out of this answer: a part of diverging map" in got.manifest["answer"][-1]


@dataclass(frozen=True)
class Failing(Shrinking):
    def train(self, *_):
        raise RuntimeError("no such layer")


def test_a_training_that_fails_is_a_hole_and_the_others_are_measured(tmp_path):
    declared = study(variants={"failing": Failing(), "steady": Shrinking()}, baselines=0)
    got = run(tmp_path, "run", declared)
    (hole,) = got.manifest["holes"]
    assert hole["stage"] == "training"
    assert hole["cell"] == {"dataset": "textures:16", "encoder": "failing", "seed": 0}
    assert hole["error"] == "RuntimeError: no such layer"
    assert set(got.metrics["encoder"]) == {"steady"}
    assert got.manifest["answer"][-1] == (
        "Not measured, and so left out of this answer: failing (seed 0) (see What failed)."
    )
    assert main(["report", str(got.folder)]) == 0
    assert "no such layer" in (got.folder / "report.html").read_text(encoding="utf-8")


def test_a_second_run_trains_encodes_and_computes_nothing(
    made, place, trained, encoded, monkeypatch
):
    def never(*_, **__):
        raise AssertionError("computed again")

    monkeypatch.setattr("tdafeat.tasks._run", never)
    again = run(place, "again", study())
    assert trained == []
    assert encoded == []
    for name in ("metrics", "training", "projections"):
        pd.testing.assert_frame_equal(getattr(again, name), getattr(made, name))


@pytest.mark.parametrize(
    ("change", "steps", "variants"),
    [
        ({"variants": {"steady": Shrinking(), "shrinking": Shrinking(keep=0.5)}}, 8, {"shrinking"}),
        ({"variants": {"steady": Shrinking(), "again": Shrinking(keep=0.3)}}, 0, {"again"}),
        ({"steps": (0, 8)}, 0, set()),
        ({"limit": 3}, 0, {"steady", "shrinking"}),
        ({"primary": "probe_accuracy"}, 0, set()),
    ],
    ids=["spec", "name", "fewer steps", "limit", "primary"],
)
def test_a_change_costs_what_it_changes(made, place, trained, encoded, change, steps, variants):
    extract(place, study(**change))
    assert len(trained) == steps
    assert {name for name, _ in encoded} == variants


def test_another_seed_is_another_training(made, place, trained):
    source, groups = extract(place, study(seeds=(0, 1)))
    assert len(trained) == 2 * 8
    assert [(g.cells[0].encoder, g.cells[0].seed) for g in groups] == [
        *(("steady", 0), ("steady", 1), ("shrinking", 0), ("shrinking", 1))
    ]
    assert set(source.training["seed"]) == {0, 1}
    assert not any("One training" in remark for remark in source.remarks())


def test_force_trains_again(made, place, trained):
    extract(place, study(), force=True)
    assert len(trained) == 2 * 8


def test_a_killed_training_goes_on_to_the_same_features(
    made, place, tmp_path, trained, monkeypatch
):
    original = Shrinking._step

    def killed(self, *rest):
        if len(trained) == 8 + 5:
            raise KeyboardInterrupt
        return original(self, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(Shrinking, "_step", killed)
        with pytest.raises(KeyboardInterrupt):
            extract(tmp_path, study())
    trained.clear()
    source, groups = extract(tmp_path, study())
    assert len(trained) == 3
    assert not list((tmp_path / "store" / "unfinished").iterdir())
    logged = source.training[made.training.columns]
    pd.testing.assert_frame_equal(logged, made.training, check_dtype=False)
    _, whole = extract(place, study())
    for one, other in zip(features(tmp_path, groups), features(place, whole), strict=True):
        np.testing.assert_array_equal(one, other)


def test_two_runs_of_one_training_do_not_disturb_each_other(tmp_path, trained, monkeypatch):
    """The second is to train anew, and comes when the first has shown one step of three.

    It takes what the first makes: that is as new as is asked for.
    """
    declared = study(variants={"shrinking": Shrinking(keep=0.3)}, limit=2)
    first, asked = threading.get_ident(), threading.Event()
    claim, step = Store.claim, Shrinking._step
    second = threading.Thread(target=lambda: later.append(extract(tmp_path, declared, force=True)))
    later: list = []

    def told(self, stage, spec, wait=True):
        if stage == "training" and wait and threading.get_ident() != first:
            asked.set()
        return claim(self, stage, spec, wait)

    def joined(self, *rest):
        if not trained:
            second.start()
            assert asked.wait(60)
        return step(self, *rest)

    monkeypatch.setattr(Store, "claim", told)
    monkeypatch.setattr(Shrinking, "_step", joined)
    source = TrainingSource.load(declared, None, Compute("cpu"))
    done = source._trained(Store(tmp_path / "store"), False, Watch())
    second.join()
    assert done == ([("shrinking", 0)], [])
    assert len(later) == 1
    assert len(trained) == 8


def test_a_lost_checkpoint_is_trained_again(tmp_path, trained):
    small = study(variants={"shrinking": Shrinking(keep=0.3)}, limit=2)
    _, groups = extract(tmp_path, small)
    first = features(tmp_path, groups)
    lost = next((tmp_path / "store" / "checkpoint").glob("*.zip"))
    lost.write_bytes(lost.read_bytes()[:-1])
    trained.clear()
    _, groups = extract(tmp_path, small)
    assert len(trained) == 8
    for one, other in zip(first, features(tmp_path, groups), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_report_speaks_of_steps(made):
    content = build(made)
    titles = [section.title for section in content.sections]
    assert "Accuracy along training" in titles
    assert "Training" in titles
    assert "training, step 0, 2, 8" in content.facts
    blocks = [block for section in content.sections for block in section.blocks]
    said = " ".join(
        [getattr(b, "text", "") + getattr(b, "caption", "") for b in blocks]
        + [str(b.chart.to_dict()) for b in blocks if isinstance(b, Figure)]
    )
    said = said.replace("mostly sampling noise", "").replace("A clean diagonal", "")
    said = said.replace(COURSE.definitions, "").replace(SYMBOLS, "")
    for word in ("noise", "noisy", "severity (", "clean"):
        assert word not in said, word
    table = next(b for b in blocks if isinstance(b, Table) and b.label == "accuracies")
    assert [str(column) for column in table.frame][2:] == ["0", "2", "8"]
    variants = next(b for b in blocks if isinstance(b, Table) and b.label == "variants")
    assert variants.rows() == [["settings keep", "1.0", "0.3"]]


@dataclass(frozen=True)
class Silent(Shrinking):
    """Forgets its last step."""

    def train(self, images, steps, *rest):
        return super().train(images, steps[:-1], *rest)


@dataclass(frozen=True)
class Unkeyed(Shrinking):
    @property
    def spec(self):
        return {"function": print}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"variants": {}}, "at least one variant"),
        ({"variants": None}, "need variants"),
        ({"variants": {"a": "dino"}}, "'a' is a str"),
        ({"variants": {"a": Unkeyed()}}, "plain values"),
        ({"variants": {"a": Silent()}}, "no weights at step 8"),
        ({"steps": ()}, "two whole numbers"),
        ({"steps": (8,)}, "two whole numbers"),
        ({"steps": (-1, 8)}, "two whole numbers"),
        ({"steps": (8, 0)}, "ascending"),
        ({"steps": (0, 0, 8)}, "ascending"),
        ({"steps": (0, 2.5)}, "two whole numbers"),
        ({"steps": (0, 9)}, "within the 8 steps"),
        ({"encoders": ("pixels:8",)}, "encoders cannot be combined"),
        ({"optional": ("pixels:8",)}, "optional cannot be combined"),
        ({"noise": "speckle"}, "noise cannot be combined"),
        ({"levels": (0.1,)}, "levels cannot be combined"),
        ({"corrupted": "folder"}, "corrupted cannot be combined"),
        ({"features": {}}, "features cannot be combined"),
        ({"seeds": ()}, "at least one seed"),
        ({"primary": "zero_shot_accuracy"}, "text tower"),
    ],
)
def test_what_cannot_run_is_refused(tmp_path, change, message):
    with pytest.raises((ValueError, TypeError), match=message):
        run(tmp_path, "run", study(**change))
    assert not (tmp_path / "run" / "manifest.json").exists()
