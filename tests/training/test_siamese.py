import itertools

import pytest
import torch
from torch.nn.functional import normalize, triplet_margin_loss

from tdafeat.encoders.densenet import DenseNet
from tdafeat.encoders.siamese import Siamese
from tdafeat.training.data import Batchable
from tdafeat.training.loop import Settings, seeded
from tdafeat.training.siamese import (
    MININGS,
    batch_hard,
    random_triplets,
    semi_hard,
    spread,
    train,
    triplet_loss,
)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def batch(n=24, n_classes=4, seed=0):
    rows = normalize(torch.randn(n, 5, generator=generator(seed)), dim=1)
    return rows, torch.arange(n) % n_classes, torch.cdist(rows, rows)


def others(labels, anchor):
    everyone = range(len(labels))
    same = [j for j in everyone if labels[j] == labels[anchor] and j != anchor]
    return same, [j for j in everyone if labels[j] != labels[anchor]]


@pytest.mark.parametrize("mining", MININGS.values(), ids=MININGS)
@pytest.mark.parametrize("seed", range(5))
def test_positives_and_negatives_are_what_they_are_called(mining, seed):
    _, labels, distances = batch(seed=seed)
    positive, negative = mining(distances, labels, generator(seed))
    for anchor in range(len(labels)):
        same, different = others(labels, anchor)
        assert positive[anchor] in same
        assert negative[anchor] in different


def test_batch_hard_by_brute_force():
    _, labels, distances = batch()
    positive, negative = batch_hard(distances, labels, generator())
    for anchor in range(len(labels)):
        same, different = others(labels, anchor)
        assert positive[anchor] == max(same, key=lambda j: distances[anchor, j])
        assert negative[anchor] == min(different, key=lambda j: distances[anchor, j])


def test_semi_hard_by_brute_force():
    seen = set()
    for seed in range(20):
        _, labels, distances = batch(n=8, n_classes=2, seed=seed)
        positive, negative = semi_hard(distances, labels, generator(seed))
        for anchor in range(len(labels)):
            _, different = others(labels, anchor)
            reach = distances[anchor, positive[anchor]]
            beyond = [j for j in different if distances[anchor, j] > reach]
            seen.add(bool(beyond))
            if beyond:
                expected = min(beyond, key=lambda j: distances[anchor, j])
            else:
                expected = max(different, key=lambda j: distances[anchor, j])
            assert negative[anchor] == expected
    assert seen == {True, False}


def test_random_triplets_reach_every_candidate_alike():
    _, labels, distances = batch(n=6, n_classes=2)
    draws = [random_triplets(distances, labels, generator(seed)) for seed in range(600)]
    positives = torch.stack([p for p, _ in draws])[:, 0].bincount(minlength=6)
    negatives = torch.stack([n for _, n in draws])[:, 0].bincount(minlength=6)
    assert positives.tolist()[::2][0] == 0
    assert (positives[[2, 4]] > 240).all()
    assert (negatives[[1, 3, 5]] > 150).all()


@pytest.mark.parametrize("mining", MININGS.values(), ids=MININGS)
def test_the_loss_is_torchs(mining):
    rows, labels, distances = batch()
    positive, negative = mining(distances, labels, generator(3))
    expected = triplet_margin_loss(rows, rows[positive], rows[negative], margin=0.5, eps=0)
    loss = triplet_loss(rows, labels, mining, generator(3))
    assert float(loss) == pytest.approx(float(expected), abs=1e-5)


def test_anchors_without_a_pair_are_left_out():
    rows, _, _ = batch(n=5)
    labels = torch.tensor([0, 0, 1, 2, 3])
    distances = torch.cdist(rows, rows)
    far = [min(float(distances[a, j]) for j in (2, 3, 4)) for a in (0, 1)]
    expected = sum(max(0, float(distances[0, 1]) - d + 0.5) for d in far) / 2
    loss = triplet_loss(rows, labels, batch_hard, generator())
    assert float(loss) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("labels", [[0, 0, 0], [0, 1, 2]])
def test_a_batch_without_triplets_costs_nothing_and_has_a_gradient(labels):
    rows = normalize(torch.randn(3, 5, generator=generator()), dim=1).requires_grad_()
    loss = triplet_loss(rows, torch.tensor(labels), batch_hard, generator())
    loss.backward()
    assert loss.item() == 0
    assert torch.equal(rows.grad, torch.zeros(3, 5))


def test_duplicates_have_a_finite_gradient():
    rows = torch.tensor([[1.0, 0], [1, 0], [1, 0], [1, 0]], requires_grad=True)
    triplet_loss(rows, torch.tensor([0, 0, 1, 1]), batch_hard, generator()).backward()
    assert rows.grad.isfinite().all()


def test_a_sample_of_a_sorted_set_sees_every_class_alike():
    labels = torch.arange(5).repeat_interleave(1000)
    assert labels[spread(5000)].bincount().tolist() == [400] * 5
    assert spread(7).tolist() == list(range(7))


@pytest.fixture(scope="module")
def data():
    pixels = torch.randint(0, 256, (30, 1, 28, 28), generator=generator(), dtype=torch.uint8)
    labels = torch.arange(30) % 2
    pixels[labels == 1, :, :14] //= 4
    return Batchable(pixels, labels, ("a", "b"))


def test_training_changes_the_head_alone_and_is_the_same_twice(data, tmp_path):
    with seeded(0):
        densenet = DenseNet(2)
    before = {name: value.clone() for name, value in densenet.state_dict().items()}
    cpu = torch.device("cpu")
    settings = Settings(4, batch_size=9)
    networks, histories = zip(
        *(
            train(data, densenet, "batch-hard", settings, cpu, tmp_path / name)
            for name in ("first", "second")
        ),
        strict=True,
    )
    for name, value in densenet.state_dict().items():
        assert torch.equal(value, before[name]), name  # the batch statistics included
    assert all(p.grad is None for p in densenet.parameters())
    assert histories[0] == histories[1]
    assert histories[0][-1]["loss"] < histories[0][0]["loss"]
    for a, b in itertools.pairwise(network.state_dict() for network in networks):
        assert all(torch.equal(a[name], b[name]) for name in a)
    with seeded(0):
        untrained = Siamese(densenet)
    assert not torch.equal(networks[0].projection[0].weight, untrained.projection[0].weight)
