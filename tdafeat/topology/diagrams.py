"""Persistence diagrams: `(n, 2)` float64 arrays, birth then death, infinite deaths kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from tdafeat.checks import as_array, as_number

if TYPE_CHECKING:
    import pandas as pd

OfPairs = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Distances of the pairs (rows[k], columns[k]), as a function of rows and columns."""

LARGEST = 1e150  # of an entry: squares of others would overflow


class Diagrams(Sequence[np.ndarray]):
    """The diagrams of one cloud, indexed by homology degree, and how they were made.

    Its arrays are copies, and cannot be written to.

    Attributes
    ----------
    record : engine, version, coefficient field, metric, threshold, number of points and of
        landmarks, covering radius of the landmarks.

    Examples
    --------
    >>> h0, h1 = Diagrams([[[0, 1], [0, np.inf]], []], {"engine": "by hand"})
    >>> h1.shape
    (0, 2)
    """

    def __init__(self, diagrams: Iterable[Any], record: Mapping[str, Any] | None = None) -> None:
        self._diagrams = tuple(bars.copy() for bars in by_degree(diagrams, "diagrams"))
        for diagram in self._diagrams:
            diagram.flags.writeable = False
        if record is not None and not isinstance(record, Mapping):
            raise TypeError(f"record must be a dictionary; got {record!r}")
        self.record: dict[str, Any] = dict(record or {})

    @overload
    def __getitem__(self, degree: int) -> np.ndarray: ...
    @overload
    def __getitem__(self, degree: slice) -> Sequence[np.ndarray]: ...
    def __getitem__(self, degree: int | slice) -> np.ndarray | Sequence[np.ndarray]:
        return self._diagrams[degree]

    def __len__(self) -> int:
        return len(self._diagrams)

    def table(self) -> pd.DataFrame:
        """Rows of ``degree`` (int), ``birth`` and ``death`` (float), one for each bar.

        `tdafeat.figures` takes them so.

        Examples
        --------
        >>> Diagrams([[[0, 1], [0, np.inf]], [[2, 3]]]).table().values.tolist()
        [[0.0, 0.0, 1.0], [0.0, 0.0, inf], [1.0, 2.0, 3.0]]
        """
        import pandas as pd

        bars = np.concatenate(self._diagrams) if self._diagrams else np.empty((0, 2))
        degree = np.repeat(np.arange(len(self)), [len(d) for d in self])
        return pd.DataFrame({"degree": degree, "birth": bars[:, 0], "death": bars[:, 1]})

    def __repr__(self) -> str:
        bars = ", ".join(f"H{degree}: {len(d)} bars" for degree, d in enumerate(self))
        return f"Diagrams({bars}; {self.record.get('engine', 'no record')})"


def as_diagram(values: Any, name: str = "diagram") -> np.ndarray:
    """Array-like or torch tensor to an `(n, 2)` float64 diagram, or a clear error.

    Contiguous and writable, so that compiled kernels need only one form of each.

    Raises
    ------
    ValueError if the shape is not (n, 2), an entry is NaN, a birth is infinite, a bar dies
    before it is born, or a finite entry exceeds 1e150 in size; TypeError for the diagrams of all
    degrees together.

    Examples
    --------
    >>> as_diagram([]).shape
    (0, 2)
    >>> as_diagram([[2, 1]])
    Traceback (most recent call last):
    ValueError: diagram must have birth <= death; bar 0 is (2.0, 1.0)
    """
    if isinstance(values, Diagrams):
        raise TypeError(
            f"{name} must be the diagram of one degree; got Diagrams of {len(values)}: "
            f"take one of them, such as {name}[0]"
        )
    if isinstance(values, list | tuple) and values and getattr(values[0], "ndim", 0) == 2:
        raise TypeError(
            f"{name} must be the diagram of one degree; got {len(values)} arrays: "
            f"take one of them, such as {name}[0]"
        )
    if isinstance(values, list | tuple) and len(values) == 0:
        return np.empty((0, 2))
    diagram = as_array(values, name, 2)
    if diagram.dtype != np.float64 or not diagram.flags.carray:
        diagram = np.require(diagram, np.float64, ["C", "W"])
    if diagram.shape[1] != 2:
        raise ValueError(
            f"{name} must have two columns, birth and death; got shape {diagram.shape}"
        )
    births, deaths = diagram[:, 0], diagram[:, 1]
    allowed = np.abs(diagram) <= LARGEST
    if np.count_nonzero(allowed) < diagram.size:
        allowed[:, 1] |= deaths == np.inf
    # Half the time of two calls of `all`, which counts between diagrams of a few bars.
    if np.count_nonzero(allowed) + np.count_nonzero(births <= deaths) == 3 * len(diagram):
        return diagram
    rules = {
        "not hold NaN": np.isnan(diagram).any(axis=1),
        "have finite births": ~np.isfinite(births),
        "have birth <= death": births > deaths,
        f"not exceed {LARGEST:g} in size": ~allowed.all(axis=1),
    }
    rule = next(rule for rule, broken in rules.items() if broken.any())
    bar = int(rules[rule].argmax())
    birth, death = map(float, diagram[bar])
    raise ValueError(f"{name} must {rule}; bar {bar} is ({birth}, {death})")


def by_degree(values: Any, name: str) -> list[np.ndarray]:
    """The diagrams of one cloud, each as by `as_diagram`.

    Examples
    --------
    >>> by_degree(np.array([[0.0, 1.0]]), "diagrams")
    Traceback (most recent call last):
    TypeError: diagrams must be arrays of bars, one per degree; got one array of shape (1, 2)
    """
    wanted = f"{name} must be arrays of bars, one per degree"
    if not isinstance(values, Iterable) or isinstance(values, str):
        raise TypeError(f"{wanted}; got {type(values).__name__}")
    _check_several(values, wanted)
    return [as_diagram(bars, f"H{degree}") for degree, bars in enumerate(values)]


def _check_several(values: Any, wanted: str) -> None:
    shape = getattr(values, "shape", ())
    if len(shape) == 2:
        raise TypeError(f"{wanted}; got one array of shape {tuple(shape)}")


def as_diagrams(values: Any, name: str, of_one_degree: bool = True) -> list[np.ndarray]:
    """Many diagrams, each as by `as_diagram`; an error names the one at fault."""
    if not isinstance(values, Iterable):
        raise TypeError(f"{name} must be diagrams, one after the other; got {values!r}")
    if of_one_degree and isinstance(values, Diagrams):
        raise TypeError(
            f"{name} must be of one degree, a diagram for each cloud; got the Diagrams of one "
            f"cloud: pass those of several, such as [cloud[1] for cloud in ...]"
        )
    _check_several(values, f"{name} must be diagrams, one after the other")
    return [as_diagram(value, f"{name}[{i}]") for i, value in enumerate(values)]


def check_diagrams(value: Any, name: str) -> None:
    """Refuse what are no `Diagrams`, which know how they were made."""
    if not isinstance(value, Diagrams):
        raise TypeError(f"{name} must be Diagrams; got {type(value).__name__}")


def check_length(value: Any, name: str) -> None:
    """Refuse what is no length in which the entries of a diagram can be measured."""
    if not 1 / LARGEST <= as_number(value, name) <= LARGEST:
        raise ValueError(
            f"{name} must be a positive length, {1 / LARGEST:g} to {LARGEST:g}; got {value}"
        )


def as_pairs(mates: np.ndarray, n_others: int, distance: float) -> np.ndarray:
    """Matching as `(k, 2)` indices, -1 for the diagonal, from the mate of each bar.

    Examples
    --------
    >>> as_pairs(np.array([2, -1, 0]), 3, distance=1.0).tolist()
    [[0, 2], [1, -1], [2, 0], [-1, 1]]
    """
    if distance == np.inf:
        return np.empty((0, 2), np.int64)
    free = np.setdiff1d(np.arange(n_others), mates)
    rows = np.concatenate([np.arange(len(mates)), np.full(len(free), -1)])
    return np.column_stack([rows, np.concatenate([mates, free])])


def finite_part(diagram: np.ndarray) -> np.ndarray:
    """Bars that die, `(n, 2)`."""
    return diagram[np.isfinite(diagram[:, 1])]


def essential_births(diagram: np.ndarray) -> np.ndarray:
    """Births of the bars that never die, ascending, `(n,)`."""
    return np.sort(diagram[np.isinf(diagram[:, 1]), 0])


def lifetimes(diagram: np.ndarray) -> np.ndarray:
    """Death minus birth of every bar that dies, `(n,)`."""
    births, deaths = finite_part(diagram).T
    return deaths - births
