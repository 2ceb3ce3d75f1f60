import json
import math
import shlex

import pytest
import torch

from tdafeat import encoders
from tdafeat.encoders.tiny_dino import Architecture, preprocessing
from tdafeat.evaluation.predictors import WeightedNeighbours
from tdafeat.training import dino
from tdafeat.training.data import Batchable, prepared
from tdafeat.training.dino import METHOD
from tdafeat.training.loop import Settings, seeded
from tdafeat.training.self_distillation import koleo_loss, masked_patch_loss
from tdafeat.training.student_teacher import Recipe, SelfDistillation

SMALL = Architecture(size=16, patch=4, width=16, depth=1, heads=2)
CROPS = Recipe(global_size=12, local_size=8, local_crops=2, prototypes=32)
SETTINGS = Settings(
    2, batch_size=9, optimiser="adamw", schedule="cosine", warmup=2, clip=3.0, keep="last"
)
CPU = torch.device("cpu")


class Killed(BaseException):
    pass


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def stripes(n=40):
    """Two classes of coarse and fine stripes in colours of their own."""
    labels = torch.arange(n) % 2
    period = torch.where(labels == 0, 8, 4)[:, None]
    wave = (torch.arange(16)[None] % period < period // 2).float()
    colours = torch.rand(n, 2, 3, 1, 1, generator=generator())
    wave = wave[:, None, None, :].expand(n, 1, 16, 16)
    pixels = (255 * (wave * colours[:, 0] + (1 - wave) * colours[:, 1])).to(torch.uint8)
    return Batchable(pixels, labels, ("coarse", "fine"))


def learner(recipe=CROPS):
    with seeded(0):
        return SelfDistillation(SMALL, recipe)


def batch(n=5, seed=0):
    large = torch.randn(2 * n, 3, 12, 12, generator=generator(seed))
    return large, torch.randn(2 * n, 3, 8, 8, generator=generator(seed + 1))


def test_crops_of_every_size_go_through_one_network():
    network = learner()
    for size, n_patches in ((16, 16), (12, 9), (8, 4)):
        classes, patches = network.student(torch.randn(3, 3, size, size))
        assert classes.shape == (3, 16)
        assert patches.shape == (3, n_patches, 16)
    assert network.student.head(classes).shape == (3, 32)


def test_logits_are_cosines():
    head = learner().student.head
    tokens = torch.randn(7, 16)
    assert head(tokens).abs().max() <= 1 + 1e-6
    with torch.no_grad():
        head.prototypes.mul_(3)
    expected = head(tokens)
    with torch.no_grad():
        head.prototypes.div_(3)
    torch.testing.assert_close(head(tokens), expected)


def test_the_teacher_starts_as_the_student_and_learns_by_following_alone():
    network = learner()
    for old, new in zip(network.teacher.parameters(), network.student.parameters(), strict=True):
        assert torch.equal(old, new)
        assert not old.requires_grad
        assert new.requires_grad
    network.loss(*batch(), None).backward()
    assert all(p.grad is None for p in network.teacher.parameters())
    missing = [n for n, p in network.student.named_parameters() if p.grad is None]
    assert missing == ["mask_token"]  # patches are hidden for iBOT alone


def test_the_centre_is_a_running_mean_of_the_teachers_logits():
    network = learner()
    large, small = batch()
    expected = torch.zeros(32)
    mean = network.teacher.head(network.teacher(large)[0]).mean(dim=0)
    for _ in range(3):
        network.loss(large, small, None)
        expected = 0.9 * expected + 0.1 * mean
    torch.testing.assert_close(network.centre, expected)
    torch.testing.assert_close(network.centre, (1 - 0.9**3) * mean)
    assert network.patch_centre.abs().max() == 0


def test_switches():
    large, small = batch()

    def loss(centre=0.0, **changes):
        network = learner(Recipe(**{**vars(CROPS), **changes}))
        network.centre += centre
        return network, network.loss(large, small, None)

    network, plain = loss(centring=False)
    assert network.centre.abs().max() == 0
    _, blunt = loss(centring=False, sharpening=False)
    _, same = loss(centring=False, teacher_temperature=CROPS.student_temperature)
    assert torch.equal(blunt, same)
    assert not torch.equal(blunt, plain)
    network, spread = loss(centring=False, koleo=0.5)
    seen = network.student(large)[0]
    expected = (koleo_loss(seen[:5]) + koleo_loss(seen[5:])) / 2
    torch.testing.assert_close(spread - plain, 0.5 * expected)


def test_hidden_patches_are_hidden_from_the_student():
    network = learner()
    large = batch()[0]
    with torch.no_grad():
        network.student.mask_token.normal_(generator=generator())
    masked = torch.zeros(10, 9, dtype=torch.bool)
    masked[:, 4] = True
    changed = large.clone()  # inside the hidden patch, its mean and spread being the same
    changed[:, :, 4:8, 4:8] = large[:, :, 4:8, 4:8].flip(-1)
    for seen, unseen in zip(
        network.student(large, masked), network.student(changed, masked), strict=True
    ):
        torch.testing.assert_close(seen, unseen)
    open_ = network.student(large)[0]
    assert not torch.allclose(open_, network.student(changed)[0], atol=1e-3)
    nothing = network.student(large, torch.zeros_like(masked))[0]
    assert torch.equal(nothing, open_)


def test_ibot_teaches_hidden_patches():
    network = learner(Recipe(**{**vars(CROPS), "ibot": 1.0}))
    large, small = batch()
    masked = dino.random_masks(10, 9, generator(1))
    total = network.loss(large, small, masked)
    alone = learner()
    alone.recipe = CROPS
    with torch.no_grad():
        read = alone.student(large, masked)[1]
        taught = (alone.teacher.head(alone.teacher(large)[1]) / CROPS.teacher_temperature).softmax(
            dim=-1
        )
        expected = alone.loss(large, small, masked)  # weight 0: the class tokens' part
        expected += masked_patch_loss(alone.student.head(read), taught, masked, 0.1)
    torch.testing.assert_close(total.detach(), expected)
    total.backward()
    assert network.student.mask_token.grad.abs().max() > 0
    assert network.patch_centre.abs().max() > 0


def test_the_momentum_rises_to_one(tmp_path, monkeypatch):
    momenta = []
    monkeypatch.setattr(dino, "follow", lambda teacher, student, m: momenta.append(m))
    train(tmp_path, steps=(), momentum=0.9)
    assert momenta == pytest.approx([0.95 - 0.05 * math.cos(math.pi * k / 8) for k in range(1, 9)])


def train(folder, steps=(0, 3, 8), **changes):
    seen = {}
    network, history = dino.train(
        stripes(),
        Recipe(**{**vars(CROPS), "ibot": 0.5, "koleo": 0.1, **changes}),
        SETTINGS,
        CPU,
        folder / "state",
        observe=lambda step, teacher: seen.update({step: teacher}),
        steps=steps,
        architecture=SMALL,
    )
    return network, history, seen


def equal(a, b):
    a, b = a.state_dict(), b.state_dict()
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def test_the_teacher_is_seen_along_the_way(tmp_path):
    network, history, seen = train(tmp_path)
    assert list(seen) == [0, 3, 8]
    with seeded(0):
        untrained = SelfDistillation(SMALL, CROPS).teacher.backbone
    assert equal(seen[0], untrained)
    assert equal(seen[8], network)  # 36 images, 4 steps of 9 in each of 2 epochs
    assert not equal(seen[3], seen[0])
    assert not equal(seen[3], seen[8])
    assert not any(each.training for each in (network, *seen.values()))
    assert len(history) == 2
    assert all(0 <= entry["score"] <= 1 for entry in history)
    assert all(0 <= entry["information"] <= math.log(32) for entry in history)


@pytest.mark.parametrize("answer", ["one prototype", "all alike", "one of each class"])
def test_a_teacher_that_answers_the_same_to_every_image_tells_nothing(answer, monkeypatch):
    network, data = learner(), stripes()
    logits = {
        "one prototype": 100.0 * torch.eye(32)[[7] * 40],
        "all alike": torch.zeros(40, 32),
        "one of each class": 100.0 * torch.eye(32)[data.labels],
    }[answer]
    monkeypatch.setattr(network.teacher.head, "forward", lambda tokens: logits)
    expected = math.log(2) if answer == "one of each class" else 0.0
    assert dino.information(network, data, CPU) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("killed_at", [2, 6])
def test_a_killed_training_goes_on_to_the_same_bits(killed_at, tmp_path, monkeypatch):
    network, history, seen = train(tmp_path / "whole")
    steps = 0

    def follow_or_die(*arguments):
        nonlocal steps
        steps += 1
        if steps == killed_at:
            raise Killed
        follow(*arguments)

    follow = dino.follow
    with monkeypatch.context() as patch:
        patch.setattr(dino, "follow", follow_or_die)
        with pytest.raises(Killed):
            train(tmp_path / "killed")
    resumed, again, observed = train(tmp_path / "killed")
    assert again == history
    assert equal(resumed, network)
    assert all(equal(observed[step], seen[step]) for step in seen)
    finished, _, shown = train(tmp_path / "killed")  # nothing left to do
    assert equal(finished, network)
    assert all(equal(shown[step], seen[step]) for step in seen)


@pytest.mark.parametrize(
    ("change", "told"), [({"koleo": 0.2}, "recipe was"), ({"steps": (0, 4)}, "steps was")]
)
def test_another_training_is_refused(change, told, tmp_path):
    train(tmp_path)
    with pytest.raises(ValueError, match=f"state of another training .{told}"):
        train(tmp_path, **change)


def test_steps_outside_the_training(tmp_path):
    with pytest.raises(ValueError, match=r"steps must lie from 0 to 8.*got \[0, 9\]"):
        train(tmp_path, steps=(9, 0))


def test_images_of_another_size(tmp_path):
    with pytest.raises(ValueError, match=r"shape \(3, 64, 64\); got \(3, 16, 16\)"):
        dino.train(stripes(), CROPS, SETTINGS, CPU, tmp_path / "state")


def test_neighbours_vote():
    """With features that are the class, every vote is right; with constant ones, one class wins."""
    data = stripes(60)

    class Knowing:
        def __init__(self, features):
            self.features = features

        def forward_features(self, images):
            return self.features(images)[:, None]

    def period(images):
        return torch.nn.functional.one_hot(
            (images[:, 0, 0].diff(dim=1).abs() > 1e-3).sum(dim=1).gt(4).long(), 2
        ).float()

    assert dino.neighbour_accuracy(Knowing(period), data, data, CPU) > 0.95
    constant = Knowing(lambda images: torch.ones(len(images), 2))
    assert dino.neighbour_accuracy(constant, data, data, CPU) == 0.5


def test_as_a_command(pictures, tmp_path, monkeypatch, capsys):
    path = tmp_path / "dino.safetensors"
    shared = ["--data", pictures, "--device", "cpu"]
    assert METHOD.main([*shared, "--epochs", "1", "--ibot", "0.5", "--out", str(path)]) == 0
    card = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    assert card["train"]["recipe"]["ibot"] == 0.5
    assert card["train"]["settings"]["keep"] == "last"
    assert card["train"]["data"]["n_images"] == 40
    assert card["test"]["data"]["n_images"] == 16
    encoder = encoders.load("tiny:dino", checkpoint=str(path))
    assert encoder.version == card["version"]
    train_, test = (prepared(pictures, split, preprocessing(64)) for split in ("train", "test"))
    features = [encoder.encode(dino.normalised(part.pixels, CPU)) for part in (train_, test)]
    voters = WeightedNeighbours().fit(features[0].numpy(), train_.labels.numpy(), 2)
    share = (voters.scores(features[1].numpy()).argmax(axis=1) == test.labels.numpy()).mean()
    assert card["test"]["knn_accuracy"] == pytest.approx(share)
    capsys.readouterr()
    monkeypatch.chdir(tmp_path)
    python, m, module, *words = shlex.split(card["test"]["command"])
    assert (python, m, module) == ("python", "-m", "tdafeat.training.dino")
    assert METHOD.main(words) == 0
    assert f"k-NN accuracy {share:.4f} on 16 images" in capsys.readouterr().out
    assert json.loads(path.with_suffix(".json").read_text(encoding="utf-8")) == card
