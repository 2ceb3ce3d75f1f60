import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.decomposition import PCA

from tdafeat.geometry import principal_components, spectrum

ROUTES = ("covariance", "gram", "svd")
RNG = np.random.default_rng(0)


def with_eigenvalues(values, n, n_features, seed=0):
    """A centred (n, n_features) cloud whose covariance has exactly these positive eigenvalues."""
    rng = np.random.default_rng(seed)
    left = rng.normal(size=(n, len(values)))
    left = np.linalg.qr(left - left.mean(axis=0))[0]
    right = np.linalg.qr(rng.normal(size=(n_features, len(values))))[0]
    return left * np.sqrt(np.asarray(values) * (n - 1)) @ right.T


CLOUDS = {
    "n > D": RNG.normal(size=(60, 9)) * np.arange(1, 10) + 5,
    "n = D": RNG.normal(size=(20, 20)) * np.arange(1, 21),
    "n < D": RNG.normal(size=(9, 60)) * np.arange(1, 61) - 3,
    "rank 3 of 30": with_eigenvalues([5.0, 2.0, 1.0], 40, 30) + 7,
    "rank 3, n < D": with_eigenvalues([5.0, 2.0, 1.0], 12, 90),
    "duplicates": np.repeat(RNG.normal(size=(5, 16)), 8, axis=0),
    "two rows": np.array([[1.0, 2, 3], [4, 5, 7]]),
    "one column": RNG.normal(size=(12, 1)),
    "constant columns": np.hstack([RNG.normal(size=(15, 4)), np.full((15, 3), 0.1)]),
}
RANKS = {"rank 3 of 30": 3, "rank 3, n < D": 3, "duplicates": 4, "two rows": 1, "n < D": 8}


@pytest.mark.parametrize("name", CLOUDS)
@pytest.mark.parametrize("route", ROUTES)
def test_every_route_agrees_with_scikit_learn(name, route):
    cloud = CLOUDS[name]
    found = principal_components(cloud, route=route)
    rank = len(found.components)
    assert rank == RANKS.get(name, rank)
    expected = PCA(svd_solver="full").fit(cloud)
    np.testing.assert_allclose(found.mean, expected.mean_, atol=1e-14)
    np.testing.assert_allclose(found.eigenvalues, expected.explained_variance_[:rank], rtol=1e-10)
    ratio = expected.explained_variance_ratio_[:rank]
    np.testing.assert_allclose(found.explained_variance_ratio, ratio, rtol=1e-10)
    signs = np.sign((found.components * expected.components_[:rank]).sum(axis=1))
    aligned = signs[:, None] * expected.components_[:rank]
    np.testing.assert_allclose(found.components, aligned, atol=1e-10)


@pytest.mark.parametrize("shape", [(80, 40), (40, 80)], ids=["n > D", "n < D"])
@pytest.mark.parametrize("route", ROUTES)
def test_known_eigenvalues_are_found_over_eleven_orders_of_magnitude(shape, route):
    values = np.logspace(2, -9, 12)
    found = principal_components(with_eigenvalues(values, *shape), route=route)
    assert len(found.components) == 12
    np.testing.assert_allclose(found.eigenvalues, values, rtol=1e-8, atol=1e-13 * values[0])
    np.testing.assert_allclose(found.components @ found.components.T, np.eye(12), atol=1e-13)


@pytest.mark.parametrize("route", [*ROUTES, "auto"])
def test_a_single_point_has_no_component(route):
    found = principal_components(np.full((6, 4), 1e7 / 3), route=route)
    assert found.components.shape == (0, 4)
    assert found.residual_variance.tolist() == [0.0]
    np.testing.assert_allclose(found.reconstruct(found.project(np.zeros((2, 4)))), 1e7 / 3)


@pytest.mark.parametrize("shape", [(50, 8), (8, 50)])
def test_the_spectrum_is_whole_whatever_is_kept(shape):
    cloud = RNG.normal(size=shape)
    kept = principal_components(cloud, 3)
    assert kept.components.shape == (3, shape[1])
    np.testing.assert_allclose(kept.spectrum, spectrum(cloud), rtol=1e-12)
    assert len(principal_components(cloud, 1000).components) == min(shape[0] - 1, shape[1])


@pytest.mark.parametrize("name", CLOUDS)
def test_measured_errors_are_the_sum_of_the_remaining_eigenvalues(name):
    cloud = CLOUDS[name]
    found = principal_components(cloud)
    measured = [found.reconstruction_error(cloud, t) for t in range(len(found.components) + 1)]
    scale = found.residual_variance[0]
    np.testing.assert_allclose(measured, found.residual_variance, atol=1e-12 * scale)
    assert found.residual_variance[0] == pytest.approx(cloud.var(axis=0).sum())


def test_no_other_subspace_reconstructs_better():
    # Eckart and Young: of all subspaces of dimension 3 this one leaves the least
    cloud = CLOUDS["n > D"]
    found = principal_components(cloud, 3)
    centred = cloud - found.mean
    for seed in range(20):
        basis = np.linalg.qr(np.random.default_rng(seed).normal(size=(9, 3)))[0]
        other = np.square(centred - centred @ basis @ basis.T).sum(axis=1).mean()
        assert found.reconstruction_error(cloud) < other


@pytest.mark.parametrize("name", [name for name in CLOUDS if name != "constant columns"])
def test_whitened_coordinates_have_unit_covariance(name):
    cloud = CLOUDS[name]
    white = principal_components(cloud).whiten(cloud)
    covariance = np.atleast_2d(np.cov(white.T))
    np.testing.assert_allclose(covariance, np.eye(len(covariance)), atol=1e-9)


def test_other_rows_are_measured_by_the_same_components():
    train, test = RNG.normal(size=(2, 30, 6)) * np.arange(1, 7)
    found = principal_components(train, 2)
    expected = PCA(2, svd_solver="full").fit(train)
    rebuilt = expected.inverse_transform(expected.transform(test))
    np.testing.assert_allclose(found.reconstruct(found.project(test)), rebuilt, atol=1e-12)
    error = np.square(test - rebuilt).sum(axis=1).mean()
    assert found.reconstruction_error(test) == pytest.approx(error)
    assert found.reconstruction_error(test, 1) > error


def sized(x):
    """Neither sums nor differences of these are so small as to be refused."""
    return x == 0 or abs(x) > 1e-30


COORDINATES = st.floats(-9, 9).filter(sized)


@settings(max_examples=40, deadline=None)
@given(
    arrays(np.float64, st.tuples(st.integers(2, 9), st.integers(1, 9)), elements=COORDINATES),
    st.floats(-100, 100).filter(sized),
)
def test_routes_agree_on_any_cloud_and_no_shift_changes_its_spectrum(cloud, shift):
    first, *others = (principal_components(cloud, route=route) for route in ROUTES)
    others.append(principal_components(cloud + shift))
    scale = max(first.spectrum[0], 1e-12 * shift**2)
    for other in others:
        np.testing.assert_allclose(other.spectrum, first.spectrum, atol=1e-9 * scale + 1e-300)
    for found in (first, *others[:2]):
        gram = found.components @ found.components.T
        np.testing.assert_allclose(gram, np.eye(len(gram)), atol=1e-12)
        largest = np.abs(found.components).max(axis=1)
        np.testing.assert_array_equal(found.components.max(axis=1), largest)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: principal_components([[1.0, 2.0]]), "at least 2 rows"),
        (lambda: principal_components(np.eye(3), 0), "n_components"),
        (lambda: principal_components(np.eye(3), route="qr"), "route must be one of auto"),
        (lambda: principal_components(np.eye(3)).project(np.eye(2)), "3 columns"),
        (lambda: principal_components(np.eye(3)).reconstruct(np.eye(3)), "T at most 2"),
        (lambda: principal_components(np.eye(3)).reconstruct([[np.nan]]), "finite"),
        (lambda: principal_components(np.eye(3)).project(np.eye(3), -1), "at least 0; got -1"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_more_rows_than_are_read_at_a_time():
    cloud = RNG.normal(size=(9000, 3)) * [3, 2, 1]
    found = principal_components(cloud, 2)
    along = (cloud - cloud.mean(axis=0)) @ found.components.T
    np.testing.assert_allclose(found.project(cloud), along, atol=1e-12)
    assert found.reconstruction_error(cloud) == pytest.approx(found.residual_variance[2])
