from hashlib import sha256

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

from tdafeat import random_kernels
from tdafeat.random_field import RandomField, splitmix64

SHAPE = (3, 32, 32)
MASK = (1 << 64) - 1


def reference(key, n):
    """SplitMix64 in Python's own integers."""
    state, out = key, []
    for _ in range(n):
        state = (state + 0x9E3779B97F4A7C15) & MASK
        z = state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        out.append(z ^ (z >> 31))
    return out


def test_published_outputs():
    # the values published with the reference implementation for seed 1234567
    published = [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]
    drawn = splitmix64(torch.tensor(1234567), torch.arange(5)).numpy().view(np.uint64)
    assert drawn.tolist() == published == reference(1234567, 5)


@given(st.integers(-(2**63), 2**63 - 1))
@settings(max_examples=50)
def test_any_key_agrees_with_plain_integers(key):
    drawn = splitmix64(torch.tensor(key), torch.arange(8)).numpy().view(np.uint64)
    assert drawn.tolist() == reference(key & MASK, 8)


@given(st.permutations(["a", "b/1.png", "b/2.png", "ü", ""]), st.integers(1, 5))
@settings(max_examples=25, deadline=None)
def test_batch_and_order_change_nothing(ids, size):
    whole = RandomField(ids, (1, 4, 4), seed=3).uniform
    for start in range(0, len(ids), size):
        part = RandomField(ids[start : start + size], (1, 4, 4), seed=3).uniform
        assert torch.equal(part, whole[start : start + size])


def test_seed_and_id_each_change_the_field():
    fields = [
        RandomField(["a"], SHAPE, 0),
        RandomField(["b"], SHAPE, 0),
        RandomField(["a"], SHAPE, 1),
    ]
    for i, one in enumerate(fields):
        for other in fields[:i]:
            assert (one.uniform == other.uniform).float().mean() < 1e-3


def test_uniform_is_uniform_and_open():
    uniform = RandomField([f"{k}" for k in range(40)], SHAPE, seed=0).uniform.numpy().ravel()
    assert uniform.dtype == np.float32
    assert 0 < uniform.min() < 1e-4
    assert 1 - 1e-4 < uniform.max() < 1
    assert stats.kstest(uniform, "uniform").pvalue > 1e-3
    # bits low in the fraction are as random as the high ones
    counts = np.bincount((uniform * 2**23).astype(np.int64) & 255, minlength=256)
    assert stats.chisquare(counts).pvalue > 1e-3


def test_the_uniform_kernel_is_the_generator():
    field = RandomField(["a", "b"], (3, 5, 7), seed=4)
    drawn = splitmix64(field._keys()[:, None], torch.arange(105)).numpy().view(np.uint64)
    expected = ((drawn >> np.uint64(41)).astype(np.float32) + np.float32(0.5)) * 2.0**-23
    np.testing.assert_array_equal(field.uniform.numpy().reshape(2, -1), expected)


def test_normals_are_the_quantiles_of_the_uniform_numbers():
    # Cephes' double-precision quantile is exact here; float32 itself resolves 6e-8
    field = RandomField([f"{k}" for k in range(40)], (3, 128, 128), seed=2)
    exact = special.ndtri(field.uniform.numpy().astype(np.float64))
    np.testing.assert_allclose(field.normal.numpy(), exact, rtol=4e-7, atol=0)


def test_normals_of_the_outermost_uniform_numbers():
    # the smallest and largest values a field can hold, and those next to the median
    ends = np.array([1, 3, 2**23 - 1, 2**23 + 1, 2**24 - 1]) * 2.0**-24
    found = [random_kernels._quantile(np.float32(end)) for end in ends]
    np.testing.assert_allclose(found, special.ndtri(ends), rtol=4e-7)


def test_both_fields_are_the_same_bits_on_every_machine():
    # integers, and IEEE 754's own rounding of sums, products, quotients and roots: nothing else
    field = RandomField(["a", "b"], SHAPE, seed=0)
    digests = [sha256(f.numpy().tobytes()).hexdigest()[:16] for f in (field.uniform, field.normal)]
    assert digests == ["fdf80e7a851cf376", "250c40a55a3aee53"]


def test_normal_is_normal():
    normal = RandomField([f"{k}" for k in range(40)], SHAPE, seed=1).normal.numpy().ravel()
    n = len(normal)
    assert abs(normal.mean()) < 4 / np.sqrt(n)
    assert abs(normal.var() - 1) < 4 * np.sqrt(2 / n)
    assert abs(stats.skew(normal)) < 4 * np.sqrt(6 / n)
    assert abs(stats.kurtosis(normal)) < 4 * np.sqrt(24 / n)
    assert stats.kstest(normal, "norm").pvalue > 1e-3


def test_neighbours_are_uncorrelated():
    field = RandomField([f"image-{k}" for k in range(64)], SHAPE, seed=0).normal.numpy()
    pairs = {
        "columns": (field[..., :-1], field[..., 1:]),
        "rows": (field[..., :-1, :], field[..., 1:, :]),
        "channels": (field[:, :-1], field[:, 1:]),
        "images": (field[:-1], field[1:]),
        "squares": (field[..., :-1] ** 2, field[..., 1:] ** 2),
    }
    for name, (one, other) in pairs.items():
        r = np.corrcoef(one.ravel(), other.ravel())[0, 1]
        assert abs(r) < 4.5 / np.sqrt(one.size), name


def test_seeds_are_uncorrelated():
    one, other = (RandomField(["a"] * 20, (3, 64, 64), seed).normal[0] for seed in (0, 1))
    r = np.corrcoef(one.flatten(), other.flatten())[0, 1]
    assert abs(r) < 4.5 / np.sqrt(one.numel())


def test_a_negative_seed_is_refused():
    with pytest.raises(ValueError, match="seed must not be negative; got -1"):
        RandomField(["a"], SHAPE, seed=-1)


def test_the_gpu_draws_the_same_field():
    if not torch.cuda.is_available():
        pytest.skip("torch sees no CUDA device")
    here, there = (RandomField(["a", "b"], SHAPE, 0, device) for device in ("cpu", "cuda"))
    assert torch.equal(here.uniform, there.uniform.cpu())
    torch.testing.assert_close(here.normal, there.normal.cpu(), atol=1e-5, rtol=1e-5)
