import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tdafeat.topology.sorting import ascending, first_at_least

values = st.lists(st.integers(-5, 5), max_size=12).map(lambda x: np.array(x, dtype=float))


@given(values, st.integers(-6, 6))
def test_sorts_and_finds_as_numpy_does(x, bound):
    in_order = x[ascending(x)]
    np.testing.assert_array_equal(in_order, np.sort(x))
    assert first_at_least(in_order, float(bound)) == np.searchsorted(in_order, bound)
