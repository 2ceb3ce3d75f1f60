"""Corrections of p-values for their number: Holm's and Benjamini and Hochberg's."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from tdafeat.checks import as_array


def holm(p: Sequence[float] | np.ndarray) -> np.ndarray:
    """Holm's step-down correction of p-values for their number; NaN stay NaN and do not count.

    Rejecting where the result is at most alpha keeps the chance of even one false discovery at
    or below alpha, however the tests depend on each other.

    References
    ----------
    Holm (1979), A simple sequentially rejective multiple test procedure.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03])
    array([0.03, 0.06, 0.06])
    """

    def steps(ordered: np.ndarray) -> np.ndarray:
        return np.maximum.accumulate(np.arange(len(ordered), 0, -1) * ordered)

    return _stepwise(p, steps)


def benjamini_hochberg(p: Sequence[float] | np.ndarray) -> np.ndarray:
    """Benjamini and Hochberg's correction; NaN stay NaN and do not count.

    Rejecting where the result is at most alpha keeps the expected share of false discoveries
    among all discoveries at or below alpha, for tests that are independent or positively dependent.

    References
    ----------
    Benjamini and Hochberg (1995), Controlling the false discovery rate.

    Examples
    --------
    >>> benjamini_hochberg([0.01, 0.04, 0.03])
    array([0.03, 0.04, 0.04])
    """

    def steps(ordered: np.ndarray) -> np.ndarray:
        n = len(ordered)
        scaled = ordered * n / np.arange(1, n + 1)
        return np.minimum.accumulate(scaled[::-1])[::-1]

    return _stepwise(p, steps)


def _stepwise(
    p: Sequence[float] | np.ndarray, steps: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray:
    values = as_array(p, "p", 1).astype(np.float64)
    if ((values < 0) | (values > 1)).any():
        raise ValueError("p must lie in [0, 1], or be NaN where nothing was tested")
    adjusted = np.full(values.shape, np.nan)
    tested = np.flatnonzero(~np.isnan(values))
    order = tested[np.argsort(values[tested], kind="stable")]
    adjusted[order] = np.minimum(1, steps(values[order]))
    return adjusted


def corrected(table: pd.DataFrame, family: Sequence[str]) -> pd.DataFrame:
    """The table with ``p_holm`` and ``p_bh`` beside ``p``, each family of rows by itself.

    Parameters
    ----------
    table : one row per test, with the column ``p`` and those of `family`.
    family : columns; rows that agree in all of them were tested together.

    Examples
    --------
    >>> table = pd.DataFrame({"space": ["a", "a", "b"], "p": [0.01, 0.04, 0.03]})
    >>> corrected(table, ["space"])[["p_holm", "p_bh"]].to_numpy().tolist()
    [[0.02, 0.02], [0.04, 0.04], [0.03, 0.03]]
    """
    if table.empty:
        return table.assign(p_holm=np.nan, p_bh=np.nan)
    p = table.groupby(list(family), sort=False, dropna=False)["p"]
    return table.assign(
        p_holm=p.transform(lambda values: holm(values.to_numpy())),
        p_bh=p.transform(lambda values: benjamini_hochberg(values.to_numpy())),
    )
