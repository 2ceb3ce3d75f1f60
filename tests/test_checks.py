import numpy as np
import pytest

from tdafeat.checks import as_cloud, as_labels, as_pair


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.int8, np.uint8, bool])
def test_real_types_become_float64(dtype):
    assert as_cloud(np.ones((2, 3), dtype)).dtype == np.float64


def test_torch_tensors_are_taken():
    import torch

    tensor = torch.ones(2, 3, requires_grad=True)
    np.testing.assert_array_equal(as_cloud(tensor), np.ones((2, 3)))


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
        ([[1e200]], ValueError, "overflow"),
        ([["a"]], TypeError, "real numbers"),
        ([[1j]], TypeError, "real numbers"),
        ([[1], [1, 2]], ValueError, "rectangular"),
    ],
)
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
