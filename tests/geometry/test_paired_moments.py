"""Likeness from joint moments: that of the whole clouds, however these were cut."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tdafeat.geometry import (
    PairedMoments,
    alignment,
    displacement,
    linear_cka,
    procrustes_disparity,
)


def pair(n=200, d=7, e=5, offset=3.0, seed=0):
    rng = np.random.default_rng(seed)
    a = rng.normal(size=(n, d)) + offset
    return a, a @ rng.normal(size=(d, e)) + rng.normal(size=(n, e))


@settings(max_examples=30, deadline=None)
@given(st.integers(5, 60), st.integers(1, 9), st.integers(1, 9), st.integers(1, 70))
def test_of_any_chunks_likeness_is_that_of_the_clouds(n, d, e, chunk):
    a, b = pair(n, d, e, seed=n)
    moments = PairedMoments.of(a, b, chunk)
    assert moments.n == n
    assert linear_cka(moments) == pytest.approx(linear_cka(a, b), abs=1e-8)
    assert procrustes_disparity(moments) == pytest.approx(procrustes_disparity(a, b), abs=1e-8)


def test_parts_merge_in_any_order_also_far_from_the_origin():
    a, b = pair(offset=1e4)
    parts = [PairedMoments.of(a[k::3], b[k::3]) for k in range(3)]
    for order in ((0, 1, 2), (2, 0, 1)):
        first, second, third = (parts[k] for k in order)
        merged = first + (second + third)
        assert linear_cka(merged) == pytest.approx(linear_cka(a, b), abs=1e-8)
        np.testing.assert_allclose(merged.means[0], a.mean(axis=0))


@pytest.mark.parametrize("metric", [alignment, displacement])
def test_of_any_parts_distances_of_pairs_are_those_of_the_clouds(metric):
    a, _ = pair()
    b = np.roll(a, 1, axis=1) + 2
    parts = [PairedMoments.of(a[k::3], b[k::3], chunk=10) for k in range(3)]
    assert metric(parts[2] + (parts[0] + parts[1])) == pytest.approx(metric(a, b), rel=1e-12)


def test_distances_of_pairs_need_equal_columns_and_directions():
    a, b = pair()
    for metric in (alignment, displacement):
        with pytest.raises(ValueError, match="equally many columns"):
            metric(PairedMoments.of(a, b))
    zero = np.where(np.arange(200)[:, None] == 150, 0.0, a)
    moments = PairedMoments.of(a, zero, chunk=30)
    assert displacement(moments) == pytest.approx(np.linalg.norm(a[150]) / 200)
    with pytest.raises(ValueError, match="some are all zeros"):
        alignment(moments)


@pytest.mark.parametrize("value", [0.0, 1 / 3, 1e-49, 1e49])
def test_a_single_point_is_like_nothing(value):
    moments = PairedMoments.of(pair()[0], np.full((200, 2), value), chunk=30)
    assert np.isnan(linear_cka(moments))
    assert np.isnan(procrustes_disparity(moments))


@pytest.mark.parametrize("scale", [1e-40, 1e40])
def test_fourth_powers_stay_within_range(scale):
    a, b = pair()
    assert linear_cka(PairedMoments.of(scale * a, b)) == pytest.approx(linear_cka(a, b), abs=1e-9)


def test_a_memory_map_is_read_in_chunks(tmp_path):
    a, b = pair()
    np.save(tmp_path / "a.npy", a.astype(np.float32))
    file = np.load(tmp_path / "a.npy", mmap_mode="r")
    found = linear_cka(PairedMoments.of(file, b, chunk=64))
    assert found == pytest.approx(linear_cka(np.array(file), b), abs=1e-8)


def test_what_does_not_fit_is_refused():
    a, b = pair()
    with pytest.raises(ValueError, match="same images; got 200 and 199 rows"):
        PairedMoments.of(a, b[1:])
    with pytest.raises(ValueError, match=r"a\[0:200\] must have a largest entry"):
        PairedMoments.of(1e80 * a, b)
    with pytest.raises(ValueError, match=r"a\[100:200\] must be finite"):
        PairedMoments.of(np.where(np.arange(200)[:, None] == 150, np.nan, a), b, chunk=100)
    with pytest.raises(ValueError, match="chunk must be at least 1; got 0"):
        PairedMoments.of(a, b, chunk=0)
    for function in (linear_cka, procrustes_disparity):
        with pytest.raises(ValueError, match="b must be left out beside moments"):
            function(PairedMoments.of(a, b), b)
    with pytest.raises(ValueError, match="equally many columns"):
        PairedMoments.of(a, b) + PairedMoments.of(b, b)
    with pytest.raises(ValueError, match="at least 4 images; got 3"):
        linear_cka(PairedMoments.of(a[:3], b[:3]))
