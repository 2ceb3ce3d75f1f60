import math

import pytest
import torch
from torch import nn

from tdafeat.errors import UnreadableData
from tdafeat.training.loop import Settings, fit, seeded

X = torch.randn(50, 3, generator=torch.Generator().manual_seed(0))
Y = X @ torch.tensor([[1.0], [-2.0], [0.5]])


class Killed(Exception):
    pass


def network():
    with seeded(1):
        return nn.Sequential(nn.Linear(3, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 1))


def train(
    path, epochs=4, kill_in=None, scores=None, task=None, after_step=None, model=None, **settings
):
    """Regression on noisy inputs, killed in the middle of epoch `kill_in`."""
    model = model or network()
    batches = 0

    def loss(rows, generator):
        nonlocal batches
        batches += 1
        if kill_in is not None and batches == (kill_in - 1) * 5 + 3:
            raise Killed
        noisy = X[rows] + 0.1 * torch.randn(len(rows), 3, generator=generator)
        return (model(noisy) - Y[rows]).square().mean()

    given = iter(scores or ())
    score = (lambda: next(given)) if scores else lambda: -float((model(X) - Y).square().mean())
    chosen = Settings(epochs, batch_size=10, **settings)
    outcome = fit(model, 50, loss, score, chosen, path, task, after_step)
    return model, outcome


def equal(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def test_loss_falls_and_the_course_is_told(tmp_path):
    model, outcome = train(tmp_path / "state", epochs=15, learning_rate=0.02)
    losses = [entry["loss"] for entry in outcome.history]
    assert [entry["epoch"] for entry in outcome.history] == list(range(1, 16))
    assert losses[-1] < 0.25 * losses[0]
    assert not model.training


@pytest.mark.parametrize("killed_in", [1, 2, 4])
def test_a_killed_run_goes_on_to_the_same_bits(killed_in, tmp_path):
    whole, expected = train(tmp_path / "whole")
    with pytest.raises(Killed):
        train(tmp_path / "killed", kill_in=killed_in)
    resumed, outcome = train(tmp_path / "killed")
    assert equal(resumed.state_dict(), whole.state_dict())
    assert outcome.history == expected.history


def test_more_epochs_go_on_from_the_last(tmp_path):
    whole, _ = train(tmp_path / "whole", epochs=4)
    train(tmp_path / "state", epochs=2)
    longer, _ = train(tmp_path / "state", epochs=4)
    assert equal(longer.state_dict(), whole.state_dict())


def test_the_best_epoch_is_kept(tmp_path):
    best, outcome = train(tmp_path / "best", epochs=4, scores=[0.1, 0.9, 0.3, 0.9])
    until, _ = train(tmp_path / "until", epochs=2, scores=[0.1, 0.9])
    assert equal(best.state_dict(), until.state_dict())
    assert equal(outcome.weights, until.state_dict())


def test_the_rate_is_halved_on_a_plateau(tmp_path):
    _, outcome = train(tmp_path / "state", epochs=6, scores=[0.5] * 6, patience=1)
    rates = [entry["learning_rate"] for entry in outcome.history]
    assert rates == [1e-3, 1e-3, 1e-3, 5e-4, 5e-4, 2.5e-4]


def test_the_plateau_is_remembered_by_the_state(tmp_path):
    whole, expected = train(tmp_path / "whole", epochs=6, scores=[0.5] * 6, patience=1)
    train(tmp_path / "state", epochs=2, scores=[0.5] * 2, patience=1)
    resumed, outcome = train(tmp_path / "state", epochs=6, scores=[0.5] * 4, patience=1)
    assert outcome.history == expected.history
    assert equal(resumed.state_dict(), whole.state_dict())


COSINE = {"schedule": "cosine", "warmup": 4, "optimiser": "adamw", "clip": 1.0, "keep": "last"}


def rates(path, monkeypatch, **settings):
    """The learning rate of every step of two epochs of five."""
    seen = []

    class Optimiser(torch.optim.Adam):
        def step(self, *arguments):
            seen.append(self.param_groups[0]["lr"])
            return super().step(*arguments)

    monkeypatch.setattr(torch.optim, "Adam", Optimiser)
    train(path, epochs=2, learning_rate=0.5, **settings)
    return seen


def test_the_rate_warms_up_then_falls_along_a_cosine(tmp_path, monkeypatch):
    seen = rates(tmp_path / "state", monkeypatch, schedule="cosine", warmup=4)
    falling = [0.25 * (1 + math.cos(math.pi * step / 6)) for step in range(6)]
    assert seen == pytest.approx([0.1, 0.2, 0.3, 0.4, *falling])


def test_without_warmup_the_cosine_starts_at_once(tmp_path, monkeypatch):
    seen = rates(tmp_path / "state", monkeypatch, schedule="cosine")
    assert seen == pytest.approx([0.25 * (1 + math.cos(math.pi * k / 10)) for k in range(10)])


@pytest.mark.parametrize("killed_in", [1, 3])
def test_a_killed_cosine_goes_on_to_the_same_bits(killed_in, tmp_path):
    whole, expected = train(tmp_path / "whole", **COSINE)
    with pytest.raises(Killed):
        train(tmp_path / "killed", kill_in=killed_in, **COSINE)
    resumed, outcome = train(tmp_path / "killed", **COSINE)
    assert equal(resumed.state_dict(), whole.state_dict())
    assert outcome.history == expected.history


def test_a_cosine_cannot_be_made_longer(tmp_path):
    train(tmp_path / "state", epochs=1, **COSINE)
    with pytest.raises(ValueError, match="epochs was 1, now 2"):
        train(tmp_path / "state", epochs=2, **COSINE)


def test_the_last_epoch_is_kept_if_asked(tmp_path):
    scores = [0.9, 0.1]
    last, outcome = train(tmp_path / "last", epochs=2, scores=scores, keep="last")
    first, _ = train(tmp_path / "best", epochs=2, scores=scores)
    assert not equal(last.state_dict(), first.state_dict())
    assert equal(outcome.weights, last.state_dict())


def test_decay_leaves_biases_and_norms_alone(tmp_path):
    """Without a gradient, decoupled decay alone moves weights: by 1 - rate * decay per step."""
    model = network()
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    settings = Settings(1, batch_size=10, optimiser="adamw", learning_rate=0.1, weight_decay=0.5)
    fit(model, 50, lambda rows, _: 0 * model(X[rows]).sum(), lambda: 0.0, settings, tmp_path / "s")
    for name, p in model.named_parameters():
        expected = before[name] * (0.95**5 if p.ndim > 1 else 1)
        torch.testing.assert_close(p.detach(), expected)


def test_long_gradients_are_clipped(tmp_path):
    lengths = []

    def after_step(step):
        lengths.append(torch.stack([p.grad.norm() for p in model.parameters()]).norm())

    model = network()
    train(tmp_path / "state", epochs=1, clip=0.01, after_step=after_step, model=model)
    assert max(lengths) == pytest.approx(0.01, rel=1e-3)


def test_steps_are_counted_over_epochs_and_resumed(tmp_path):
    seen = []
    train(tmp_path / "state", epochs=1, after_step=seen.append)
    train(tmp_path / "state", epochs=3, after_step=seen.append)
    assert seen == list(range(1, 16))
    assert Settings(3, batch_size=10).steps(50) == 15
    assert Settings(3, batch_size=8, images_per_epoch=20).steps(50) == 9


def test_a_teacher_inside_the_network_is_resumed_too(tmp_path):
    """An average that follows the weights after every step is the same after a kill."""

    def averaging():
        model = network()
        model.register_buffer("average", torch.zeros(8))
        return model, lambda step: model.average.lerp_(model[0].bias.detach(), 0.1)

    whole, after_step = averaging()
    train(tmp_path / "whole", after_step=after_step, model=whole)
    killed, after_step = averaging()
    with pytest.raises(Killed):
        train(tmp_path / "killed", kill_in=3, after_step=after_step, model=killed)
    resumed, after_step = averaging()
    train(tmp_path / "killed", after_step=after_step, model=resumed)
    assert resumed.average.abs().max() > 0
    assert torch.equal(resumed.average, whole.average)


def test_warmup_belongs_to_the_cosine():
    with pytest.raises(ValueError, match="warmup belongs to schedule 'cosine'; got 'plateau'"):
        Settings(1, warmup=3)


def test_a_loss_that_is_not_finite_is_told(tmp_path):
    model = network()
    with pytest.raises(ValueError, match="loss of epoch 1 is not finite"):
        fit(
            model,
            50,
            lambda rows, _: model(X[rows]).sum() * float("nan"),
            lambda: 0.0,
            Settings(1),
            tmp_path / "state",
        )
    assert not (tmp_path / "state").exists()


def test_a_damaged_state_is_refused(tmp_path):
    train(tmp_path / "state", epochs=1)
    whole = (tmp_path / "state").read_bytes()
    (tmp_path / "state").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UnreadableData, match="delete it to start anew"):
        train(tmp_path / "state")


def test_the_state_of_another_network_is_refused(tmp_path):
    train(tmp_path / "state", epochs=1)
    other = nn.Linear(3, 1)
    with pytest.raises(UnreadableData, match="not the state of this training"):
        fit(other, 50, lambda r, g: other(X).sum(), lambda: 0.0, Settings(2), tmp_path / "state")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"learning_rate": 0.01}, "learning_rate was 0.001, now 0.01"),
        ({"seed": 2}, "seed was 0, now 2"),
        ({"task": {"data": "b"}}, "data was 'a', now 'b'"),
    ],
)
def test_the_state_of_another_training_is_refused(change, told, tmp_path):
    train(tmp_path / "state", epochs=1, task={"data": "a"})
    with pytest.raises(ValueError, match=f"state of another training .{told}"):
        train(tmp_path / "state", **{"task": {"data": "a"}, **change})


def test_a_part_of_the_images_for_each_epoch(tmp_path):
    model, seen = network(), []

    def loss(rows, generator):
        seen.append(rows)
        return (model(X[rows]) - Y[rows]).square().mean()

    settings = Settings(2, batch_size=8, images_per_epoch=20)
    fit(model, 50, loss, lambda: 0.0, settings, tmp_path / "state")
    assert [len(rows) for rows in seen] == [8, 8, 4, 8, 8, 4]
    first, second = set(torch.cat(seen[:3]).tolist()), set(torch.cat(seen[3:]).tolist())
    assert len(first) == len(second) == 20
    assert first != second


def test_low_precision_is_for_the_forward_pass_alone(tmp_path):
    model, seen = network(), set()

    def loss(rows, generator):
        predicted = model(X[rows])
        seen.add(predicted.dtype)
        return (predicted - Y[rows]).square().mean()

    def score():
        seen.add(model(X).dtype)
        return 0.0

    settings = Settings(1, batch_size=10, precision="bfloat16")
    fit(model, 50, loss, score, settings, tmp_path / "state")
    assert seen == {torch.bfloat16, torch.float32}
    assert {p.dtype for p in model.parameters()} == {torch.float32}


@pytest.mark.parametrize("name", ["epochs", "batch_size", "images_per_epoch"])
def test_settings_that_make_no_sense(name):
    with pytest.raises(ValueError, match=f"{name} must be at least 1; got 0"):
        Settings(**{"epochs": 1, name: 0})


def test_only_weights_that_learn_are_changed(tmp_path):
    model = nn.Sequential(nn.Linear(3, 3).requires_grad_(False), nn.Linear(3, 1))
    before = model[0].weight.clone()
    fit(
        model,
        50,
        lambda rows, _: (model(X[rows]) - Y[rows]).square().mean(),
        lambda: 0.0,
        Settings(1),
        tmp_path / "state",
    )
    assert torch.equal(model[0].weight, before)


def test_seeded_leaves_the_global_generator_as_it_was():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    with seeded(0):
        torch.rand(100)
    assert torch.equal(torch.rand(3), expected)
