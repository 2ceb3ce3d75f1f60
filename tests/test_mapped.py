import numpy as np
import pytest

from tdafeat.mapped import AT_ONCE, taken


def test_rows_of_a_map_are_those_of_the_array(tmp_path):
    rng = np.random.default_rng(0)
    array = rng.normal(size=(3 * AT_ONCE, 4)).astype(np.float32)
    np.save(tmp_path / "x.npy", array)
    rows = rng.permutation(len(array))[: 2 * AT_ONCE + 5]  # more than are read at a time
    for mode in ("r", "r+", "c"):
        found = taken(np.load(tmp_path / "x.npy", mmap_mode=mode), rows)
        assert type(found) is np.ndarray
        assert found.dtype == np.float64
        np.testing.assert_array_equal(found, array[rows])
    np.testing.assert_array_equal(taken(array, rows), array[rows])


def test_what_was_written_to_a_map_is_not_lost_with_its_pages(tmp_path):
    np.save(tmp_path / "x.npy", np.zeros((4, 2)))
    for mode in ("r+", "c"):  # to the file, and to the memory of this process alone
        mapped = np.load(tmp_path / "x.npy", mmap_mode=mode)
        mapped[1] = 7
        taken(mapped, np.array([0]))
        assert (taken(mapped, np.array([1])) == 7).all()


def test_rows_that_are_not_finite_are_refused_by_name(tmp_path):
    np.save(tmp_path / "x.npy", np.full((4, 2), np.nan))
    with pytest.raises(ValueError, match="a must be finite"):
        taken(np.load(tmp_path / "x.npy", mmap_mode="r"), np.array([2]), "a")
