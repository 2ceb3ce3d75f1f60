import numpy as np
import pytest

from tdafeat.topology import (
    Diagrams,
    distance_matrix,
    from_giotto,
    from_gudhi,
    from_ripser,
    persistence,
    to_giotto,
    to_gudhi,
    to_persim,
    to_ripser,
)

CLOUD = np.random.default_rng(0).normal(size=(25, 3))
OURS = persistence(CLOUD)
BARS = Diagrams([[[0, 1], [0, np.inf], [0, 2]], [], [[1, 3], [2, 9]]])


def sorted_bars(diagram):
    return diagram[np.lexsort(diagram.T[::-1])]


def assert_same(a, b, rtol=0.0):
    assert len(a) == len(b)
    for first, second in zip(a, b, strict=True):
        np.testing.assert_allclose(sorted_bars(first), sorted_bars(second), rtol=rtol)


def test_ripsers_result_is_ours_and_goes_back():
    from ripser import ripser

    result = ripser(CLOUD)
    assert_same(from_ripser(result), OURS, rtol=1e-6)
    assert from_ripser(result).record == {"engine": "ripser", "covering_radius": 0.0}
    assert from_ripser(ripser(CLOUD, n_perm=9)).record["covering_radius"] > 0
    for back, dgm in zip(to_ripser(from_ripser(result["dgms"])), result["dgms"], strict=True):
        np.testing.assert_array_equal(back, dgm)
    to_ripser(OURS)[0][:] = -1  # a copy
    assert OURS[0].min() == 0


def test_persim_takes_what_we_give():
    from persim import PersistenceImager, PersLandscapeExact, bottleneck, wasserstein
    from persim.persistent_entropy import persistent_entropy

    finite = to_persim(OURS)
    other = to_persim(persistence(CLOUD[:15]))
    assert all(np.isfinite(d).all() for d in finite)
    table = distance_matrix([finite[1]], [other[1]], order=1, internal_p=2)
    assert wasserstein(finite[1], other[1]) == pytest.approx(table[0, 0])
    table = distance_matrix([finite[0]], [other[0]], distance="bottleneck")
    assert bottleneck(finite[0], other[0]) == pytest.approx(table[0, 0])
    assert len(persistent_entropy(finite)) == 2
    assert PersistenceImager(pixel_size=0.5).transform(finite[1], skew=True).shape == (2, 2)
    assert PersLandscapeExact(dgms=finite, hom_deg=0).sup_norm() > 0


def test_both_forms_of_gudhi():
    gudhi = pytest.importorskip("gudhi")
    tree = gudhi.RipsComplex(points=CLOUD).create_simplex_tree(max_dimension=2)
    pairs = tree.persistence(homology_coeff_field=2)
    arrays = [tree.persistence_intervals_in_dimension(degree) for degree in (0, 1)]
    assert_same(from_gudhi(pairs), OURS, rtol=1e-6)
    assert_same(from_gudhi(arrays), OURS, rtol=1e-6)
    assert sorted(to_gudhi(from_gudhi(pairs))) == sorted(pairs)
    assert to_gudhi(from_gudhi(pairs))[0][0] == 1


def test_gudhis_pairs_by_hand():
    assert to_gudhi(BARS) == [
        (2, (2.0, 9.0)),
        (2, (1.0, 3.0)),
        (0, (0.0, np.inf)),
        (0, (0.0, 2.0)),
        (0, (0.0, 1.0)),
    ]
    assert_same(from_gudhi(to_gudhi(BARS)), BARS)
    assert len(from_gudhi([])) == 0
    assert [len(d) for d in from_gudhi([[], [[1.0, 2.0]]])] == [0, 1]


def test_giottos_array_is_ours_and_goes_back():
    homology = pytest.importorskip("gtda.homology")
    clouds = [CLOUD, CLOUD[:6], CLOUD[:2]]
    theirs = homology.VietorisRipsPersistence().fit_transform(clouds)
    ours = [persistence(cloud) for cloud in clouds]
    for a, b in zip(from_giotto(theirs), ours, strict=True):
        assert_same(a, b, rtol=1e-6)
    again = to_giotto(ours)
    assert again.shape == theirs.shape
    for a, b in zip(again, theirs, strict=True):
        order = [np.lexsort(rows.round(4).T[[1, 0, 2]]) for rows in (a, b)]
        np.testing.assert_allclose(a[order[0]], b[order[1]], rtol=1e-6)
    whole = homology.VietorisRipsPersistence(reduced_homology=False).fit_transform(clouds[:1])
    assert_same(from_giotto(whole, reduced=False)[0], ours[0], rtol=1e-6)


def test_giottos_array_by_hand():
    other = Diagrams([[[0, np.inf]], [[2, 3]], []])
    array = to_giotto([BARS, other])
    assert array.tolist() == [
        [[0, 1, 0], [0, 2, 0], [2, 2, 1], [1, 3, 2], [2, 9, 2]],
        [[0, 0, 0], [0, 0, 0], [2, 3, 1], [1, 1, 2], [1, 1, 2]],
    ]
    for a, b in zip(from_giotto(array), (BARS, other), strict=True):
        assert_same(a, b)
    split = Diagrams([[[0, np.inf], [1, np.inf]]])
    assert to_giotto([split], infinity_value=5).tolist() == [[[1, 5, 0]]]
    assert to_giotto([split], reduced=False, infinity_value=5)[0, :, 1].tolist() == [5, 5]
    assert_same(from_giotto(array[0])[0], BARS)
    loops_alone = from_giotto([[[1, 2, 1]]])[0]
    assert [len(d) for d in loops_alone] == [0, 1]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: from_ripser({"diagrams": []}), "result must hold 'dgms'"),
        (lambda: from_ripser([[[2, 1]]]), "H0 must have birth <= death"),
        (lambda: from_gudhi([(0, (0.0, 1.0)), (1, 2.0)]), "pairs .degree, .birth, death.."),
        (lambda: from_gudhi([(0.5, (0.0, 1.0))]), "degrees must be whole .* got 0.5"),
        (lambda: from_gudhi([(0, (3.0, 1.0))]), "H0 must have birth <= death"),
        (lambda: from_giotto([0, 1, 0]), "shape .n_samples, n_bars, 3.; got shape .3,."),
        (lambda: from_giotto(np.zeros((1, 2, 2))), "shape .n_samples, n_bars, 3."),
        (lambda: from_giotto([[[0, 1, -1]]]), "degrees must be whole and not negative"),
        (lambda: to_giotto([BARS, BARS[:1]]), "as many degrees each; got .3, 1."),
        (lambda: to_giotto([]), "as many degrees each"),
        (lambda: to_giotto([[[[0, 1]]]]), "no infinite bar in H0 to leave out"),
        (lambda: to_giotto([[[[0, np.inf]], [[1, np.inf]]]]), "1 infinite bars in H1"),
        (lambda: to_giotto([[[[3, np.inf]]]], False, 2.0), "must have birth <= death"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: from_ripser(None), "result must be arrays of bars, one per degree; got NoneType"),
        (lambda: from_ripser(BARS[1]), "result must be arrays of bars, .* one array of shape"),
        (lambda: to_ripser(None), "diagrams must be arrays of bars, one per degree; got NoneType"),
        (lambda: to_gudhi("H0"), "diagrams must be arrays of bars, one per degree; got str"),
        (lambda: to_giotto(BARS), "Diagrams of several clouds, in a list; got Diagrams"),
        (lambda: to_giotto(None), "Diagrams of several clouds, in a list; got NoneType"),
    ],
)
def test_what_are_no_diagrams_by_degree(call, message):
    with pytest.raises(TypeError, match=message):
        call()
