"""Functions of the filtration value that sum up one diagram, sampled where the caller asks.

Essential bars count in Betti curves alone: their tents have no top.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tdafeat.checks import as_array, as_count, as_number
from tdafeat.topology.diagrams import as_diagram, as_diagrams, finite_part


def filtration_grid(diagrams: Sequence[Any], n_values: int = 200) -> np.ndarray:
    """Evenly spaced filtration values that span all bars of some diagrams: an axis to share.

    Parameters
    ----------
    diagrams : diagrams, `(n, 2)` array-likes.
    n_values : how many values, at least 2.

    Returns
    -------
    `(n_values,)` float64, from the first birth to the last finite death (or last birth).

    Raises
    ------
    ValueError where no diagram has a bar, or for fewer than two values.

    Examples
    --------
    >>> filtration_grid([[[0, 1]], [[0.5, 2], [0, np.inf]]], n_values=3).tolist()
    [0.0, 1.0, 2.0]
    """
    as_count(n_values, "n_values", least=2)
    bars = as_diagrams(diagrams, "diagrams", of_one_degree=False)
    ends = np.concatenate([np.empty(0), *(d[np.isfinite(d)] for d in bars)])
    if len(ends) == 0:
        raise ValueError("diagrams must hold at least one bar to span a range of values")
    return np.linspace(ends.min(), ends.max(), n_values)


def betti_curve(diagram: Any, values: Any) -> np.ndarray:
    """Number of bars alive, birth <= t < death, at each filtration value t of `values`.

    Parameters
    ----------
    diagram : `(n, 2)` array-like.
    values : filtration values, `(k,)`, in any order.

    Returns
    -------
    `(k,)` int64.

    Raises
    ------
    ValueError for values that are no vector, or NaN.

    Examples
    --------
    >>> betti_curve([[0, 1], [0, np.inf]], [0.0, 0.5, 1.0]).tolist()
    [2, 2, 1]
    """
    births, deaths = np.sort(as_diagram(diagram), axis=0).T
    values = _as_values(values)
    born = np.searchsorted(births, values, side="right")
    return born - np.searchsorted(deaths, values, side="right")


def landscape(diagram: Any, values: Any, n_layers: int = 5) -> np.ndarray:
    """Persistence landscape: layer k at t is the k-th highest tent of the bars there.

    The tent of a bar rises with slope 1 from its birth to half its lifetime and falls to its
    death. Landscapes live in a vector space, so they may be averaged and tested as curves are.

    Parameters
    ----------
    diagram : `(n, 2)` array-like; essential bars are left out.
    values : filtration values, `(k,)`, in any order.
    n_layers : how many layers, at least 1.

    Returns
    -------
    `(n_layers, k)` float64 in units of the filtration; layers beyond the number of bars are 0.

    Raises
    ------
    ValueError for fewer than one layer, or values that are no vector, or NaN.

    References
    ----------
    Bubenik (2015), "Statistical topological data analysis using persistence landscapes".

    Examples
    --------
    >>> landscape([[0, 4], [1, 3]], [1.0, 2.0, 3.0], n_layers=2).tolist()
    [[1.0, 2.0, 1.0], [0.0, 1.0, 0.0]]
    """
    as_count(n_layers, "n_layers")
    births, deaths = finite_part(as_diagram(diagram)).T
    values = _as_values(values)
    layers = np.zeros((n_layers, len(values)))
    kept = min(n_layers, len(births))
    if kept == 0:
        return layers
    for column, value in enumerate(values):  # one at a time: many bars by many values are too many
        tents = np.maximum(np.minimum(value - births, deaths - value), 0.0)
        layers[:kept, column] = np.sort(np.partition(tents, -kept)[-kept:])[::-1]
    return layers


def silhouette(diagram: Any, values: Any, power: float = 1.0) -> np.ndarray:
    """Mean of the tents of all bars, each weighted by its lifetime to some power.

    Parameters
    ----------
    diagram : `(n, 2)` array-like; essential bars are left out.
    values : filtration values, `(k,)`, in any order.
    power : how much long bars count for more; 0 is the plain mean.

    Returns
    -------
    `(k,)` float64 in units of the filtration; 0 for no bars.

    Raises
    ------
    ValueError for a power that is negative or infinite, or values that are no vector, or NaN.

    References
    ----------
    Chazal, Fasy, Lecci, Rinaldo and Wasserman (2014), "Stochastic convergence of persistence
    landscapes and silhouettes".

    Examples
    --------
    >>> silhouette([[0, 4], [1, 3]], [2.0], power=1).round(3).tolist()
    [1.667]
    """
    if not 0 <= as_number(power, "power") < np.inf:
        raise ValueError(f"power must be at least 0 and finite; got {power}")
    births, deaths = finite_part(as_diagram(diagram)).T
    values = _as_values(values)
    lengths = deaths - births
    if lengths.max(initial=0.0) == 0:
        return np.zeros(len(values))
    weights = (lengths / lengths.max()) ** power  # in the longest, so that no power overflows
    weights /= weights.sum()
    tents = (np.maximum(np.minimum(value - births, deaths - value), 0.0) for value in values)
    return np.array([weights @ tent for tent in tents])


def as_curves(values: Any, name: str) -> np.ndarray:
    """Summaries of several diagrams, all of one shape, along the first axis, or a clear error.

    Examples
    --------
    >>> as_curves([[0, 1], [2, 3]], "a").shape
    (2, 2)
    """
    try:
        curves = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must be an array of curves of one shape; {error}") from None
    if curves.ndim < 2:
        raise ValueError(f"{name} must be an array of curves; got shape {curves.shape}")
    if not np.isfinite(curves).all():
        raise ValueError(f"{name} must be finite")
    return curves


def _as_values(values: Any) -> np.ndarray:
    array = as_array(values, "values", 1)
    if np.isnan(array).any():
        raise ValueError(f"values must not be NaN; entry {int(np.isnan(array).argmax())} is")
    return array
