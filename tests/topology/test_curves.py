import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tdafeat.topology import (
    betti_curve,
    filtration_grid,
    landscape,
    silhouette,
    total_persistence,
)

BARS = [[0, 1], [1, 4], [2, np.inf]]


def test_hand_computed():
    assert betti_curve(BARS, [-1, 0, 0.5, 1, 2, 3.9, 4, 9]).tolist() == [0, 1, 1, 1, 2, 2, 1, 1]
    layers = landscape([[0, 2], [1, 4], [0, np.inf]], [0.5, 1.5, 2.5, 9], n_layers=3)
    assert layers.tolist() == [[0.5, 0.5, 1.5, 0], [0, 0.5, 0, 0], [0, 0, 0, 0]]
    # tents 0.5 and 0.5 at 1.5; weights 2 : 3
    assert silhouette([[0, 2], [1, 4]], [1.5, 2.5]) == pytest.approx([0.5, 0.9])


def test_no_bars_and_bars_of_no_length():
    for bars in ([], [[1, 1]], [[0, np.inf]]):
        assert landscape(bars, [0, 1], n_layers=2).tolist() == [[0, 0], [0, 0]]
        assert silhouette(bars, [0, 1]).tolist() == [0, 0]
    assert betti_curve([], [0, 1]).tolist() == [0, 0]


@settings(deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(0, 12))
def test_betti_curve_counts_and_integrates_to_total_persistence(random_diagram, seed, n):
    diagram = random_diagram(np.random.default_rng(seed), n)
    steps = np.unique(diagram)
    curve = betti_curve(diagram, steps)
    for value, count in zip(steps, curve, strict=True):
        assert count == sum(birth <= value < death for birth, death in diagram)
    assert (curve[:-1] * np.diff(steps)).sum() == pytest.approx(total_persistence(diagram))


@settings(deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(0, 12), shift=st.floats(0, 0.2))
def test_landscapes_are_sorted_share_out_all_tents_and_are_stable(random_diagram, seed, n, shift):
    rng = np.random.default_rng(seed)
    diagram = random_diagram(rng, n)
    values = rng.random(7)
    layers = landscape(diagram, values, n_layers=max(n, 1))
    tents = [np.maximum(np.minimum(values - b, d - values), 0) for b, d in diagram]
    np.testing.assert_allclose(layers.sum(axis=0), sum(tents, np.zeros(7)), atol=1e-12)
    assert (np.diff(layers, axis=0) <= 0).all()
    np.testing.assert_array_equal(
        layers[:3], landscape(rng.permutation(diagram), values, 3)[: max(n, 1)]
    )
    moved = landscape(diagram + rng.uniform(0, shift, (n, 1)), values, n_layers=max(n, 1))
    assert abs(moved - layers).max(initial=0) <= shift + 1e-12  # Bubenik's stability theorem


def test_landscape_equals_persims_exact_one(random_diagram):
    from persim import PersLandscapeExact

    diagram = random_diagram(np.random.default_rng(0), 15)
    values = np.linspace(-0.1, 3, 97)
    theirs = PersLandscapeExact(dgms=[diagram], hom_deg=0)
    ours = landscape(diagram, values, n_layers=len(theirs.critical_pairs))
    for layer, corners in zip(ours, theirs.critical_pairs, strict=True):
        at, height = np.array(corners).T
        np.testing.assert_allclose(layer, np.interp(values, at, height), atol=1e-12)


def test_curves_equal_those_of_giotto(random_diagram):
    gtda = pytest.importorskip("gtda.diagrams")
    diagram = random_diagram(np.random.default_rng(1), 15)
    triples = np.insert(diagram, 2, 1, axis=1)[None]
    for theirs, ours in (
        (gtda.BettiCurve(n_bins=50), betti_curve),
        (gtda.PersistenceLandscape(n_layers=4, n_bins=50), lambda d, t: landscape(d, t, 4)),
        (gtda.Silhouette(power=2.5, n_bins=50), lambda d, t: silhouette(d, t, 2.5)),
    ):
        expected = theirs.fit_transform(triples)[0]
        values = theirs.samplings_[1]
        np.testing.assert_allclose(np.atleast_2d(ours(diagram, values)), expected, atol=1e-12)


def test_silhouette_of_power_zero_is_the_plain_mean_and_of_a_high_one_the_longest_bar():
    bars, values = [[0, 2], [1, 4], [3, 4]], np.linspace(0, 4, 9)
    tents = landscape(bars, values, n_layers=3).sum(axis=0)
    np.testing.assert_allclose(silhouette(bars, values, power=0), tents / 3)
    np.testing.assert_allclose(
        silhouette(bars, values, power=500), landscape([[1, 4]], values, 1)[0], atol=1e-12
    )


def test_the_shared_grid_spans_all_bars():
    grid = filtration_grid([[[1, 2]], [], [[0.5, np.inf], [3, np.inf]]], n_values=6)
    np.testing.assert_allclose(grid, np.linspace(0.5, 3, 6))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: landscape(BARS, [0, 1], n_layers=0), "n_layers must be at least 1; got 0"),
        (lambda: landscape(BARS, 0.5), "values must have 1 axes"),
        (lambda: betti_curve(BARS, [[0.0]]), r"values must have 1 axes; got shape \(1, 1\)"),
        (lambda: betti_curve(BARS, [0, np.nan]), "values must not be NaN; entry 1 is"),
        (lambda: silhouette(BARS, [0], power=-1), "power must be at least 0"),
        (lambda: silhouette([[2, 1]], [0]), "diagram must have birth <= death"),
        (lambda: filtration_grid([[], []]), "at least one bar"),
        (lambda: filtration_grid([BARS], n_values=1), "n_values must be at least 2"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()
