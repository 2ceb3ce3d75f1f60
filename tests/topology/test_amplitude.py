import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tdafeat.errors import UnknownName
from tdafeat.topology import amplitude, bottleneck, landscape, total_persistence, wasserstein


@settings(deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(0, 12),
    order=st.floats(1, 6),
    internal_p=st.sampled_from([1, 1.5, 2, np.inf]),
)
def test_wasserstein_amplitude_is_the_distance_to_no_bars(
    random_diagram, seed, n, order, internal_p
):
    diagram = random_diagram(np.random.default_rng(seed), n)
    expected = wasserstein(diagram, [], order=order, internal_p=internal_p)
    found = amplitude(diagram, order=order, internal_p=internal_p)
    assert found == pytest.approx(expected, rel=1e-12)
    assert amplitude(diagram, order=np.inf) == pytest.approx(bottleneck(diagram, []))


def test_norms_equal_those_of_giotto(random_diagram):
    gtda = pytest.importorskip("gtda.diagrams")
    diagram = random_diagram(np.random.default_rng(0), 15)
    triples = np.insert(diagram, 2, 1, axis=1)[None]
    for order in (1.0, 2.0, 3.0):
        exact = {
            "bottleneck": amplitude(diagram, order=np.inf),
            "wasserstein": amplitude(diagram, order=order),
            "landscape": amplitude(diagram, "landscape", order=order),
            "betti": amplitude(diagram, "betti", order=order),
        }
        for metric, ours in exact.items():
            sampled = {"n_bins": 4000, "p": order} if metric in ("landscape", "betti") else {}
            if metric == "wasserstein":
                sampled = {"p": order}
            if metric == "landscape":
                sampled["n_layers"] = 15
            theirs = gtda.Amplitude(metric=metric, metric_params=sampled, order=None)
            sampling_error = 5e-3 if metric in ("landscape", "betti") else 1e-9
            assert ours == pytest.approx(theirs.fit_transform(triples)[0, 0], rel=sampling_error)


def test_landscape_norm_equals_persims(random_diagram):
    from persim import PersLandscapeExact

    diagram = random_diagram(np.random.default_rng(1), 10)
    theirs = PersLandscapeExact(dgms=[diagram], hom_deg=0)
    for order in (1, 2, 3):
        assert amplitude(diagram, "landscape", order=order) == pytest.approx(theirs.p_norm(p=order))
    assert amplitude(diagram, "landscape", order=np.inf) == pytest.approx(theirs.sup_norm())


def test_landscape_norm_is_that_of_the_sampled_landscape(random_diagram):
    diagram = random_diagram(np.random.default_rng(2), 8)
    values = np.linspace(0, diagram.max(), 20_001)
    layers = landscape(diagram, values, n_layers=8)
    sampled = (layers**2).sum() * (values[1] - values[0])
    assert amplitude(diagram, "landscape", order=2) == pytest.approx(np.sqrt(sampled), rel=1e-4)


def test_betti_norms(random_diagram):
    diagram = random_diagram(np.random.default_rng(3), 9)
    assert amplitude(diagram, "betti") == pytest.approx(total_persistence(diagram))
    assert amplitude([[0, 2], [1, 3], [1, 2]], "betti", order=np.inf) == 3


@pytest.mark.parametrize("kind", ["wasserstein", "landscape", "betti"])
def test_no_bars_essential_bars_and_large_numbers(kind):
    assert amplitude([], kind) == amplitude([[1, 1], [0, np.inf]], kind) == 0
    assert amplitude([[0, 1], [0, np.inf]], kind) == amplitude([[0, 1]], kind) > 0
    assert np.isfinite(amplitude([[0, 1e38], [0, 2e38]], kind, order=9))


def test_bad_input_is_refused_in_a_sentence():
    with pytest.raises(ValueError, match="order must be at least 1"):
        amplitude([[0, 1]], order=0.5)
    with pytest.raises(ValueError, match="internal_p must be at least 1"):
        amplitude([[0, 1]], internal_p=np.nan)
    with pytest.raises(UnknownName, match="did you mean 'landscape'"):
        amplitude([[0, 1]], "landscpe")
