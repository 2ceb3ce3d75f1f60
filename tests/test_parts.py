"""An encoder that fails is a hole: the others finish, and the next run asks it again."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from tdafeat import Study, encoders
from tdafeat.backends import computing
from tdafeat.cli import main
from tdafeat.errors import Missing
from tdafeat.extraction import Compute
from tdafeat.log import Log
from tdafeat.report.content import build
from tdafeat.report.model import Table
from tdafeat.sources import ImageSource
from tdafeat.store import Store
from tdafeat.watch import Watch, status


def colours(images):
    return torch.cat([images.mean(dim=(2, 3)), images.std(dim=(2, 3))], dim=1)


def breaks(images):
    raise KeyError("weights.0")


def gives_one_number(images):
    return images.mean()


def overflows_under_noise(images):
    return colours(images) / (images.abs().max() < 3)  # which is clean images alone


def takes_all_memory(images):
    raise torch.OutOfMemoryError("CUDA out of memory")


FAULTS = {
    "breaks": (breaks, "KeyError: 'weights.0'"),
    "one number": (gives_one_number, "must return shape (32, D) for 32 images; got ()"),
    "overflows": (overflows_under_noise, "gave NaN or infinite features for image"),
    "takes all": (takes_all_memory, "has not enough memory on cpu for one image"),
}


def study(**functions):
    """Of encoders of these functions, by name."""
    return Study(
        "failing",
        "?",
        dataset="textures:16",
        encoders=tuple(encoders.from_function(f, n, "1", size=8) for n, f in functions.items()),
        levels=(50.0,),
        noise="gaussian_normalised",
        projections=("pca",),
        baselines=0,
        limit=2,
    )


def extract(place, declared):
    source = ImageSource.load(declared, None, Compute("cpu"))
    with Watch(place / "run", Log("json")) as watch:
        return source.extract(Store(place / "store"), False, watch)


def test_whatever_an_encoder_does_the_others_finish(tmp_path, capsys):
    functions = {name: function for name, (function, _) in FAULTS.items()}
    groups, holes = extract(tmp_path, study(**functions, fine=colours))
    assert [hole.label["encoder"] for hole in holes] == list(FAULTS)
    for hole in holes:
        assert FAULTS[hole.label["encoder"]][1] in hole.error
        assert hole.stage == "features"
        assert hole.label["split"] == "test"
        assert hole.trace.startswith("Traceback")
    *failed, fine = groups
    assert {len(cloud.read(Store(tmp_path / "store"))) for cloud in fine.clouds.values()} == {32}
    for group in failed:
        with pytest.raises(Missing, match="its features failed, are missing or damaged"):
            group.clouds[0].read(Store(tmp_path / "store"))
    told = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [t["label"]["encoder"] for t in told if t["event"] == "failed"] == list(FAULTS)
    counted = status(tmp_path / "run")
    assert (counted.done, counted.total) == (5 * 96, 5 * 96)  # test at two levels, and train
    assert counted.failed == 4 * 96
    # the same command again, and they are asked again; of what is there nothing is made
    assert len(extract(tmp_path, study(**functions, fine=colours))[1]) == 4
    _, holes = extract(tmp_path, study(**dict.fromkeys(FAULTS, colours), fine=breaks))
    assert holes == []


def test_an_encoder_that_cannot_be_fitted_is_a_hole_too(tmp_path):
    def refuses(images):
        raise LookupError("no components")

    fine, other = study(fine=colours, unfit=colours).encoders
    unfit = replace(other, fit=refuses)
    groups, (hole,) = extract(tmp_path, replace(study(), encoders=(fine, unfit)))
    assert (hole.stage, hole.label["encoder"]) == ("features", "unfit")
    assert hole.error == "LookupError: no components"
    assert "in refuses" in hole.trace
    assert len(groups[0].clouds[0].read(Store(tmp_path / "store"))) == 32
    with pytest.raises(LookupError, match="no components"):  # none is left
        extract(tmp_path, replace(study(), encoders=(unfit,)))


def test_a_full_disk_and_ctrl_c_end_the_run(tmp_path):
    for error in (OSError(28, "No space left on device"), KeyboardInterrupt()):

        def stops(images, error=error):
            raise error

        with pytest.raises(type(error)):
            extract(tmp_path, study(stops=stops, fine=colours))


def test_a_forecast_names_an_encoder_that_fails(tmp_path):
    with pytest.raises(ValueError, match="encoder 'broken' fails: KeyError: 'weights.0'"):
        study(fine=colours, broken=breaks).forecast(store=tmp_path / "store")


@pytest.fixture
def pictures(tmp_path):
    """A folder of 4 random pictures of each of two classes, to train on and to test."""
    rng = np.random.default_rng(0)
    for split in ("train", "test"):
        for name in ("a", "b"):
            (tmp_path / "images" / split / name).mkdir(parents=True)
            for k in range(4):
                path = tmp_path / "images" / split / name / f"{k}.png"
                Image.fromarray(rng.integers(0, 256, (8, 8, 3), np.uint8)).save(path)
    return tmp_path / "images"


def test_a_run_without_one_of_its_encoders(tmp_path, pictures):
    declared = replace(study(fine=colours, broken=breaks), dataset=f"folder:{pictures}")
    run = declared.run(tmp_path / "run", store=tmp_path / "store", quiet=True)
    cause, fallen = run.manifest["holes"]
    assert (cause["stage"], cause["cell"]["encoder"]) == ("features", "broken")
    assert "KeyError" in cause["trace"]
    assert (fallen["stage"], fallen["cell"]["encoder"]) == ("cells", "broken")
    # at two levels diagrams, scores and metrics; a probe, robustness, a map, and beside "fine"
    count = status(tmp_path / "run").failed
    assert count == 3 * 2 + 4
    assert fallen["error"] == (
        f"{count} fell away (topology, probe, scores, measure, robustness, projection, "
        f"similarity): its features failed, are missing or damaged"
    )
    assert set(run.metrics["encoder"]) == {"fine"}
    assert set(run.metrics["severity"]) == {0, 1}
    assert "left out of this answer: broken output (see" in run.manifest["answer"][-1]
    (failed,) = (section for section in build(run).sections if section.title == "What failed")
    (table,) = (block for block in failed.blocks if isinstance(block, Table))
    assert table.rows()[0][::2] == ["features", "KeyError: 'weights.0'"]


def test_an_image_that_nobody_can_decode_ends_the_run(tmp_path, pictures, monkeypatch, capsys):
    bad = pictures / "test" / "a" / "0.png"
    bad.write_bytes(bad.read_bytes()[:60])
    monkeypatch.setattr("tdafeat.study.computing", lambda *_: computing())
    command = ["run", "--data", f"folder:{pictures}", "--encoder", "pixels:8"]
    command += ["--encoder", "pixels:4", "--store", f"{tmp_path}/store", "--no-report"]
    assert main([*command, "--out", f"{tmp_path}/run", "--levels", "0.1"]) == 2
    *told, last = capsys.readouterr().err.splitlines()
    assert sum(line.startswith("failed: features of") for line in told) == 1
    assert "0.png" in last
    assert not (tmp_path / "run" / "manifest.json").exists()
