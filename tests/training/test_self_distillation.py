import math

import pytest
import torch
from torch import nn
from torch.nn.functional import normalize

from tdafeat.geometry import koleo
from tdafeat.training.self_distillation import (
    cosine,
    distillation_loss,
    follow,
    koleo_loss,
    masked_patch_loss,
    random_masks,
    targets,
)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def logits(*shape, seed=0):
    return torch.randn(*shape, generator=generator(seed))


def test_targets_are_centred_then_sharpened():
    raw, centre = logits(5, 4), logits(4, seed=1)
    expected = torch.exp((raw - centre) / 0.2)
    expected /= expected.sum(dim=1, keepdim=True)
    torch.testing.assert_close(targets(raw, centre, 0.2), expected)
    sharp = targets(raw, centre, 1e-3)
    assert torch.equal(sharp.argmax(dim=1), (raw - centre).argmax(dim=1))
    assert sharp.max(dim=1).values.min() > 0.999


def test_the_loss_is_the_papers_double_sum():
    student, taught = logits(5, 7, 6), logits(2, 7, 6, seed=1).softmax(dim=-1)
    terms = []
    for g in range(2):
        for v in range(5):
            if v != g:
                q = (student[v].double() / 0.1).softmax(dim=-1)
                terms.append(-(taught[g].double() * q.log()).sum(dim=-1).mean())
    expected = torch.stack(terms).mean()
    torch.testing.assert_close(
        distillation_loss(student, taught, 0.1).double(), expected, rtol=1e-5, atol=1e-5
    )


def test_the_loss_is_smallest_at_the_taught_distribution():
    taught = logits(1, 9, 6).softmax(dim=-1).expand(2, 9, 6)
    student = (0.1 * taught[:1].log()).expand(3, 9, 6).clone().requires_grad_()
    value = distillation_loss(student, taught, 0.1)
    entropy = -(taught * taught.log()).sum(dim=-1).mean()
    torch.testing.assert_close(value, entropy)
    value.backward()
    assert student.grad.abs().max() < 1e-6


def test_a_view_is_not_taught_by_its_own_crop():
    student, taught = logits(2, 3, 4), logits(2, 3, 4, seed=1).softmax(dim=-1)
    expected = (
        distillation_loss(student[[1, 1]], taught[[0, 0]], 1.0)
        + distillation_loss(student[[0, 0]], taught[[1, 1]], 1.0)
    ) / 2
    torch.testing.assert_close(distillation_loss(student, taught, 1.0), expected)


def test_masked_patches_against_a_loop():
    student, taught = logits(4, 6, 5), logits(4, 6, 5, seed=1).softmax(dim=-1)
    masked = torch.tensor([[1, 0, 0, 1, 0, 0], [0] * 6, [1] * 6, [0, 1, 0, 0, 0, 0]]).bool()
    per_image = []
    for b in (0, 2, 3):
        q = (student[b] / 0.3).softmax(dim=-1)
        terms = [-(taught[b, t] * q[t].log()).sum() for t in range(6) if masked[b, t]]
        per_image.append(torch.stack(terms).mean())
    expected = torch.stack(per_image).mean()
    torch.testing.assert_close(masked_patch_loss(student, taught, masked, 0.3), expected)


def test_patches_that_are_seen_teach_nothing():
    student = logits(2, 4, 3).requires_grad_()
    masked = torch.tensor([[True, False, True, False], [False] * 4])
    masked_patch_loss(student, logits(2, 4, 3, seed=1).softmax(-1), masked, 0.1).backward()
    moved = student.grad.abs().sum(dim=-1) > 0
    assert torch.equal(moved, masked)
    nothing = masked_patch_loss(logits(2, 4, 3), logits(2, 4, 3).softmax(-1), ~masked & masked, 1.0)
    assert nothing == 0


@pytest.mark.parametrize(("n", "dimension"), [(2, 3), (50, 4), (200, 32)])
def test_koleo_is_the_metric_of_geometry(n, dimension):
    points = logits(n, dimension)
    assert koleo_loss(points).item() == pytest.approx(koleo(points.numpy()), abs=1e-5)


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        ([[1, 0], [0, 1]], -0.5 * math.log(2)),
        ([[1, 0], [-1, 0]], -math.log(2)),
        ([[0, 1], [1, 0], [1, 1], [-1, 0], [0, -1], [-1, -1]], 0.2674),  # as DINOv2's code gives
    ],
)
def test_koleo_of_known_points(points, expected):
    assert koleo_loss(torch.tensor(points).float()).item() == pytest.approx(expected, abs=1e-4)


def test_koleo_spreads_points():
    points = (torch.tensor([1.0, 0, 0]) + 0.1 * logits(40, 3)).requires_grad_()
    optimiser = torch.optim.SGD([points], lr=0.1)
    before = points.detach().clone()
    for _ in range(200):
        optimiser.zero_grad()
        koleo_loss(points).backward()
        optimiser.step()
    after = points.detach()
    assert koleo(after.numpy()) < koleo(before.numpy()) - 1
    together = [normalize(p, dim=1).mean(dim=0).norm() for p in (before, after)]
    assert together[0] > 0.95
    assert together[1] < 0.7


def test_koleo_of_duplicates_is_finite():
    points = torch.ones(4, 3, requires_grad=True)
    value = koleo_loss(points)
    value.backward()
    assert value.item() == pytest.approx(koleo(torch.ones(4, 3).numpy()), rel=1e-5)
    assert points.grad.isfinite().all()


def test_masks():
    masks = random_masks(4000, 36, generator())
    counts = masks.sum(dim=1)
    hidden = counts[counts > 0]
    assert 0.45 < len(hidden) / 4000 < 0.55
    assert hidden.min() >= 0.1 * 36 - 1
    assert hidden.max() <= 0.5 * 36
    assert 0.28 < hidden.float().mean() / 36 < 0.32
    share = masks[counts > 0].float().mean(dim=0)  # every position alike
    assert share.min() > 0.25
    assert share.max() < 0.35
    assert torch.equal(masks, random_masks(4000, 36, generator()))
    assert random_masks(100, 4, generator(), share=(0.0, 0.0)).sum(dim=1).max() == 1


def test_the_cosine_runs_from_start_to_end():
    values = [cosine(step, 50, 0.9, 1.0) for step in range(51)]
    assert values[0] == pytest.approx(0.9)
    assert values[-1] == pytest.approx(1.0)
    assert values == sorted(values)
    assert values[25] == pytest.approx(0.95)


def test_a_teacher_follows_in_closed_form():
    teacher, student = nn.Linear(3, 2), nn.Linear(3, 2)
    start, goal = teacher.weight.clone(), student.weight.clone()
    for _ in range(10):
        follow(teacher, student, momentum=0.9)
    expected = goal + 0.9**10 * (start - goal)
    torch.testing.assert_close(teacher.weight.detach(), expected.detach())
    assert torch.equal(student.weight, goal)
