import pickle

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from tdafeat.encoders.checkpoint import fill, read_history, read_weights
from tdafeat.errors import DataUnavailable, UnreadableData

STATE = {"weight": torch.arange(6.0).reshape(2, 3), "bias": torch.ones(2)}


class Payload:
    def __reduce__(self):
        return open, ("unpickled.txt", "w")


@pytest.fixture(params=["safetensors", "pt", "legacy pt", "wrapped", "parallel"])
def written(request, tmp_path):
    path = tmp_path / "weights.pt"
    if request.param == "safetensors":
        path = tmp_path / "weights.safetensors"
        save_file(STATE, path)
    elif request.param == "pt":
        torch.save(STATE, path)
    elif request.param == "legacy pt":
        torch.save(STATE, path, _use_new_zipfile_serialization=False)
    elif request.param == "wrapped":
        torch.save({"epoch": 3, "state_dict": STATE}, path)
    else:
        torch.save({"model": {f"module.{k}": v for k, v in STATE.items()}}, path)
    return path


def test_reads_every_form_checkpoints_are_published_in(written):
    state = read_weights(written)
    assert state.keys() == STATE.keys()
    assert all(torch.equal(state[name], STATE[name]) for name in STATE)


def _pickled(path):
    path.write_bytes(pickle.dumps({"weight": Payload()}))


def _object(path):
    torch.save({"weight": Payload()}, path)


def _program(path):
    torch.jit.script(nn.Linear(3, 2)).save(path)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(
    ("write", "reason"),
    [(_pickled, "pickled objects"), (_object, "pickled objects"), (_program, "TorchScript")],
)
def test_nothing_is_unpickled(write, reason, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "evil.pt")
    with pytest.raises(UnreadableData, match=reason):
        read_weights(tmp_path / "evil.pt")
    assert not (tmp_path / "unpickled.txt").exists()


@pytest.mark.parametrize("name", ["weights.pt", "weights.safetensors"])
@pytest.mark.parametrize("share", [0.0, 0.5, 0.95])
def test_truncated_files_are_refused(name, share, tmp_path):
    path = tmp_path / name
    torch.save(STATE, path) if path.suffix == ".pt" else save_file(STATE, path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(
        UnreadableData, match=r"weights\.\w+: not a readable checkpoint \(it is dam"
    ):
        read_weights(path)


def test_files_without_tensors_are_refused(tmp_path):
    torch.save({"epoch": 3}, tmp_path / "numbers.pt")
    with pytest.raises(UnreadableData, match="no named tensors"):
        read_weights(tmp_path / "numbers.pt")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataUnavailable, match=r"nowhere\.pt: there is no such checkpoint"):
        read_weights(tmp_path / "nowhere.pt")


def test_fill_loads_exactly():
    layer = nn.Linear(3, 2)
    fill(layer, STATE, "here")
    assert torch.equal(layer.weight, STATE["weight"])


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"weight": STATE["weight"]}, "1 missing, 0 unexpected, 0 of another shape; bias is miss"),
        (STATE | {"scale": torch.ones(1)}, "scale is not expected"),
        (STATE | {"bias": torch.ones(3)}, r"bias is \(3,\) for \(2,\)"),
    ],
)
def test_fill_refuses_other_architectures_and_leaves_the_network(state, message):
    layer = nn.Linear(3, 2)
    before = layer.weight.clone()
    with pytest.raises(UnreadableData, match=f"here: weights of another architecture.*{message}"):
        fill(layer, state, "here")
    assert torch.equal(layer.weight, before)


@pytest.mark.parametrize(
    "card", ["{}", '{"test": {"accuracy": 1}}', "[1]", "no json", '{"train": 3}']
)
def test_weights_need_no_card(tmp_path, card):
    assert read_history(tmp_path / "w.safetensors") == []
    (tmp_path / "w.json").write_text(card)
    assert read_history(tmp_path / "w.safetensors") == []
