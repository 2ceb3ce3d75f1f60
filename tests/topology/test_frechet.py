import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tdafeat.topology import frechet_mean, medoid, persistence, wasserstein


def variance(mean, diagrams):
    return np.mean([wasserstein(mean, d, order=2, internal_p=2) ** 2 for d in diagrams])


def group(random_diagram, seed, n=6, bars=8, births="spread"):
    rng = np.random.default_rng(seed)
    return [random_diagram(rng, int(rng.integers(bars // 2, bars + 1)), births) for _ in range(n)]


@settings(deadline=None)
@given(seed=st.integers(0, 2**32 - 1), births=st.sampled_from(["spread", "zero"]))
def test_mean_of_two_is_the_middle_of_the_way(random_diagram, seed, births):
    a, b = group(random_diagram, seed, n=2, bars=6, births=births)
    mean = frechet_mean([a, b])
    between = wasserstein(a, b, order=2, internal_p=2)
    assert mean.converged
    assert mean.variance == pytest.approx(between**2 / 4, rel=1e-9, abs=1e-15)
    for end in (a, b):
        way = wasserstein(mean.diagram, end, order=2, internal_p=2)
        assert way == pytest.approx(between / 2, rel=1e-7, abs=1e-9)


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 2**32 - 1), births=st.sampled_from(["spread", "zero"]))
def test_variance_is_that_of_the_mean_and_below_every_diagrams(random_diagram, seed, births):
    diagrams = group(random_diagram, seed, births=births)
    mean = frechet_mean(diagrams)
    assert mean.converged
    assert mean.variance == pytest.approx(variance(mean.diagram, diagrams), rel=1e-9)
    assert mean.variance <= min(variance(d, diagrams) for d in diagrams) * (1 + 1e-9)
    more = frechet_mean(diagrams, n_starts=6)
    assert more.variance <= mean.variance


@pytest.mark.parametrize("seed", range(5))
def test_equals_gudhis_barycentre_from_the_same_start(random_diagram, seed):
    barycentre = pytest.importorskip("gudhi.wasserstein.barycenter").lagrangian_barycenter
    pytest.importorskip("ot")
    rng = np.random.default_rng(seed)
    births = rng.random((5, 7))
    diagrams = list(np.stack([births, births + rng.exponential(0.3, (5, 7))], axis=-1))
    start = medoid(diagrams)
    theirs = barycentre(diagrams, init=start)
    mean = frechet_mean(diagrams)
    assert mean.variance <= variance(theirs, diagrams) * (1 + 1e-9)
    for scale in (1e-6, 1e-5, 1e-4):  # a minimum nearby
        shaken = mean.diagram + rng.normal(scale=scale, size=mean.diagram.shape)
        assert variance(np.sort(shaken, axis=1), diagrams) > mean.variance


def test_by_hand():
    mean = frechet_mean([[[0, 2]], []])
    assert mean.diagram.tolist() == [[0.5, 1.5]]
    assert mean.variance == pytest.approx(0.5)
    # a bar that one of three has is pulled two thirds of the way to the diagonal
    assert frechet_mean([[[0, 6]], [], []]).diagram == pytest.approx(np.array([[2.0, 4.0]]))
    assert frechet_mean([[], []]).diagram.shape == (0, 2)
    same = frechet_mean([[[0, 1], [2, 5]]] * 3)
    assert sorted(same.diagram.tolist()) == [[0, 1], [2, 5]]
    assert same.variance == 0


def test_essential_bars_have_the_mean_of_their_births():
    mean = frechet_mean([[[0, np.inf], [3, np.inf]], [[5, np.inf], [0, np.inf], [1, 2]]])
    assert sorted(mean.diagram.tolist()) == [[0, np.inf], [1.25, 1.75], [4, np.inf]]
    assert mean.variance == pytest.approx(1 + 0.125)


def test_mean_of_circles_keeps_the_loop_and_jobs_change_nothing():
    rng = np.random.default_rng(0)
    angles = rng.uniform(0, 2 * np.pi, (4, 40))
    circles = [np.column_stack([np.cos(a), np.sin(a)]) for a in angles]
    loops = [persistence(circle)[1] for circle in circles]
    mean = frechet_mean(loops)
    longest = np.ptp(mean.diagram, axis=1).max()
    lengths = [np.ptp(loop, axis=1).max() for loop in loops]
    assert longest == pytest.approx(np.mean(lengths), rel=0.01)
    np.testing.assert_array_equal(frechet_mean(loops, n_jobs=2).diagram, mean.diagram)


def test_an_iteration_cut_short_says_so(random_diagram):
    diagrams = group(random_diagram, seed=3)
    cut = frechet_mean(diagrams, max_iterations=1)
    assert not cut.converged
    assert cut.variance == pytest.approx(variance(cut.diagram, diagrams))


def test_medoid(random_diagram):
    diagrams = group(random_diagram, seed=4)
    assert medoid(diagrams) == np.argmin([variance(d, diagrams) for d in diagrams])
    assert medoid([[[0, 1]], [[0, 5]], [[0, 6]]], distance="bottleneck") == 1
    assert medoid([[[0, 1]]] * 3) == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: frechet_mean([]), "at least one"),
        (lambda: medoid([]), "at least one"),
        (lambda: medoid([[[0, np.inf]], [], []]), "diagrams 0 and 1 are infinitely far apart"),
        (lambda: frechet_mean([[], [[0, np.inf]]]), "equally many essential bars .* got .0, 1."),
        (lambda: frechet_mean([[]], n_starts=0), "n_starts must be at least 1"),
        (lambda: frechet_mean([[], [[2, 1]]]), r"diagrams\[1\] must have birth <= death"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()
