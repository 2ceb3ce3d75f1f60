"""The trainers as commands, on a folder of tiny pictures."""

import json
import shlex

import pytest
import torch
from safetensors.torch import load_file

from tdafeat import encoders
from tdafeat.encoders.classifier import read_classifier
from tdafeat.encoders.densenet import DenseNet
from tdafeat.training import classifier, loop, siamese


def card_of(path):
    return json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))


class Killed(BaseException):
    pass


@pytest.fixture(scope="module")
def trained(pictures, tmp_path_factory):
    path = tmp_path_factory.mktemp("trained") / "stripes.safetensors"
    assert classifier.METHOD.main(train_densenet(pictures, path)) == 0
    return path


def train_densenet(pictures, path, epochs=2):
    return ["--data", pictures, "--epochs", str(epochs), "--device", "cpu", "--out", str(path)]


def test_weights_and_card(trained, pictures):
    card = card_of(trained)
    data = {"name": pictures, "split": "train", "n_images": 40, "classes": ["across", "down"]}
    assert card["train"]["data"].items() >= data.items()
    assert [entry["epoch"] for entry in card["train"]["history"]] == [1, 2]
    assert card["train"]["settings"]["epochs"] == 2
    command = f"--data {pictures} --epochs 2 --device cpu --out stripes.safetensors"
    assert card["train"]["command"] == f"python -m tdafeat.training.classifier {command}"
    encoder = encoders.load(f"densenet:stripes@{trained}")
    assert encoder.version == card["version"]
    assert encoder.encode(torch.zeros(2, 1, 28, 28)).shape == (2, 192)


def test_killed_after_an_epoch_and_started_again(trained, pictures, tmp_path, monkeypatch):
    keep = loop._keep

    def keep_then_die(*arguments):
        keep(*arguments)
        raise Killed

    path = tmp_path / "stripes.safetensors"
    with monkeypatch.context() as patch:
        patch.setattr(loop, "_keep", keep_then_die)
        with pytest.raises(Killed):
            classifier.METHOD.main(train_densenet(pictures, path))
    assert not path.exists()
    assert classifier.METHOD.main(train_densenet(pictures, path)) == 0
    whole, resumed = load_file(trained), load_file(path)
    assert whole.keys() == resumed.keys()
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


def test_the_cards_number_is_measured_again_by_its_command(trained, pictures, capsys, monkeypatch):
    before, weights = card_of(trained), trained.read_bytes()
    test = classifier.prepared(pictures, "test", classifier.PREPROCESSING)
    predicted = classifier.predict(read_classifier(DenseNet, trained), test, torch.device("cpu"))
    share = float((predicted == test.labels).double().mean())
    assert before["test"]["accuracy"] == pytest.approx(share, abs=1e-5)
    assert before["test"]["data"]["n_images"] == 16
    monkeypatch.chdir(trained.parent)
    python, m, module, *words = shlex.split(before["test"]["command"])
    assert (python, m, module) == ("python", "-m", "tdafeat.training.classifier")
    assert classifier.METHOD.main(words) == 0
    assert f"test accuracy {share:.4f} on 16 images" in capsys.readouterr().out
    assert card_of(trained) == before
    assert trained.read_bytes() == weights


def test_siamese_on_it(trained, pictures, tmp_path, capsys):
    path = tmp_path / "stripes.safetensors"
    arguments = [*train_densenet(pictures, path, epochs=3), "--backbone", str(trained)]
    assert siamese.METHOD.main(arguments) == 0
    backbone, weights = load_file(trained), load_file(path)
    assert all(torch.equal(weights[f"densenet.{name}"], backbone[name]) for name in backbone)
    card = card_of(path)
    assert card["train"]["mining"] == "semi-hard"
    assert card["train"]["backbone"] == card_of(trained)["version"]
    for space in ("pixels", "densenet", "siamese"):
        assert 0 < card["test"][space]["mean_average_precision"] <= 1
        assert -1 <= card["test"][space]["silhouette"] <= 1
    path.with_suffix(".json").write_text(json.dumps(card | {"test": {}}), encoding="utf-8")
    capsys.readouterr()
    assert (
        siamese.METHOD.main(["--data", pictures, "--evaluate", str(path), "--device", "cpu"]) == 0
    )
    assert card_of(path) == card  # the measured numbers are written into it again
    told = capsys.readouterr().out
    assert f"{card['test']['siamese']['mean_average_precision']:.3f}" in told
    rows = encoders.load(f"siamese:stripes@{path}").encode(torch.rand(3, 1, 28, 28))
    assert torch.allclose(rows.norm(dim=1), torch.ones(3), atol=1e-5)


@pytest.mark.parametrize(
    ("module", "arguments", "sentence"),
    [
        (classifier, ["--data", "fashoin_mnist"], "did you mean 'fashion_mnist'"),
        (classifier, ["--data", "folder:/nowhere"], "/nowhere is not a folder"),
        (classifier, ["--device", "tpu"], "device must be"),
        (classifier, ["--data", "textures:8", "--epochs", "0"], "epochs must be at least 1; got 0"),
        (siamese, ["--backbone", "nowhere.pt"], "nowhere.pt: there is no such checkpoint"),
    ],
)
def test_bad_input_is_one_sentence(module, arguments, sentence, tmp_path, capsys):
    assert module.METHOD.main(["--out", str(tmp_path / "w.safetensors"), *arguments]) == 2
    told = capsys.readouterr().err.strip()
    assert sentence in told
    assert "\n" not in told
    assert list(tmp_path.iterdir()) == []


def test_missing_weights_are_not_measured(capsys):
    assert classifier.METHOD.main(["--evaluate", "nowhere.safetensors"]) == 2
    assert "nowhere.safetensors: there is no such checkpoint" in capsys.readouterr().err


def test_weights_for_other_classes_are_not_measured(trained, capsys):
    assert classifier.METHOD.main(["--data", "textures:8", "--evaluate", str(trained)]) == 2
    assert "knows 2 classes, the data has 16" in capsys.readouterr().err


def test_a_training_goes_on_only_as_it_began(trained, pictures, capsys):
    arguments = train_densenet(pictures, trained)
    assert classifier.METHOD.main([*arguments, "--batch-size", "7"]) == 2
    assert "batch_size was 128, now 7" in capsys.readouterr().err


def test_siamese_needs_a_backbone(tmp_path, capsys):
    assert siamese.METHOD.main(["--out", str(tmp_path / "w.safetensors")]) == 2
    assert "--backbone is needed" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["--out", "a", "--evaluate", "b"]])
def test_either_trains_or_measures(arguments):
    with pytest.raises(SystemExit):
        classifier.METHOD.main(arguments)
