import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tdafeat.topology import persistence_image, total_persistence

EVERYTHING = [-np.inf, np.inf]


def test_equals_persims_exact_integrals(random_diagram):
    from persim import PersistenceImager

    diagram = random_diagram(np.random.default_rng(0), 12)
    for power, sigma in ((1.0, 0.3), (2.0, 0.05)):
        theirs = PersistenceImager(
            birth_range=(0.0, 1.0),
            pers_range=(0.0, 1.5),
            pixel_size=0.25,
            weight_params={"n": power},
            kernel_params={"sigma": [[sigma**2, 0.0], [0.0, sigma**2]]},
        )
        edges = np.linspace(0, 1, 5), np.linspace(0, 1.5, 7)
        ours = persistence_image(diagram, *edges, sigma=sigma, power=power)
        np.testing.assert_allclose(ours, theirs.transform(diagram), atol=1e-7)


@settings(deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(0, 12), power=st.floats(0.5, 3))
def test_mass_is_total_persistence_and_pixels_add_up(random_diagram, seed, n, power):
    diagram = random_diagram(np.random.default_rng(seed), n)
    whole = persistence_image(diagram, EVERYTHING, EVERYTHING, sigma=0.1, power=power)
    assert whole.shape == (1, 1)
    assert whole[0, 0] == pytest.approx(total_persistence(diagram, order=power), abs=1e-12)
    edges = [-np.inf, 0.2, 0.5, np.inf]
    parts = persistence_image(diagram, edges, edges, sigma=0.1, power=power)
    assert parts.sum() == pytest.approx(whole.sum(), abs=1e-12)
    assert (parts >= 0).all()


def test_hills_stand_where_the_bars_are():
    edges = np.arange(5.0)
    image = persistence_image([[0.5, 3], [2.5, 6], [1, np.inf]], edges, edges, sigma=0.01)
    assert np.argwhere(image > 1e-6).tolist() == [[0, 2], [2, 3]]
    assert image[0, 2] == pytest.approx(2.5)
    assert not persistence_image([], edges, edges, sigma=1.0).any()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sigma": 0}, "sigma must be a positive length, 1e-150 to 1e.150; got 0"),
        ({"sigma": np.nan}, "sigma must be a positive length"),
        ({"power": 0}, "power must be positive"),
        ({"power": 1e4}, r"the longest, 2, to the power 10000.0 is not"),
        ({"birth_edges": [1]}, "birth_edges must be at least two values that ascend"),
        ({"lifetime_edges": [0, 1, 1]}, "lifetime_edges must be at least two values that ascend"),
        ({"lifetime_edges": [0, np.nan]}, "lifetime_edges must be"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(arguments, message):
    good = {"birth_edges": [0, 1], "lifetime_edges": [0, 1], "sigma": 0.1}
    with pytest.raises(ValueError, match=message):
        persistence_image([[0, 2]], **(good | arguments))
