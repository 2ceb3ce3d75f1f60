import numpy as np
import pytest

from tdafeat.geometry import mutual_neighbours, representational_similarity, sampled_similarity


def spaces(n=600, seed=0):
    rng = np.random.default_rng(seed)
    a = rng.normal(size=(n, 6)) + 1
    return a, a[:, :4] + 0.5 * rng.normal(size=(n, 4))


EXACT = {
    "mutual_neighbours": mutual_neighbours,
    "representational_similarity": representational_similarity,
}


def test_asking_all_images_gives_the_metrics_themselves():
    a, b = spaces()
    found = sampled_similarity(a, b, n_queries=600, chunk=77)
    for name, metric in EXACT.items():
        assert found[name].low == found[name].value == found[name].high
        assert found[name].value == pytest.approx(metric(a, b), abs=1e-12)


def test_lists_are_taken():
    a, b = spaces(60)
    expected = sampled_similarity(a, b, 30)
    assert sampled_similarity(a.tolist(), b.tolist(), 30) == expected


@pytest.mark.slow
def test_intervals_cover_the_likeness_of_all_images():
    a, b = spaces()
    drawn = [sampled_similarity(a, b, 60, random_state=seed) for seed in range(60)]
    for name, metric in EXACT.items():
        truth = metric(a, b)
        covered = sum(d[name].low <= truth <= d[name].high for d in drawn)
        assert covered >= 51, name  # of 60; an honest 95 % interval falls below in 1 of 1,000


def test_reads_memory_maps_in_chunks(tmp_path):
    a, b = spaces()
    for name, space in (("a", a), ("b", b)):
        np.save(tmp_path / f"{name}.npy", space.astype(np.float32))
    maps = [np.load(tmp_path / f"{name}.npy", mmap_mode="r") for name in "ab"]
    arrays = [np.array(space) for space in maps]
    few, many = (
        sampled_similarity(*maps, 50, chunk=7),
        sampled_similarity(*arrays, 50, chunk=1000),
    )
    assert few == many


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.eye(30), np.eye(29)), "same images; got 30 and 29"),
        ((np.eye(10), np.eye(10)), "more than 10 rows; got 10"),
        ((np.eye(30), np.eye(30), 1), "n_queries must be at least 4"),
        ((np.eye(30), np.diag([1.0] * 29 + [0.0])), "b.* row 29 is all zeros"),
        ((np.diag([np.nan] + [1.0] * 29), np.eye(30)), "must be finite"),
    ],
)
def test_bad_input(arguments, message):
    with pytest.raises(ValueError, match=message):
        sampled_similarity(*arguments)
