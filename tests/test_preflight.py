"""What a study will cost, said before it is run."""

import re
import time
from dataclasses import replace

import numpy as np
import pytest

from tdafeat import FeatureSet, Levels, Study, stage_costs
from tdafeat.capacity import check_memory, memory
from tdafeat.cli import main
from tdafeat.preflight import Cost, Forecast
from tdafeat.sketch import STEPS
from tdafeat.sources.groups import Size
from tests.toy_training import Shrinking


def own(rows=60):
    labels = np.arange(rows) % 3
    ids = tuple(f"{k}" for k in range(rows))

    def cloud(noise):
        points = np.eye(3)[labels] + noise * np.random.default_rng(0).normal(size=(rows, 3))
        return FeatureSet(points, ids, labels, ("a", "b", "c"))

    levels = Levels(cloud(0.1), {1: cloud(0.4)})
    return Study("own", "?", features={"net": levels}, projections=("pca",), baselines=1)


@pytest.fixture
def sampled(monkeypatch):
    """Samples that are said to take a second and a hundred bytes, whatever the stage."""
    stages = ("topology", "probe", "scores", "measure", "robustness", "projection")
    known = dict.fromkeys((*stages, "similarity", "baselines", "statistics"), (1.0, 100.0))
    monkeypatch.setattr(stage_costs, "_run_sample", lambda study, size, shape: known)


def test_a_forecast_counts_the_artefacts_and_keeps_nothing(tmp_path):
    forecast = replace(own(), projections=()).forecast(store=tmp_path / "store")
    counted = {cost.stage: (cost.artefacts, cost.stored) for cost in forecast.costs}
    assert counted == {
        "features": (3, 0),  # clean, noisy, train
        "topology": (2, 0),
        "probe": (1, 0),
        "scores": (2, 0),
        "measure": (2, 0),
        "robustness": (1, 0),
        "projection": (0, 0),
        "statistics": (3, 0),  # a table each
        "baselines": (1, 0),
    }
    assert not (tmp_path / "store").exists()
    assert forecast.seconds > 0
    assert forecast.disk > 90 * 3 * 4  # 30 rows at two levels and 30 train rows, in float32


@pytest.mark.parametrize("jobs", [0, -5])
def test_a_forecast_for_no_number_of_processes_is_refused(jobs):
    with pytest.raises(ValueError, match=f"jobs must be at least 1, or -1 .* got {jobs}"):
        own().forecast(jobs=jobs)


def test_what_is_stored_costs_nothing_unless_it_is_made_again(tmp_path, sampled):
    own().run(tmp_path / "run", store=tmp_path / "store", quiet=True)
    forecast = own().forecast(store=tmp_path / "store")
    assert [c.stored for c in forecast.costs] == [c.artefacts for c in forecast.costs]
    assert sum(cost.seconds for cost in forecast.costs) == 0
    again = own().forecast(store=tmp_path / "store", force=True)
    assert {cost.stored for cost in again.costs} == {0}
    assert again.seconds == sum(cost.artefacts for cost in again.costs[1:])  # one second each
    levels = own().features["net"]
    longer = {"net": replace(levels, noisy={**levels.noisy, 2: levels.noisy[1]})}
    more = replace(own(), features=longer).forecast(store=tmp_path / "store")
    counted = {cost.stage: (cost.artefacts, cost.stored) for cost in more.costs}
    assert counted["measure"] == (3, 2)
    assert counted["statistics"] == (3, 0)  # those in the store are of two cells


def test_a_training_is_forecast_by_its_first_steps(tmp_path, sampled, monkeypatch):
    trained = []
    original = Shrinking._step

    def noted(self, matrix, image):
        trained.append(1)
        time.sleep(0.01)
        return original(self, matrix, image)

    monkeypatch.setattr(Shrinking, "_step", noted)
    study = Study(
        "course",
        "?",
        dataset="textures:16",
        variants={"steady": Shrinking(total=800), "shrinking": Shrinking(0.3, total=800)},
        steps=(0, 2, 800),
        limit=2,
        projections=("pca",),
    )
    forecast = study.forecast(store=tmp_path / "store")
    assert len(trained) == 2 * STEPS
    training, features, topology = forecast.costs[:3]
    assert (training.stage, training.artefacts, training.stored) == ("training", 2, 0)
    assert 2 * 800 * 0.01 < training.seconds < 2 * 800 * 0.1
    assert (features.artefacts, topology.artefacts) == (2 * 3 * 2, 2 * 3)
    assert features.seconds > 0
    assert not (tmp_path / "store").exists()


def test_processes_share_the_cells_and_not_the_extraction():
    costs = (Cost("features", 1, 0, 100.0, 5.0, 7.0), Cost("measure", 4, 0, 80.0, 10.0, 1.0))
    forecast = Forecast(costs, jobs=8)
    assert forecast.seconds == 100 + 80 / 8
    assert forecast.memory == 4 * 10.0  # four artefacts keep four processes busy at most
    assert forecast.disk == 8


def test_cells_side_by_side_are_counted_together():
    size = Size(2000, 2000, 512, 20, cells=5)
    each = memory(size, None)["measure"]
    study, sizes = Study("s", "?", n_landmarks=None), {("net", ""): size}
    check_memory(study, sizes, free=3.5 * each, jobs=3)
    with pytest.raises(ValueError, match="4 cells side by side do not fit: measuring .* to 3$"):
        check_memory(study, sizes, free=3.5 * each, jobs=4)
    check_memory(study, sizes, free=5.5 * each, jobs=64)  # there are five


@pytest.mark.parametrize(
    ("size", "free"),
    [(Size(50_000, 50_000, 768, 10), 24e9), (Size(60_000, 10, 8192, 10), 36e9)],
    ids=["many pairs", "wide features beside them"],
)
def test_landmarks_are_proposed_where_the_topology_does_not_fit(size, free):
    with pytest.raises(ValueError, match="a cell of net does not fit: the topology of") as e:
        check_memory(Study("s", "?", n_landmarks=None), {("net", ""): size}, free)
    proposed = int(
        re.search(r"--landmarks\) to ([\d,]+) or fewer", str(e.value))[1].replace(",", "")
    )
    assert memory(size, proposed)["topology"] <= free < memory(size, proposed + 2500)["topology"]
    check_memory(Study("s", "?", n_landmarks=proposed), {("net", ""): size}, free)


def test_more_points_than_the_engine_numbers_are_refused_however_much_memory_there_is():
    study = Study("s", "?", n_landmarks=None)
    large = {("net", ""): Size(70_000, 10, 8, 2)}
    with pytest.raises(ValueError, match=r"to 65,000 or fewer"):
        check_memory(study, large, free=1e15)


def test_features_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="100,000,000 rows of 512 features take 8[0-9] TB|TB"):
        check_memory(Study("s", "?"), {("net", ""): Size(10**8, 10, 512, 2)}, free=24e9)


def test_a_dry_run_prints_the_forecast_and_computes_nothing(tmp_path, sampled, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    options = ["--data", "textures:16", "--encoder", "pixels:8", "--limit", "4", "--jobs", "1"]
    assert main(["run", *options, "--dry-run"]) == 0
    printed = capsys.readouterr().out
    assert re.search(r"measure +6 +0 ", printed)  # clean and gaussian's five levels
    assert re.search(r"about \d+ s with 1 processes, .* of disk", printed)
    assert "too long if other work kept the cores busy" in printed
    assert "writing the report (figures, HTML, PDF) come on top" in printed
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--backend", "dask"], "go together"),
        (["--scheduler", "tcp://127.0.0.1:9"], "go together"),
        (["--out", "file"], "out must be a folder"),
    ],
)
def test_a_dry_run_refuses_what_the_run_would(tmp_path, monkeypatch, capsys, options, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    assert main(["run", "--data", "textures:16", "--limit", "4", "--dry-run", *options]) == 2
    assert message in capsys.readouterr().err


def test_a_run_that_does_not_fit_is_refused_before_it_starts(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    # 8,000 rows are measured: 16 bytes for each of 64 million pairs are a gigabyte
    monkeypatch.setattr("tdafeat.capacity.free_memory", lambda: 6e8)
    np.save("clean.npy", np.random.default_rng(0).normal(size=(16_000, 2)).astype(np.float32))
    np.save("labels.npy", np.arange(16_000) % 2)
    options = ["--features", "clean.npy", "--labels", "labels.npy", "--landmarks", "20000"]
    assert main(["run", *options]) == 2
    error = capsys.readouterr().err
    assert "the topology of 8,000 points takes 1.0 GB and 600 MB are free" in error
    assert "set n_landmarks (--landmarks) to 6,000 or fewer" in error
    assert error.count("\n") == 1
    assert {path.name for path in tmp_path.iterdir()} == {"clean.npy", "labels.npy"}
