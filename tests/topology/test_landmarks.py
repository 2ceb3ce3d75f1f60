import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tdafeat.topology.landmarks import farthest_points


def distances_from(points):
    return lambda index: np.linalg.norm(points - points[index], axis=1)


@settings(deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 40), k=st.integers(1, 40))
def test_covering_radius_is_that_of_the_landmarks(seed, n, k):
    points = np.random.default_rng(seed).normal(size=(n, 3))
    indices, radius = farthest_points(distances_from(points), k)
    gaps = np.linalg.norm(points[:, None] - points[indices][None], axis=-1).min(axis=1)
    assert radius == gaps.max()
    assert len(set(indices.tolist())) == len(indices) == min(n, k)
    if len(indices) > 1:  # landmarks are a net: no two nearer than the radius left
        apart = np.linalg.norm(points[indices][:, None] - points[indices][None], axis=-1)
        assert apart[~np.eye(len(indices), dtype=bool)].min() >= radius


def test_duplicates_are_never_landmarks():
    points = np.array([[0.0], [0.0], [1.0], [1.0], [0.0]])
    indices, radius = farthest_points(distances_from(points), 4)
    assert indices.tolist() == [0, 2]
    assert radius == 0
