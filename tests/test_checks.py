import numpy as np
import pandas as pd
import pytest

from tdafeat.checks import as_cloud, as_count, as_labels, as_pair, as_rows


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.int8, np.uint8, bool])
def test_real_types_become_float64(dtype):
    assert as_cloud(np.ones((2, 3), dtype)).dtype == np.float64


def test_torch_tensors_are_taken():
    import torch

    tensor = torch.ones(2, 3, requires_grad=True)
    np.testing.assert_array_equal(as_cloud(tensor), np.ones((2, 3)))


def test_tensors_of_types_that_numpy_lacks_are_taken():
    import torch

    tensor = torch.tensor([[1.0, 2.5]], dtype=torch.bfloat16)
    np.testing.assert_array_equal(as_cloud(tensor), [[1.0, 2.5]])


def test_columns_of_a_frame_may_have_any_name():
    frame = pd.DataFrame({"nnz": [1.0, 2.0], "layout": [3.0, 4.0]})
    np.testing.assert_array_equal(as_cloud(frame), [[1, 3], [2, 4]])


def test_what_numpy_may_not_have_is_named():
    class Elsewhere:
        def __array__(self, dtype=None, copy=None):
            raise TypeError("implicit conversion is not allowed")

    with pytest.raises(TypeError, match="cloud must be a rectangular array; implicit conversion"):
        as_cloud(Elsewhere(), "cloud")


@pytest.mark.parametrize("check", [as_cloud, as_rows])
def test_sparse_arrays_are_refused_by_name(check):
    import torch
    from scipy.sparse import csr_array, csr_matrix

    dense = torch.eye(3)
    for sparse in (dense.to_sparse(), csr_array(dense), csr_matrix(dense)):
        with pytest.raises(TypeError, match="cloud must be a dense array; got a sparse "):
            check(sparse, "cloud")


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("view", [np.flipud, lambda x: np.broadcast_to(x[0], x.shape)])
def test_torch_takes_every_cloud_without_a_warning(view):
    import torch

    mine = view(np.eye(2))
    mine.setflags(write=False)
    np.testing.assert_array_equal(torch.from_numpy(as_cloud(mine)), mine)


@pytest.mark.parametrize("largest", [0.0, 1e-45, 3.4e38])  # as float32 has them
def test_clouds_of_every_float32_are_taken(largest):
    assert as_cloud([[largest, 0.0]])[0, 0] == largest


def test_what_can_be_read_by_rows_is_left_as_it_is():
    import torch

    for mine in (np.eye(3), torch.eye(3)):
        assert as_rows(mine) is mine
    for other in (np.eye(3).tolist(), pd.DataFrame(np.eye(3))):
        np.testing.assert_array_equal(as_rows(other)[[2, 0]], np.eye(3)[[2, 0]])
    with pytest.raises(ValueError, match="a must have 2 axes and at least one row"):
        as_rows(torch.ones(3), "a")


@pytest.mark.parametrize("value", [2.0, "2", None])
def test_counts_are_whole(value):
    with pytest.raises(TypeError, match="k must be a whole number; got"):
        as_count(value, "k")
    with pytest.raises(ValueError, match="k must be at least 0; got -1"):
        as_count(-1, "k", least=0)


def test_the_callers_array_is_never_changed():
    mine = np.eye(2)
    as_cloud(mine)
    np.testing.assert_array_equal(mine, np.eye(2))


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        ([1.0, 2.0], ValueError, "cloud must have 2 axes; got shape \\(2,\\)"),
        (np.ones((0, 3)), ValueError, "at least 1 rows"),
        (np.ones((3, 0)), ValueError, "at least one column"),
        ([[1.0, np.nan]], ValueError, "finite; 1 of 2 entries.*row 0"),
        ([[1.0], [np.inf]], ValueError, "row 1"),
        ([[1e200, 1.0]], ValueError, "largest entry .in size. between 1e-50 and 1e.50; got 1e.200"),
        ([[0.0, -1e-60]], ValueError, "got 1e-60: rescale it"),
        ([["a"]], TypeError, "real numbers"),
        (None, TypeError, "cloud must be given; got None"),
        (np.ma.masked_less([[1.0, 2.0]], 1.5), ValueError, "cloud must have no masked entries"),
        (np.array([[1.0]], np.longdouble) * np.longdouble("1e4000"), ValueError, "finite"),
        ([[1j]], TypeError, "real numbers"),
        ([[1], [1, 2]], ValueError, "rectangular"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_bad_clouds_are_named(values, error, message):
    with pytest.raises(error, match=message):
        as_cloud(values, "cloud")


def test_labels():
    assert as_labels([1.0, 2.0], 2).dtype == np.int64
    with pytest.raises(ValueError, match="one entry per row"):
        as_labels([1], 2)
    with pytest.raises(TypeError, match="whole"):
        as_labels([0.5, 1.0], 2)


def test_pairs_must_agree_in_shape():
    with pytest.raises(ValueError, match="same shape"):
        as_pair(np.ones((2, 3)), np.ones((3, 3)))
