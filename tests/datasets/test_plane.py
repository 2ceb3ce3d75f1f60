import numpy as np

from tdafeat.datasets.plane import discs, inside, lookup, waves, worley


def test_inside_is_a_soft_step():
    np.testing.assert_allclose(inside(np.array([-1, -0.03, 0, 0.03, 1])), [1, 1, 0.5, 0, 0])


def test_worley_without_jitter_is_the_square_lattice():
    x, y = np.array([0.5, 1.4]), np.array([0.5, 2.5])
    first, second, _ = worley(np.random.default_rng(0), x, y, jitter=0.0)
    np.testing.assert_allclose(first, [0.0, 0.1], atol=1e-12)
    np.testing.assert_allclose(second, [1.0, 0.9], atol=1e-12)


def test_discs_lie_inside_their_squares():
    x, y = np.meshgrid(
        np.linspace(0, 5, 500, endpoint=False), np.linspace(0, 5, 500, endpoint=False)
    )
    p, q, radius, _ = discs(np.random.default_rng(0), x, y, 0.1, 0.4)
    assert radius.min() >= 0.1
    assert radius.max() <= 0.4
    centre_x, centre_y = x - p * radius, y - q * radius
    for centre, t in ((centre_x, x), (centre_y, y)):
        within = centre - np.floor(t)
        assert (within >= radius - 1e-12).all()
        assert (within <= 1 - radius + 1e-12).all()


def test_lookup_repeats_beyond_the_table():
    table = np.arange(6).reshape(2, 3)
    cells = np.array([0.0, 1, 2, -1]), np.array([0.0, 2, 3, -1])
    np.testing.assert_array_equal(lookup(table, *cells), [0, 5, 0, 5])


def test_waves_have_unit_variance():
    x, y = np.meshgrid(np.linspace(0, 40, 200), np.linspace(0, 40, 200))
    field = waves(np.random.default_rng(0), x, y, frequency=1.0)
    assert abs(field.mean()) < 0.1
    assert abs(field.std() - 1) < 0.15
