import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tdafeat.topology import distance_matrix, landscape
from tdafeat.topology.surfaces import (
    heat_distance,
    image_distance,
    landscape_distance,
    sliced_wasserstein,
)

DISTANCES = (heat_distance, image_distance, landscape_distance, sliced_wasserstein)
NONE = np.empty((0, 2))
seeds = st.integers(0, 2**32 - 1)
every = pytest.mark.parametrize("distance", DISTANCES)


@every
@settings(max_examples=25, deadline=None)
@given(seed=seeds)
def test_metric_axioms(distance, random_diagram, seed):
    rng = np.random.default_rng(seed)
    a, b, c = (random_diagram(rng, int(rng.integers(0, 12))) for _ in range(3))
    assert distance(a, a) == 0
    assert distance(a, rng.permutation(a)) == 0
    assert distance(a, b) == pytest.approx(distance(b, a), rel=1e-9, abs=1e-12)
    assert distance(a, c) <= (distance(a, b) + distance(b, c)) * (1 + 1e-9)


@every
def test_essential_bars_by_sorted_births(distance):
    inf = np.inf
    assert distance(np.array([[0, inf]]), NONE) == inf
    a, b = np.array([[3, inf], [0, inf]]), np.array([[1, inf], [5, inf]])  # 0-1, 3-5
    adds_up = distance in (sliced_wasserstein, landscape_distance)
    assert distance(a, b) == pytest.approx(3 if adds_up else 5**0.5)
    assert distance(NONE, NONE) == 0
    bars = np.array([[0.0, 1.0]])
    with_both = distance(np.concatenate([bars, a]), np.concatenate([NONE, b]))
    assert with_both > max(distance(bars, NONE), distance(a, b))


@every
def test_bars_on_the_diagonal_weigh_nothing(distance, random_diagram):
    rng = np.random.default_rng(0)
    a, b = random_diagram(rng, 8), random_diagram(rng, 9)
    more = np.concatenate([a, [[0.3, 0.3], [0.9, 0.9]]])
    assert distance(more, b) == pytest.approx(distance(a, b), rel=1e-9)


def test_sliced_wasserstein_and_heat_agree_with_persim(random_diagram):
    persim = pytest.importorskip("persim")
    rng = np.random.default_rng(1)
    a, b = random_diagram(rng, 15), random_diagram(rng, 11)
    # persim rounds its directions to float32.
    for n_slices in (1, 7, 50):
        expected = persim.sliced_wasserstein(a, b, M=n_slices)
        assert sliced_wasserstein(a, b, n_slices) == pytest.approx(expected, rel=1e-5)
    for sigma in (0.01, 0.4):
        assert heat_distance(a, b, sigma) == pytest.approx(persim.heat(a, b, sigma), rel=1e-9)


def test_fine_persistence_images_of_persim_tend_to_it(random_diagram):
    persim = pytest.importorskip("persim")
    rng = np.random.default_rng(2)
    a, b = random_diagram(rng, 6), random_diagram(rng, 5)
    sigma, pixel = 0.2, 0.05
    imager = persim.PersistenceImager(
        birth_range=(-2, 3),
        pers_range=(-2, 4),
        pixel_size=pixel,
        weight="persistence",
        weight_params={"n": 1.0},
        kernel_params={"sigma": [[sigma**2, 0.0], [0.0, sigma**2]]},
    )
    first, second = (imager.transform(x, skew=True) for x in (a, b))
    # A pixel holds the integral over its area.
    expected = math.sqrt(((first - second) ** 2).sum()) / pixel
    assert image_distance(a, b, sigma) == pytest.approx(expected, rel=0.01)


def test_landscapes_agree_with_finely_sampled_ones_and_nearly_with_those_of_persim():
    persim = pytest.importorskip("persim")
    rng = np.random.default_rng(3)
    births = rng.random((2, 8))
    a, b = (np.column_stack([x, x + rng.exponential(0.5, 8)]) for x in births)  # no ties
    first, second = (persim.PersLandscapeExact(dgms=[x], hom_deg=0) for x in (a, b))
    at = np.linspace(0, max(a.max(), b.max()), 100_001)
    levels = abs(landscape(a, at, 8) - landscape(b, at, 8))
    for order in (1, 2, 3.5):
        sampled = ((levels**order).sum() * at[1]) ** (1 / order)
        assert landscape_distance(a, b, order) == pytest.approx(sampled, rel=1e-7)
    for order in (1, 2, 3):  # persim's norms of differences are off where levels cross
        expected = (first - second).p_norm(order)
        assert landscape_distance(a, b, order) == pytest.approx(expected, rel=1e-3)
    assert landscape_distance(a, b, math.inf) == pytest.approx((first - second).sup_norm())


@settings(max_examples=25, deadline=None)
@given(seeds, st.integers(0, 12), st.integers(0, 12), st.sampled_from(["spread", "zero"]))
def test_landscapes_agree_with_sampled_ones_between_all_their_kinks(
    random_diagram, seed, n, m, births
):
    rng = np.random.default_rng(seed)
    a, b = random_diagram(rng, n, births), random_diagram(rng, m, births)
    ends = np.unique(np.concatenate([a, b]))
    kinks = np.unique(np.add.outer(ends, ends) / 2)  # tents cross half way between two ends
    at = np.concatenate([kinks, (kinks[1:] + kinks[:-1]) / 2])
    levels = landscape(a, at, max(n, m, 1)) - landscape(b, at, max(n, m, 1))
    ends, middles = levels[:, : len(kinks)] ** 2, levels[:, len(kinks) :] ** 2
    # Simpson's rule is exact for a parabola.
    square = (np.diff(kinks) * (ends[:, 1:] + 4 * middles + ends[:, :-1])).sum() / 6
    assert landscape_distance(a, b, 2.0) == pytest.approx(math.sqrt(square), rel=1e-9, abs=1e-12)
    largest = abs(levels).max(initial=0.0)
    assert landscape_distance(a, b, math.inf) == pytest.approx(largest, rel=1e-9, abs=1e-12)


def test_a_short_bar_counts_beside_a_long_one():
    long, short = np.array([[0.0, 1e6]]), np.array([[0.0, 1e6], [3.0, 3.0 + 1e-6]])
    assert landscape_distance(long, short) == pytest.approx(0.25e-12, rel=1e-3)


@every
@pytest.mark.parametrize("size", [1e-6, 1e-9, 1e-12])
def test_small_changes_are_measured_to_many_digits(distance, random_diagram, size):
    # Distances are of functions that are smooth in the ends of the bars, so they shrink in step.
    rng = np.random.default_rng(6)
    a = random_diagram(rng, 13).round(3) + np.array([0, 0.1])
    way = rng.normal(size=(13, 2)).round(3)
    sizes = np.array([size, 2 * size])
    near, far = (distance(a, a + s * way) / np.abs(a + s * way - a).max() for s in sizes)
    assert near == pytest.approx(far, rel=2e-3)  # a itself holds a change of 1e-12 to 4 digits
    reference = distance(a, a + 1e-5 * way) / np.abs(a + 1e-5 * way - a).max()
    assert near == pytest.approx(reference, rel=1e-3)


def test_unmatched_bars_in_nearly_equal_diagrams(random_diagram):
    # A bar of length l has an image of norm l / (2 sqrt(pi) sigma), and, held at zero on the
    # diagonal, the heat of two opposite hills at a distance of sqrt(2) l.
    rng = np.random.default_rng(7)
    a = random_diagram(rng, 10)
    for length in (1e-7, 1e-10):
        more = np.vstack([a, [0.5, 0.5 + length]])
        length = more[-1, 1] - 0.5
        expected = length / (2 * math.sqrt(math.pi) * 0.1)
        for pair in ((more, a), (a, more)):
            assert image_distance(*pair, 0.1) == pytest.approx(expected, rel=1e-9)
            sigma = 0.4
            square = -np.expm1(-(length**2) / (4 * sigma)) / (8 * math.pi * sigma)
            assert heat_distance(*pair, sigma) == pytest.approx(math.sqrt(square), rel=1e-6)


def test_closed_forms_of_one_bar():
    bar = np.array([[0.0, 2.0]])
    # A tent of height 1 on [0, 2]: its square integrates to 2/3.
    assert landscape_distance(bar, NONE) == 1
    assert landscape_distance(bar, NONE, order=2.0) == pytest.approx(math.sqrt(2 / 3), rel=1e-12)
    # Weight 2, squared norm of a normal density in the plane 1 / (4 pi sigma^2).
    assert image_distance(bar, NONE, 0.5) == pytest.approx(2 / math.sqrt(math.pi), rel=1e-12)


@pytest.mark.parametrize(
    ("distance", "parameters", "message"),
    [
        ("heat", {"sigma": 0}, "sigma must be positive and finite; got 0"),
        ("persistence-image", {"sigma": np.nan}, "sigma must be positive"),
        ("landscape", {"order": 0.5}, "order must be at least 1, inf included"),
        ("sliced-wasserstein", {"n_slices": 0}, "n_slices must be at least 1"),
    ],
)
def test_bad_parameters(distance, parameters, message):
    with pytest.raises(ValueError, match=message):
        distance_matrix([[], [[0, 1]]], distance=distance, **parameters)
