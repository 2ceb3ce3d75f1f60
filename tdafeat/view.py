"""What a metric sees of a cell: named fields, on the whole cell or on one class of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from tdafeat.record import Estimate, Metric, Scope
from tdafeat.sharing import rows_of


class View(Mapping[str, Any]):
    """Fields of one cell by name; what a metric's `needs` names is looked up here.

    Parameters
    ----------
    labels : (n,) class index of each row.
    rows : arrays with one entry per row (``features``, ``clean``, scores of predictors).
    class_diagrams, clean_class_diagrams : per class, the diagrams of its own cloud.
    other : fields that belong to the whole cell only (``diagrams``, ``probe_weights``).

    Examples
    --------
    >>> view = View(np.array([0, 0, 1]), {"features": np.arange(6.0).reshape(3, 2)})
    >>> view.of_class(1)["features"]
    array([[4., 5.]])
    """

    def __init__(
        self,
        labels: np.ndarray,
        rows: Mapping[str, np.ndarray],
        class_diagrams: list[Any] | None = None,
        clean_class_diagrams: list[Any] | None = None,
        other: Mapping[str, Any] | None = None,
    ) -> None:
        self._rows = dict(rows)
        self._by_class = {"diagrams": class_diagrams, "clean_diagrams": clean_class_diagrams}
        self._labels = labels
        fields = {"labels": labels, **rows, **(other or {})}
        if class_diagrams is not None:
            fields["class_diagrams"] = class_diagrams
        self._fields = fields

    def __getitem__(self, name: str) -> Any:
        return self._fields[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    @property
    def n(self) -> int:
        """Number of rows."""
        return len(self._labels)

    def of_class(self, index: int) -> View:
        """The rows of one class, with that class's own diagrams."""
        own = {name: of[index] for name, of in self._by_class.items() if of is not None}
        return View(
            rows_of(self._labels, self._labels, index),
            {name: rows_of(values, self._labels, index) for name, values in self._rows.items()},
            other=own,
        )

    def measurable(self, metric: Metric, scope: Scope) -> bool:
        """Whether the metric is defined on this scope and all it needs is here."""
        return scope in metric.scopes and all(need in self for need in metric.needs)

    def note(self, metric: Metric) -> str:
        """What must stand beside the value of a metric that was measured here."""
        if metric.note is None:
            return ""
        return metric.note(*(self[need] for need in metric.needs))

    def measure(self, metric: Metric) -> tuple[Any, str]:
        """The metric's value (an `Estimate`, or a matrix for pairs) and its status.

        An input the metric refuses gives NaN and the reason as status instead of ``"ok"``.
        """
        try:
            value = metric.function(*(self[need] for need in metric.needs))
        except (
            ValueError,
            ArithmeticError,
            RuntimeError,
        ) as error:  # torch's LinAlgError is the last
            return Estimate(np.nan, np.nan, np.nan), str(error).split("\n")[0]
        if metric.shape == "pairs":
            return np.asarray(value, dtype=np.float64), "ok"
        if not isinstance(value, Estimate):
            value = Estimate(float(value), np.nan, np.nan)
        return value, "ok" if not np.isnan(value.value) else "undefined for this input"
