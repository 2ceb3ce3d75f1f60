import itertools
import math

import numpy as np
import pytest
import torch
from scipy import ndimage, stats

from tdafeat import noise
from tdafeat.errors import UnknownName
from tdafeat.noise import Noise
from tdafeat.random_field import RandomField

BUILT_IN = ("gaussian", "gaussian_normalised", "shot", "impulse", "speckle", "blur", "contrast")
RANDOM = ("gaussian", "gaussian_normalised", "shot", "impulse", "speckle")
IDS = tuple(f"image-{k}" for k in range(6))


@pytest.fixture
def images():
    grid = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (6, 3, 12, 10), generator=grid).float() / 255


def grey(value, n=1, size=200):
    return torch.full((n, 1, size, size), value / 255)


def test_levels_are_imagenet_c_s_and_the_blog_post_s():
    # Hendrycks and Dietterich 2019, their make_imagenet_c.py
    assert noise.load("gaussian").levels == (0.08, 0.12, 0.18, 0.26, 0.38)
    assert noise.load("shot").levels == (60, 25, 12, 5, 3)
    assert noise.load("impulse").levels == (0.03, 0.06, 0.09, 0.17, 0.27)
    assert noise.load("speckle").levels == (0.15, 0.2, 0.35, 0.45, 0.6)
    assert noise.load("blur").levels == (1, 2, 3, 4, 6)
    assert noise.load("contrast").levels == (0.4, 0.3, 0.2, 0.1, 0.05)
    assert noise.load("gaussian_normalised").levels == (0.5, 1.0, 2.0)
    assert noise.load("gaussian_normalised").units == "normalised"


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_level_is_worse_than_the_one_before(name, images):
    chosen = noise.load(name)
    errors = [(noisy - images).square().mean().item() for _, noisy in chosen.sweep(images, IDS)]
    assert errors[0] == 0
    assert all(a < b for a, b in itertools.pairwise(errors))


@pytest.mark.parametrize("name", BUILT_IN)
def test_an_image_alone_gets_what_it_gets_in_a_batch(name, images):
    chosen = noise.load(name)
    whole = chosen.apply(images, IDS, 2, seed=5)
    order = [4, 0, 3]
    part = chosen.apply(images[order], [IDS[i] for i in order], 2, seed=5)
    torch.testing.assert_close(part, whole[order], atol=1e-6, rtol=0)


@pytest.mark.parametrize("name", RANDOM)
def test_seed_and_id_change_the_noise(name, images):
    chosen = noise.load(name)
    base = chosen.apply(images, IDS, 3)
    assert torch.equal(base, chosen.apply(images, IDS, 3))
    assert not torch.equal(base, chosen.apply(images, IDS, 3, seed=1))
    assert not torch.equal(base, chosen.apply(images, IDS[::-1], 3))


@pytest.mark.parametrize("name", BUILT_IN)
def test_arguments_are_left_as_they_are_and_sweep_agrees_with_apply(name, images):
    chosen, before = noise.load(name), images.clone()
    for severity, noisy in chosen.sweep(images, IDS, seed=2):
        assert torch.equal(noisy, chosen.apply(images, IDS, severity, seed=2))
    assert torch.equal(images, before)


@pytest.mark.parametrize("name", [n for n in BUILT_IN if n != "gaussian_normalised"])
def test_pixels_stay_on_the_steps_of_a_picture_file(name, images):
    for _, noisy in noise.load(name).sweep(images, IDS):
        assert noisy.min() >= 0
        assert noisy.max() <= 1
        steps = noisy * 255
        torch.testing.assert_close(steps, steps.round(), atol=1e-4, rtol=0)


def test_the_same_field_at_every_level():
    unit = [
        (noisy - grey(128)) / sigma
        for sigma, (severity, noisy) in zip(
            (1.0, 0.02, 0.05, 0.1),
            noise.load("gaussian", levels=(0.02, 0.05, 0.1)).sweep(grey(128), ["a"]),
            strict=True,
        )
        if severity
    ]
    for later in unit[1:]:
        assert np.corrcoef(unit[0].flatten(), later.flatten())[0, 1] > 0.99


def test_gaussian_moments():
    drawn = (noise.load("gaussian", levels=(0.1,)).apply(grey(128), ["a"], 1) - grey(128)).numpy()
    n = drawn.size
    assert abs(drawn.mean()) < 4 * 0.1 / math.sqrt(n)
    assert abs(drawn.std() / 0.1 - 1) < 4 / math.sqrt(2 * n)


def test_normalised_noise_is_neither_clipped_nor_rounded():
    drawn = noise.load("gaussian_normalised").apply(torch.zeros(1, 3, 100, 100), ["a"], 3)
    assert abs(drawn.std().item() / 2 - 1) < 0.03
    assert drawn.abs().max() > 5
    assert torch.equal(drawn, 2 * RandomField(["a"], (3, 100, 100), 0).normal)


@pytest.mark.parametrize("lam", [60.0, 12.0, 3.0, 0.5])
@pytest.mark.parametrize("value", [1, 40, 128, 255])
def test_shot_noise_is_poisson(lam, value):
    """Pixel by pixel the quantile of scipy's Poisson distribution at the same uniform number."""
    field = RandomField(["a"], (1, 60, 60), 0)
    counts = noise.shot(grey(value, size=60), field, lam) * lam
    expected = stats.poisson.ppf(field.uniform.double().numpy(), value / 255 * lam)
    np.testing.assert_allclose(counts.numpy(), expected, atol=1e-3)


def test_shot_noise_leaves_black_black():
    assert noise.load("shot").apply(grey(0), ["a"], 5).max() == 0


def test_impulse_turns_the_named_share_half_black_half_white():
    noisy = noise.load("impulse", levels=(0.2,)).apply(grey(100), ["a"], 1)
    n = noisy.numel()
    for end in (0, 1):
        share = (noisy == end).float().mean().item()
        assert abs(share - 0.1) < 4 * math.sqrt(0.09 / n)
    rest = noisy[(noisy != 0) & (noisy != 1)]
    torch.testing.assert_close(rest, torch.full_like(rest, 100 / 255))


def test_impulses_of_a_level_stay_at_the_next():
    levels = dict(noise.load("impulse").sweep(grey(100), ["a"]))
    for severity in range(1, 5):
        hit = levels[severity] != levels[0]
        assert torch.equal(levels[severity][hit], levels[severity + 1][hit])


def test_all_impulse():
    noisy = noise.load("impulse", levels=(1.0,)).apply(grey(100), ["a"], 1)
    assert set(noisy.unique().tolist()) == {0.0, 1.0}


def test_speckle_grows_with_the_pixel():
    apply = noise.load("speckle", levels=(0.1,)).apply
    dark, light = (apply(grey(v), ["a"], 1) - grey(v) for v in (51, 153))
    assert abs(light.std() / dark.std() - 3) < 0.05
    assert apply(grey(0), ["a"], 1).max() == 0


@pytest.mark.parametrize("sigma", [0.5, 1.0, 3.0])
def test_blur_agrees_with_scipy(images, sigma):
    field = RandomField(IDS, images.shape[1:], 0)
    blurred = noise.blur(images, field, sigma).numpy()
    expected = ndimage.gaussian_filter(
        images.numpy(), (0, 0, sigma, sigma), mode="nearest", radius=math.ceil(4 * sigma)
    )
    np.testing.assert_allclose(blurred, expected, atol=1e-5)


def test_contrast_keeps_the_mean_of_each_channel(images):
    field = RandomField(IDS, images.shape[1:], 0)
    flat = noise.contrast(images, field, 0.2)
    torch.testing.assert_close(flat.mean(dim=(2, 3)), images.mean(dim=(2, 3)))
    torch.testing.assert_close(flat.std(dim=(2, 3)), 0.2 * images.std(dim=(2, 3)))


@pytest.mark.parametrize(
    ("name", "levels", "words"),
    [
        ("gaussian", (-0.1,), "finite and positive; got -0.1"),
        ("gaussian", (0.0, 0.1), "finite and positive; got 0"),
        ("gaussian", (math.nan,), "finite and positive; got nan"),
        ("gaussian", (math.inf,), "finite and positive; got inf"),
        ("gaussian", (0.2, 0.1), "must strictly increase"),
        ("gaussian", (0.1, 0.1), "must strictly increase"),
        ("gaussian", (), "must not be empty"),
        ("shot", (3, 60), "must strictly decrease"),
        ("contrast", (1.5, 0.5), r"in \(0, 1\]; got 1.5"),
        ("impulse", (1.1,), r"in \(0, 1\]; got 1.1"),
    ],
)
def test_levels_that_make_no_sense(name, levels, words):
    with pytest.raises(ValueError, match=words):
        noise.load(name, levels=levels)


@pytest.mark.parametrize("severity", [-1, 6])
def test_severities_that_are_not_there(images, severity):
    with pytest.raises(ValueError, match="severity of gaussian must be 0 to 5"):
        noise.load("gaussian").apply(images, IDS, severity)


def test_images_that_are_none(images):
    apply = noise.load("gaussian").apply
    for wrong in (images[0], images[:3], (images * 255).to(torch.uint8)):
        with pytest.raises(ValueError, match="images must be float of shape"):
            apply(wrong, IDS, 1)


def test_an_unknown_noise_suggests_the_nearest():
    with pytest.raises(UnknownName, match="did you mean 'gaussian'"):
        noise.load("gausian")


def test_a_noise_of_ones_own(images):
    def fade(images, field, share):
        return images * (1 - share)

    own = Noise("fade", "pixel", "share", (0.5,), fade)
    torch.testing.assert_close(own.apply(images, IDS, 1), images / 2, atol=0.5 / 255 + 1e-6, rtol=0)


def test_the_gpu_gives_the_same_pictures(images):
    if not torch.cuda.is_available():
        pytest.skip("torch sees no CUDA device")
    for name in BUILT_IN:
        for severity, noisy in noise.load(name).sweep(images, IDS):
            there = noise.load(name).apply(images.cuda(), IDS, severity).cpu()
            differ = (there - noisy).abs() > 1e-4  # a value on the edge of a step may fall aside
            assert differ.float().mean() < 1e-3, (name, severity)
