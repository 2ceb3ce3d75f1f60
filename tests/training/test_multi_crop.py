import math

import pytest
import torch

from tdafeat.training import multi_crop
from tdafeat.training.multi_crop import blurred, cropped, look, recoloured


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def ramps(n=1, side=32):
    """Red is the column, green the row, each from 0 to 1; blue is empty."""
    axis = (torch.arange(side) + 0.5) / side
    red, green = axis.expand(side, side), axis[:, None].expand(side, side)
    return torch.stack([red, green, torch.zeros(side, side)]).expand(n, 3, side, side)


def images(n=6, side=32):
    return torch.rand(n, 3, side, side, generator=generator(9))


def test_looks_are_drawn_from_the_generator_alone():
    first, again = (look(images(), 16, (0.2, 0.6), generator(3)) for _ in range(2))
    other = look(images(), 16, (0.2, 0.6), generator(4))
    assert first.shape == (6, 3, 16, 16)
    assert torch.equal(first, again)
    assert not torch.allclose(first, other, atol=0.05)
    assert first.min() >= 0
    assert first.max() <= 1


def test_the_whole_image_is_only_turned_or_mirrored():
    """A full-size crop of a disc about the middle is that disc, whatever the angle."""
    side = 33
    axis = torch.linspace(-1, 1, side)
    radius = (axis[None] ** 2 + axis[:, None] ** 2).sqrt()
    disc = ((0.6 - radius) * 8).clamp(0, 1).expand(5, 3, side, side)
    turned = cropped(disc, side, (1.0, 1.0), generator())
    assert (turned - disc).abs().max() < 0.15
    assert (turned - disc).abs().mean() < 0.01


@pytest.mark.parametrize("area", [0.1, 0.4])
def test_a_crop_covers_the_area_asked_for(area):
    """The map from crop to image is read off two colour ramps; inside, it is affine."""
    n, size = 200, 8
    crops = cropped(ramps(n, side=64), size, (area, area), generator())
    across = (crops[:, :2, 3, 4] - crops[:, :2, 3, 3]) * size
    down = (crops[:, :2, 4, 3] - crops[:, :2, 3, 3]) * size
    torch.testing.assert_close(
        across.norm(dim=1), torch.full((n,), math.sqrt(area)), rtol=1e-2, atol=1e-3
    )
    assert (across * down).sum(dim=1).abs().max() < 1e-2
    turn = across[:, 0] * down[:, 1] - across[:, 1] * down[:, 0]
    torch.testing.assert_close(turn.abs(), torch.full((n,), area), rtol=2e-2, atol=1e-3)
    assert 0.35 < (turn < 0).float().mean() < 0.65  # half of them are mirrored
    angle = torch.atan2(across[:, 1], across[:, 0])
    assert min((angle < -2).sum(), (angle > 2).sum(), (angle.abs() < 1).sum()) > 20
    middle = crops[:, :2].mean(dim=(2, 3))
    assert middle.min() < 0.5 * math.sqrt(area) + 0.1
    assert middle.max() > 0.9 - 0.5 * math.sqrt(area)


def test_tones():
    grey = torch.linspace(0.4, 0.6, 8).expand(400, 3, 8, 8)
    changed = recoloured(grey, generator())
    assert (changed - changed.mean(dim=1, keepdim=True)).abs().max() < 1e-5
    contrast = (changed[:, 0, 0, 7] - changed[:, 0, 0, 0]) / 0.2
    assert contrast.min() == pytest.approx(0.5, abs=0.02)
    assert contrast.max() == pytest.approx(1.4, abs=0.02)
    shift = changed[:, 0].mean(dim=(1, 2)) - 0.5
    assert shift.abs().max() < 0.2501
    assert shift.std() > 0.1


def test_half_lose_their_colour_and_the_others_turn_all_the_way_round():
    red = torch.tensor([0.6, 0.45, 0.45])[None, :, None, None].expand(600, 3, 2, 2)
    changed = recoloured(red, generator())[:, :, 0, 0]
    coloured = changed.max(dim=1).values - changed.min(dim=1).values > 1e-3
    assert 0.4 < coloured.float().mean() < 0.6
    strongest = changed[coloured].argmax(dim=1)
    assert torch.bincount(strongest, minlength=3).min() > 60


def test_brightness_is_told_by_luma_alone():
    colours = 0.3 + 0.4 * torch.rand(300, 3, 1, 1, generator=generator(5))
    luma = (colours[:, :, 0, 0] * torch.tensor([0.299, 0.587, 0.114])).sum(dim=1)
    pair = torch.stack(
        [colours.expand(-1, -1, 1, 2), luma[:, None, None, None].expand(-1, 3, 1, 2)]
    )
    seen = [recoloured(each, generator(6)) for each in pair]  # the same changes of both
    inside = torch.stack([(x > 0).all(dim=1) & (x < 1).all(dim=1) for x in seen]).all(dim=0)[
        :, 0, 0
    ]
    weights = torch.tensor([0.299, 0.587, 0.114])[:, None, None]
    first, second = ((weights * x).sum(dim=1)[inside] for x in seen)
    torch.testing.assert_close(first, second, atol=1e-5, rtol=1e-4)
    assert inside.float().mean() > 0.9


def test_blur_keeps_the_mean_and_takes_the_detail():
    point = torch.zeros(200, 3, 15, 15)
    point[:, :, 7, 7] = 1
    spread = blurred(point, generator())
    torch.testing.assert_close(spread.sum(dim=(2, 3)), torch.ones(200, 3))
    peak = spread[:, 0, 7, 7]
    assert 0.35 < (peak > 0.999).float().mean() < 0.7  # half are left alone, or hardly changed
    axis = torch.arange(15) - 7.0
    width = (spread[:, 0].sum(dim=1) * axis**2).sum(dim=1).sqrt()
    assert width.max() < multi_crop.BLUR[1] + 0.05
    assert width.max() > 0.6
    assert torch.equal(spread, spread.transpose(2, 3))
