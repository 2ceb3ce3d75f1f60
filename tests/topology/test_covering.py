import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import maximum_bipartite_matching

from tdafeat.topology.covering import covering_radius


def covers(a, b, radius):
    long = a[np.diff(a, axis=1)[:, 0] / 2 > radius]
    near = abs(long[:, None] - b[None]).max(axis=-1) <= radius
    return (maximum_bipartite_matching(csr_matrix(near), perm_type="column") >= 0).all()


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 40), st.integers(1, 40), st.floats(0, 0.5))
@example(21, 35, 35, 0.0)  # a difference of births that is rounded to the radius
def test_the_smallest_radius_that_covers(random_diagram, seed, n, m, floor):
    rng = np.random.default_rng(seed)
    a, b = random_diagram(rng, n), random_diagram(rng, m)
    b = b[np.argsort(b[:, 0])]
    mates = np.full(n, -1)
    radius = covering_radius(a, b, floor, mates)
    assert radius >= floor
    assert covers(a, b, radius)
    if radius > floor:
        assert not covers(a, b, np.nextafter(radius, 0))
    matched = mates >= 0
    assert matched[np.diff(a, axis=1)[:, 0] / 2 > radius].all()
    assert (abs(a[matched] - b[mates[matched]]) <= radius).all()
    assert len(set(mates[matched])) == matched.sum()
