"""The trainers as commands, on a folder of tiny pictures."""

import json

import pytest
import torch
from safetensors.torch import load_file

from tdafeat import encoders
from tdafeat.encoders.siamese import read_densenet
from tdafeat.training import densenet, loop, siamese
from tdafeat.training.card import read_card


class Killed(BaseException):
    pass


@pytest.fixture(scope="module")
def trained(pictures, tmp_path_factory):
    path = tmp_path_factory.mktemp("trained") / "stripes.safetensors"
    assert densenet.main(train_densenet(pictures, path)) == 0
    return path


def train_densenet(pictures, path, epochs=2):
    return ["--data", pictures, "--epochs", str(epochs), "--device", "cpu", "--out", str(path)]


def test_weights_and_card(trained, pictures):
    card = read_card(trained)
    assert card["data"] == {"name": pictures, "n": 40, "classes": ["across", "down"]}
    assert [entry["epoch"] for entry in card["history"]] == [1, 2]
    assert card["command"].startswith("python -m tdafeat.training.densenet --data ")
    assert card["settings"]["epochs"] == 2
    encoder = encoders.load(f"densenet:stripes@{trained}")
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
            densenet.main(train_densenet(pictures, path))
    assert not path.exists()
    assert densenet.main(train_densenet(pictures, path)) == 0
    whole, resumed = load_file(trained), load_file(path)
    assert whole.keys() == resumed.keys()
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


def test_evaluation_puts_the_measured_number_into_the_card(trained, pictures, capsys):
    before = read_card(trained)
    arguments = [*train_densenet(pictures, trained), "--evaluate"]
    assert densenet.main(arguments) == 0
    card = json.loads(trained.with_suffix(".json").read_text(encoding="utf-8"))
    measured = card.pop("measured")
    before.pop("measured", None)
    assert card == before
    test = densenet.prepared(pictures, "test", densenet.PREPROCESSING)
    predicted = densenet.predict(read_densenet(trained), test, torch.device("cpu"))
    share = float((predicted == test.labels).double().mean())
    assert measured["test_accuracy"] == round(share, 4)
    assert measured["n"] == 16
    assert measured["command"].endswith("--evaluate")
    assert f"test accuracy {share:.4f} on 16 images" in capsys.readouterr().out


def test_siamese_on_it(trained, pictures, tmp_path):
    path = tmp_path / "stripes.safetensors"
    arguments = [*train_densenet(pictures, path, epochs=3), "--backbone", str(trained)]
    assert siamese.main(arguments) == 0
    backbone = load_file(trained)
    weights = load_file(path)
    assert all(torch.equal(weights[f"densenet.{name}"], backbone[name]) for name in backbone)
    assert siamese.main([*arguments, "--evaluate"]) == 0
    card = read_card(path)
    assert card["settings"]["mining"] == "batch-hard"
    assert 0 < card["measured"]["backbone_mean_average_precision"] <= 1
    assert 0 < card["measured"]["mean_average_precision"] <= 1
    assert card["measured"]["n"] == 16
    rows = encoders.load(f"siamese:stripes@{path}").encode(torch.rand(3, 1, 28, 28))
    assert torch.allclose(rows.norm(dim=1), torch.ones(3), atol=1e-5)


@pytest.mark.parametrize(
    ("module", "arguments", "sentence"),
    [
        (densenet, ["--data", "fashoin_mnist"], "did you mean 'fashion_mnist'"),
        (densenet, ["--data", "folder:/nowhere"], "/nowhere is not a folder"),
        (densenet, ["--device", "tpu"], "device must be"),
        (densenet, ["--evaluate"], "there is no such checkpoint"),
        (siamese, ["--backbone", "nowhere.pt"], "nowhere.pt: there is no such checkpoint"),
    ],
)
def test_bad_input_is_one_sentence(module, arguments, sentence, tmp_path, capsys):
    assert module.main(["--out", str(tmp_path / "w.safetensors"), *arguments]) == 2
    told = capsys.readouterr().err.strip()
    assert sentence in told
    assert "\n" not in told
    assert list(tmp_path.iterdir()) == []


def test_weights_for_other_classes_are_not_measured(trained, tmp_path, capsys):
    arguments = ["--data", "textures:28", "--out", str(trained), "--evaluate", "--device", "cpu"]
    assert densenet.main(arguments) == 2
    assert "knows 2 classes, the data has 16" in capsys.readouterr().err


def test_siamese_needs_a_backbone(tmp_path, capsys):
    with pytest.raises(SystemExit):
        siamese.main(["--out", str(tmp_path / "w.safetensors")])
    assert "--backbone is needed" in capsys.readouterr().err
