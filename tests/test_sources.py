"""Studies over images: what is extracted, once, and under which key."""

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from tdafeat import Study, artefact, datasets, encoders
from tdafeat.encoders.base import Encoder, Head, Preprocessing
from tdafeat.errors import DataUnavailable, UnknownName
from tdafeat.extraction import Compute, Decoded
from tdafeat.sources import ImageSource
from tdafeat.store import Store

SMALL = Preprocessing(8, 8)


def colours(images):
    return torch.cat([images.mean(dim=(2, 3)), images.std(dim=(2, 3))], dim=1)


def encoder(version="1", **changes):
    return encoders.from_function(colours, "colours", version, size=8, **changes)


def study(**changes):
    declared = Study(
        name="small",
        question="?",
        dataset="textures:16",
        encoders=(encoder(),),
        levels=(0.1, 0.3),
        projections=("pca",),
        limit=6,
    )
    return replace(declared, **changes)


def run(place, name, declared, **options):
    return declared.run(place / name, store=place / "store", quiet=True, **options)


@pytest.fixture
def counted(monkeypatch):
    """Batches that went through the encoder, by number of images."""
    seen = []
    original = Encoder.encode

    def encode(self, images):
        seen.append(len(images))
        return original(self, images)

    monkeypatch.setattr(Encoder, "encode", encode)
    return seen


def test_images_end_in_a_run_with_thumbnails(tmp_path):
    got = run(tmp_path, "run", study())
    assert got.manifest["holes"] == []
    assert got.manifest["noise"] == {
        "name": "gaussian",
        "units": "pixel",
        "parameter": "sigma",
        "levels": [0.1, 0.3],
    }
    assert got.manifest["encoders"][0]["preprocessing"]["crop"] == 8
    assert got.manifest["encoders"][0]["dimension"] == 6  # mean and spread of three colours
    assert set(got.thumbnails["image"]) == set(got.projections["image"])
    with Image.open(tmp_path / "run" / "thumbnails.webp") as sprite:
        assert sprite.width % 48 == sprite.height % 48 == 0
        assert (got.thumbnails["column"].max() + 1) * 48 == sprite.width
    without = run(tmp_path, "run", study(thumbnails=False))
    assert without.thumbnails.empty
    assert not (tmp_path / "run" / "thumbnails.webp").exists()


def test_a_second_run_encodes_nothing(tmp_path, counted):
    run(tmp_path, "one", study())
    assert sum(counted) == 16 * 6 * (3 + 1)  # test images at three levels, train images clean
    counted.clear()
    run(tmp_path, "two", study())
    assert counted == []


@pytest.mark.parametrize(
    ("change", "encoded"),
    [
        ({"levels": (0.1, 0.2)}, 16 * 6 * 3),  # the part with the new level, clean once more
        ({"limit": 5}, 16 * 5 * 4),
        ({"encoders": (encoder(version="2"),)}, 16 * 6 * 4),
        ({"encoders": (encoder(mean=(0.0, 0.0, 0.0)),)}, 16 * 6 * 4),
        ({"noise": "speckle"}, 16 * 6 * 3),
        ({"seeds": (1,)}, 16 * 6 * 4),
        ({"primary": "knn_accuracy"}, 0),
        ({"name": "other", "question": "else?"}, 0),
    ],
)
def test_what_changes_the_features_and_nothing_else_is_encoded_again(
    tmp_path, counted, change, encoded
):
    run(tmp_path, "one", study())
    counted.clear()
    run(tmp_path, "two", study(**change))
    assert sum(counted) == encoded


def test_force_takes_the_new_numbers(tmp_path):
    """An encoder changed without a new version is served from the store, unless forced."""
    first = run(tmp_path, "one", study())
    changed = encoders.from_function(lambda x: 2 * colours(x), "colours", "1", size=8)
    served = run(tmp_path, "two", study(encoders=(changed,)))
    forced = run(tmp_path, "three", study(encoders=(changed,)), force=True)

    def spread(got):
        whole = got.metrics.query("metric == 'total_variance' and scope == 'all'")
        return whole["value"].to_numpy()

    np.testing.assert_array_equal(spread(served), spread(first))
    np.testing.assert_allclose(spread(forced), 4 * spread(first), rtol=1e-5)


def test_another_precision_is_other_features_and_the_report_says_so(tmp_path, counted):
    run(tmp_path, "one", study())
    counted.clear()
    half = run(tmp_path, "two", study(), precision="bfloat16")
    assert sum(counted) == 16 * 6 * 4
    assert any("computed in bfloat16" in note for note in half.manifest["notes"])
    counted.clear()
    run(tmp_path, "three", study(), batch_size=5, workers=2)  # of these only last digits depend
    assert counted == []


def test_the_next_part_is_decoded_while_one_is_encoded(tmp_path, monkeypatch):
    monkeypatch.setattr("tdafeat.sources.images.PART", 40)
    decoded, waited = threading.Event(), []
    original = Decoded.__init__

    def begin(self, images, *rest):
        original(self, images, *rest)
        if images.ids == second:
            decoded.set()

    def encode(images):
        if not waited:  # the first batch of the first part: the second must come meanwhile
            waited.append(decoded.wait(timeout=60))
        return colours(images)

    own = encoders.from_function(encode, "colours", "waiting", size=8)
    declared = study(encoders=(own,))
    second = ImageSource.load(declared, None, Compute("cpu")).images.ids[40:80]
    monkeypatch.setattr(Decoded, "__init__", begin)
    run(tmp_path, "run", declared)
    assert waited == [True]


def test_a_damaged_part_is_extracted_again(tmp_path, counted):
    first = run(tmp_path, "one", study())
    damaged = next((tmp_path / "store" / "features").glob("*.zip"))
    content = bytearray(damaged.read_bytes())
    content[len(content) // 2] ^= 1
    damaged.write_bytes(content)
    counted.clear()
    second = run(tmp_path, "two", study())
    assert 0 < sum(counted) <= 16 * 6 * 3
    np.testing.assert_array_equal(first.metrics["value"], second.metrics["value"])


def test_extraction_is_kept_part_by_part(tmp_path, counted, monkeypatch):
    monkeypatch.setattr("tdafeat.sources.images.PART", 40)
    written = []
    original = Store.write

    def stop_after_five(self, stage, spec, *rest, **named):
        if len(written) == 5:
            raise KeyboardInterrupt
        written.append(stage)
        original(self, stage, spec, *rest, **named)

    with monkeypatch.context() as patch:
        patch.setattr(Store, "write", stop_after_five)
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path, "run", study())
    counted.clear()
    run(tmp_path, "run", study())
    # One part of 40 images at three levels was whole; the next was lost halfway.
    assert sum(counted) == 16 * 6 * 4 - 40 * 3


def test_several_seeds_share_the_clean_train_key_only_with_themselves(tmp_path):
    got = run(tmp_path, "run", study(seeds=(0, 1)))
    assert set(got.metrics["seed"]) == {0, 1}
    assert not any("spread between seeds" in note for note in got.manifest["notes"])


def test_zero_shot_appears_with_a_text_tower(tmp_path):
    def text(prompts):
        return torch.eye(6)[[sum(map(ord, prompt)) % 6 for prompt in prompts]]

    with_text = Encoder("words", "1", "proj", 6, SMALL, colours, text=text)
    got = run(tmp_path, "run", study(encoders=(with_text,), primary="zero_shot_accuracy"))
    assert "zero_shot" in set(got.predictions["method"])
    assert {"zero_shot_accuracy", "zero_shot_nc3", "zero_shot_nc4"} <= set(got.metrics["metric"])
    assert got.manifest["encoders"][0]["text"]


def test_a_study_asks_with_prompts_of_its_own(tmp_path):
    asked = []

    def text(prompts):
        asked.extend(prompts)
        return torch.eye(6)[[len(prompt) % 6 for prompt in prompts]]

    with_text = Encoder("words", "1", "proj", 6, SMALL, colours, text=text)
    file = tmp_path / "mine.txt"
    file.write_text("a cloth, {}.\na {} cloth.\n")
    got = run(tmp_path, "run", study(encoders=(with_text,), prompts=file))
    assert asked[:2] == ["a cloth, banded.", "a banded cloth."]
    assert len(asked) == 2 * 16
    told = "2 prompts: “a cloth, {}.”, “a {} cloth.”."
    assert any(told in note for note in got.manifest["notes"])
    with pytest.raises(ValueError, match=r"prompts: every template must hold one \{\}"):
        run(tmp_path, "other", study(encoders=(with_text,), prompts=["a cloth."]))
    with pytest.raises(ValueError, match="prompts need an encoder with a text tower"):
        run(tmp_path, "other", study(prompts=file))


def test_the_network_s_own_head_is_a_predictor_where_it_knows_the_classes(tmp_path):
    classes = datasets.load("textures:16", limit=1).classes
    weights = torch.randn(16, 6, generator=torch.Generator().manual_seed(0))
    head = Head(classes[::-1], weights.flip(0), torch.arange(16.0).flip(0))
    network = Encoder("network", "1", "features", 6, SMALL, colours, head=head)
    got = run(tmp_path, "run", study(encoders=(network,), primary="head_accuracy"))
    assert {"head_accuracy", "head_margin", "head_nc3"} <= set(got.metrics["metric"])
    said = got.predictions.query("method == 'head' and severity == 0")
    whole = got.metrics.query("metric == 'head_accuracy' and scope == 'all' and severity == 0")
    assert whole["value"].item() == (said["label"] == said["prediction"]).mean()
    assert said["score"].between(1 / 16, 1).all()

    other = Head(("cat", *classes[1:]), weights, torch.zeros(16))
    network = Encoder("network", "1", "features", 6, SMALL, colours, head=other)
    got = run(tmp_path, "other", study(encoders=(network,)))
    assert "head" not in set(got.predictions["method"])
    expected = f"No accuracy of network's own head: it was not taught the class {classes[0]!r}."
    assert expected in got.manifest["notes"]
    with pytest.raises(ValueError, match="needs encoders with a classifier of their own"):
        run(tmp_path, "third", study(encoders=(network,), primary="head_accuracy"))


def test_a_head_that_names_its_rows_otherwise_is_stored_by_itself(tmp_path):
    """The classes of the rows come from a card beside the weights, which no version tells of."""
    classes = datasets.load("textures:16", limit=1).classes
    heads = []
    for named in (classes, classes[::-1]):
        head = Head(named, torch.eye(16, 6), torch.zeros(16))
        network = Encoder("network", "1", "features", 6, SMALL, colours, head=head)
        source = ImageSource.load(study(encoders=(network,)), None, Compute("cpu"))
        heads.append(source.groups(Store(tmp_path))[0].head)
    first, second = (Store(tmp_path).read("head", spec).arrays["weights"] for spec in heads)
    assert np.array_equal(first, second[::-1])


def test_an_encoder_that_cannot_name_the_classes_goes_without_zero_shot(tmp_path):
    def text(prompts):
        raise UnknownName("no word for them")

    speechless = Encoder("words", "1", "proj", 6, SMALL, colours, text=text)
    got = run(tmp_path, "run", study(encoders=(speechless,)))
    assert got.manifest["holes"] == []
    assert not got.manifest["encoders"][0]["text"]
    assert "zero_shot" not in set(got.predictions["method"])
    assert any("words: no word for them" in note for note in got.manifest["notes"])
    with pytest.raises(ValueError, match="zero_shot_accuracy"):
        run(tmp_path, "other", study(encoders=(speechless,), primary="zero_shot_accuracy"))


def centred(mean, version="unfitted"):
    """Mean colours less those of the images it is fitted on."""

    def fit(images):
        pixels = [SMALL.prepare(images.read(row)) / 255 for row in range(len(images))]
        return centred(np.mean(pixels, axis=(0, 2, 3)), version=f"{images.version}, {images.ids}")

    def function(images):
        return images.mean(dim=(2, 3)) - torch.as_tensor(mean, dtype=torch.float32)

    fitted = version != "unfitted"
    remark = "It was fitted." if fitted else ""
    return Encoder(
        "centred", version, "mean", 3, SMALL, function, fit=None if fitted else fit, remark=remark
    )


def test_an_encoder_is_fitted_on_the_train_images_of_each_seed(tmp_path, counted):
    declared = study(encoders=(centred(np.nan),), seeds=(0, 1), noise=None)
    got = run(tmp_path, "run", declared)
    assert got.manifest["holes"] == []
    assert got.manifest["notes"].count("It was fitted.") == 1
    versions = set()
    for path in (tmp_path / "store" / "features").glob("*.zip"):
        content = path.read_bytes()
        spec = artefact.meta(content)["spec"]
        versions.add(spec["encoder"]["version"])
        if spec["dataset"]["split"] == "train":
            features = artefact.unpack(content).arrays["features"]
            assert np.abs(features.mean(axis=0)).max() < 1e-3
    assert len(versions) == 2
    counted.clear()
    run(tmp_path, "again", declared)
    assert counted == []
    run(tmp_path, "fewer", replace(declared, limit=5))
    assert sum(counted) == 2 * 16 * (5 + 5)  # fitted on other images, it is another encoder


def test_principal_components_in_a_study(tmp_path):
    got = run(tmp_path, "run", study(encoders=("pca:6/8",), levels=(0.1,)))
    assert got.manifest["holes"] == []
    (encoder,) = got.manifest["encoders"]
    assert (encoder["name"], encoder["dimension"], encoder["layer"]) == ("pca:6/8", 6, "rgb")
    note = "pca:6/8 was fitted on the clean train images of each seed (96)."
    assert note in got.manifest["notes"]
    with pytest.raises(
        ValueError, match="more than 97 train images to be fitted on; textures:16 h"
    ):
        run(tmp_path, "other", study(encoders=("pca:97/8",)))


def test_optional_encoders_are_left_out_where_they_cannot_be_had(tmp_path):
    optional = ("timm:resnet50.byol", "pixels:4", "timm:resnet50.simclr")
    got = run(tmp_path, "run", study(optional=optional, noise=None))
    assert [encoder["name"] for encoder in got.manifest["encoders"]] == ["colours", "pixels:4"]
    assert set(got.metrics["encoder"]) == {"colours", "pixels:4"}
    (note,) = [note for note in got.manifest["notes"] if note.startswith("Left out")]
    assert note == (
        "Left out: timm:resnet50.byol, timm:resnet50.simclr. timm publishes no weights of NAME; "
        "give a checkpoint: NAME@FILE."
    )


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (
            {"encoders": ()},
            DataUnavailable,
            "none of the study's encoders can be had. Left out: timm:resnet50.byol",
        ),
        ({"optional": ("pixel",)}, UnknownName, "did you mean 'pixels'"),
        ({"encoders": ("pixels",), "optional": ("pixels",)}, ValueError, "named twice"),
    ],
)
def test_optional_encoders_that_make_no_study(tmp_path, change, error, message):
    with pytest.raises(error, match=message):
        run(tmp_path, "run", study(**{"optional": ("timm:resnet50.byol",)} | change))


def test_a_refusal_names_an_encoder_that_needs_no_download(tmp_path):
    lacking = study(encoders=("timm:resnet50.byol",))
    with pytest.raises(DataUnavailable, match=r"byol@FILE, or .* no download: --encoder tiny:clip"):
        run(tmp_path, "run", lacking)


def test_no_noise_is_a_study_too(tmp_path):
    got = run(tmp_path, "run", study(noise=None))
    assert set(got.metrics["severity"]) == {0}
    assert got.manifest["noise"] == {}


def test_corrupted_folders_take_the_place_of_noise(tmp_path):
    images = datasets.load("textures:16", limit=4)
    rng = np.random.default_rng(0)
    for row in range(len(images)):
        pixels = images.read(row)
        for root, sigma in (("clean", 0), ("worse/1", 20), ("worse/2", 60)):
            folder = tmp_path / root / images.classes[images.labels[row]]
            folder.mkdir(parents=True, exist_ok=True)
            noisy = np.clip(pixels + sigma * rng.normal(size=pixels.shape), 0, 255)
            Image.fromarray(noisy.astype(np.uint8)).save(folder / f"{row}.png")
    declared = study(
        dataset=f"folder:{tmp_path / 'clean'}",
        corrupted=tmp_path / "worse",
        noise="gaussian",
        levels=None,
        limit=None,
    )
    got = run(tmp_path, "run", declared)
    assert got.manifest["noise"]["name"] == "corrupted"
    moved = got.metrics.query("metric == 'displacement' and scope == 'all'")
    assert moved.sort_values("severity")["value"].is_monotonic_increasing
    assert moved["severity"].tolist() == [1, 2]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"encoders": ()}, "at least one encoder"),
        ({"encoders": (encoder(), encoder())}, "named twice"),
        ({"maxdim": 0}, "maxdim"),
        ({"levels": (-0.1,)}, "-0.1"),
        ({"limit": 0}, "limit"),
        ({"limit": 1}, "at least 2 test images"),
    ],
)
def test_what_cannot_run_is_refused_first(tmp_path, counted, change, message):
    with pytest.raises(ValueError, match=message):
        run(tmp_path, "run", study(**change))
    assert counted == []
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_a_killed_run_resumes_to_the_same_tables(tmp_path):
    """kill -9 in the middle of a stage; the next run ends as if nothing had happened."""
    options = ["run", "--data", "textures:16", "--encoder", "pixels:8", "--limit", "4", "--jobs"]
    options += ["1", "--levels", "0.1", "0.3", "--no-report", "--store", f"{tmp_path}/store"]
    command = [sys.executable, "-c", "import sys; from tdafeat.cli import main; sys.exit(main())"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    whole = [*command, *options[:-1], f"{tmp_path}/whole-store", "--out", f"{tmp_path}/whole"]
    subprocess.run(whole, check=True, capture_output=True, env=environment)
    mine = [*command, *options, "--out", f"{tmp_path}/run"]
    process = subprocess.Popen(mine, stderr=subprocess.DEVNULL, env=environment)
    while process.poll() is None and not list((tmp_path / "store").glob("topology/*.zip")):
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert process.returncode == -signal.SIGKILL
    assert not (tmp_path / "run" / "manifest.json").exists()
    subprocess.run(mine, check=True, capture_output=True, env=environment)
    for table in sorted((tmp_path / "whole" / "tables").glob("*.parquet")):
        assert table.read_bytes() == (tmp_path / "run" / "tables" / table.name).read_bytes(), table
