"""What is taken for what: the confusion matrix, and precision, recall and F1 of each class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tdafeat.checks import as_names

if TYPE_CHECKING:
    import pandas as pd


def confusion_matrix(
    labels: Any, predicted: Any, classes: Sequence[Any] | None = None
) -> pd.DataFrame:
    """How many samples of each class (rows) were taken for each class (columns).

    Parameters
    ----------
    labels, predicted : (n,) names or whole numbers, such as the columns ``label`` and
        ``prediction`` of a run's predictions.
    classes : in the order of rows and columns; all that occur, sorted, by default.

    Raises
    ------
    ValueError if the two are not equally long and not empty, a class stands twice in `classes`, or
    one that occurs is missing there; TypeError for entries that are neither names nor whole
    numbers.

    Examples
    --------
    >>> confusion_matrix(["cat", "cat", "dog"], ["cat", "dog", "dog"])
         cat  dog
    cat    1    1
    dog    0    1
    """
    import pandas as pd

    true, said = as_names(labels, "labels"), as_names(predicted, "predicted")
    if len(true) != len(said) or not len(true):
        raise ValueError(
            f"labels and predicted must be equally long and not empty; "
            f"got {len(true)} and {len(said)}"
        )
    if np.issubdtype(true.dtype, np.integer) != np.issubdtype(said.dtype, np.integer):
        raise TypeError("labels and predicted must both be names or both be whole numbers")
    occur = np.union1d(true, said)
    order = occur if classes is None else as_names(classes, "classes")
    if len(np.unique(order)) < len(order):
        raise ValueError("classes must be distinct; one stands twice")
    if missing := sorted(set(occur.tolist()) - set(order.tolist())):
        raise ValueError(f"classes must hold every class that occurs; {missing[0]!r} is missing")
    place = {name: k for k, name in enumerate(order.tolist())}
    rows, columns = ([place[name] for name in values.tolist()] for values in (true, said))
    counts = np.zeros((len(order), len(order)), dtype=np.int64)
    np.add.at(counts, (rows, columns), 1)
    return pd.DataFrame(counts, index=order, columns=order)


def classification_report(
    labels: Any, predicted: Any, classes: Sequence[Any] | None = None
) -> pd.DataFrame:
    """Precision, recall and F1 of each class, all in [0, 1], and how many samples it has.

    Parameters
    ----------
    labels, predicted, classes : as `confusion_matrix` takes them, which also says what is refused.

    Returns
    -------
    A row for each class with columns ``precision`` (of what was taken for it, the share that is
    it; NaN where nothing was), ``recall`` (of its samples, the share that was found; NaN without
    samples), ``f1`` (their harmonic mean; NaN where neither has anything to count) and ``n``.

    Examples
    --------
    >>> classification_report(["cat", "cat", "dog"], ["cat", "dog", "dog"]).round(3)
         precision  recall     f1  n
    cat        1.0     0.5  0.667  2
    dog        0.5     1.0  0.667  1
    """
    import pandas as pd

    confused = confusion_matrix(labels, predicted, classes)
    counts = confused.to_numpy()
    found, own, taken = np.diag(counts), counts.sum(axis=1), counts.sum(axis=0)
    return pd.DataFrame(
        {
            "precision": _share(found, taken),
            "recall": _share(found, own),
            "f1": _share(2 * found, own + taken),
            "n": own,
        },
        index=confused.index,
    )


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return part / np.where(whole > 0, whole, np.nan)
