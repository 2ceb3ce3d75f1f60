import numpy as np
import pytest
import torch

from tdafeat.topology.diagrams import (
    Diagrams,
    as_diagram,
    as_diagrams,
    essential_births,
    finite_part,
    lifetimes,
)


def test_a_sequence_by_degree_with_its_record():
    diagrams = Diagrams([[[0, 1], [0, np.inf]], []], {"engine": "ripser"})
    assert len(diagrams) == 2
    assert diagrams[0].dtype == np.float64
    assert diagrams[-1].shape == (0, 2)
    assert [len(d) for d in diagrams] == [2, 0]
    assert diagrams.record == {"engine": "ripser"}
    assert repr(diagrams) == "Diagrams(H0: 2 bars, H1: 0 bars; ripser)"


def test_the_record_is_a_copy():
    record = {"engine": "ripser"}
    Diagrams([], record).record["engine"] = "other"
    assert record == {"engine": "ripser"}


def test_the_arrays_are_copies_that_nobody_writes_to():
    mine = np.array([[0.0, 1.0]])
    diagrams = Diagrams([mine])
    mine[:] = 5
    assert diagrams[0].tolist() == [[0, 1]]
    with pytest.raises(ValueError, match="read-only"):
        diagrams[0][:] = 5
    as_diagram(diagrams[0])[:] = 5  # a writable copy, for the kernels
    assert diagrams[0].tolist() == [[0, 1]]


def test_finite_and_essential_parts():
    diagram = as_diagram([[2, np.inf], [0, 3], [1, np.inf]])
    assert finite_part(diagram).tolist() == [[0, 3]]
    assert essential_births(diagram).tolist() == [1, 2]
    assert lifetimes(diagram).tolist() == [3]


def test_torch_tensors_and_empty_arrays():
    assert as_diagram(torch.tensor([[0.0, 1.0]])).tolist() == [[0, 1]]
    assert as_diagram(np.empty((0, 2))).shape == (0, 2)
    assert as_diagram([]).shape == (0, 2)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([[0, 1, 2]], r"d must have two columns, birth and death; got shape \(1, 3\)"),
        (np.empty((0, 3)), r"got shape \(0, 3\)"),
        ([0, 1], "d must have 2 axes"),
        ([[0, 1], [3, 2]], r"birth <= death; bar 1 is \(3.0, 2.0\)"),
        ([[0, 1], [0, np.nan]], "d must not hold NaN; bar 1"),
        ([[-np.inf, 1]], "finite births; bar 0"),
        ([[np.inf, np.inf]], "finite births; bar 0"),
        ([[0, np.inf], [-2e150, 1]], r"d must not exceed 1e\+150 in size; bar 1 is \(-2e\+150"),
        ([[0, 2e150]], "d must not exceed"),
    ],
)
def test_what_is_no_diagram(values, message):
    with pytest.raises(ValueError, match=message):
        as_diagram(values, "d")


def test_one_degree_is_not_all_of_them():
    bars = np.array([[0.0, 1.0]])
    with pytest.raises(TypeError, match=r"one degree; got 2 arrays: take .* such as d\[0\]"):
        as_diagram([bars, bars[:0]], "d")
    with pytest.raises(TypeError, match=r"one per degree; got one array of shape \(1, 2\)"):
        Diagrams(bars)
    with pytest.raises(TypeError, match=r"one after the other; got one array of shape \(1, 2\)"):
        as_diagrams(bars, "diagrams")
    with pytest.raises(TypeError, match="record must be a dictionary; got 'x'"):
        Diagrams([bars], "x")


def test_text_is_no_diagram():
    with pytest.raises(TypeError, match="diagram must hold real numbers"):
        as_diagram([["a", "b"]])


def test_a_table_keeps_degrees_without_bars_out_and_the_others_in_order():
    table = Diagrams([[[0, 1], [0, np.inf]], [], [[2, 3]]]).table()
    assert table.to_dict("list") == {
        "degree": [0, 0, 2],
        "birth": [0.0, 0.0, 2.0],
        "death": [1.0, np.inf, 3.0],
    }
    assert Diagrams([[], []]).table().dtypes.astype(str).tolist() == ["int64", "float64", "float64"]
