"""Numbers and curves that sum up one diagram. Essential bars count in Betti curves alone."""

from __future__ import annotations

from typing import Any

import numpy as np

from tdafeat.topology.diagrams import as_diagram, finite_part, lifetimes


def rescaled(diagram: Any, scale: float) -> np.ndarray:
    """Scale-free form of a diagram: births and deaths divided by a length of its cloud.

    Parameters
    ----------
    diagram : `(n, 2)` array-like.
    scale : a positive length, such as the median pairwise distance of the cloud.

    Raises
    ------
    ValueError for a scale that is not positive and finite.

    Examples
    --------
    >>> rescaled([[1, 3]], scale=2.0).tolist()
    [[0.5, 1.5]]
    """
    if not 0 < scale < np.inf:
        raise ValueError(f"scale must be a positive length; got {scale}")
    return as_diagram(diagram) / scale


def total_persistence(diagram: Any, order: float = 1.0) -> float:
    """Sum of the lifetimes, each to the power `order`; 0 for no bars.

    For H0 and order 1 it is the length of the minimum spanning tree of the cloud. In units of the
    filtration to that power (Cohen-Steiner, Edelsbrunner, Harer and Mileyko 2010).

    Examples
    --------
    >>> total_persistence([[0, 1], [1, 4], [0, np.inf]])
    4.0
    """
    return float((lifetimes(as_diagram(diagram)) ** order).sum())


def persistence_entropy(diagram: Any) -> float:
    """Shannon entropy of the lifetimes as shares of their sum, natural logarithm.

    Between 0 (one bar, or none) and the log of the number of bars, all equally long
    (Atienza, Gonzalez-Diaz and Rucco 2019).

    Examples
    --------
    >>> round(persistence_entropy([[0, 1], [1, 2]]), 4)
    0.6931
    """
    lengths = lifetimes(as_diagram(diagram))
    lengths = lengths[lengths > 0]
    shares = lengths / lengths.sum() if len(lengths) else lengths
    return float(-(shares * np.log(shares)).sum()) + 0.0  # no minus zero


def longest_bar(diagram: Any) -> float:
    """Longest lifetime, in units of the filtration; 0 for no bars.

    Examples
    --------
    >>> longest_bar([[0, 1], [1, 4]])
    3.0
    """
    return float(lifetimes(as_diagram(diagram)).max(initial=0.0))


def median_death(diagram: Any) -> float:
    """Median death, in units of the filtration; NaN for no bars.

    For H0 it is the median edge of the minimum spanning tree: the typical gap between neighbours.

    Examples
    --------
    >>> median_death([[0, 1], [0, 2], [0, 5], [0, np.inf]])
    2.0
    """
    deaths = finite_part(as_diagram(diagram))[:, 1]
    return float(np.median(deaths)) if len(deaths) else float("nan")


def betti_curve(diagram: Any, values: Any) -> np.ndarray:
    """Number of bars alive, birth <= t < death, at each filtration value t of `values`.

    Parameters
    ----------
    diagram : `(n, 2)` array-like.
    values : filtration values, `(k,)`, in any order.

    Returns
    -------
    `(k,)` int64.

    Examples
    --------
    >>> betti_curve([[0, 1], [0, np.inf]], [0.0, 0.5, 1.0]).tolist()
    [2, 2, 1]
    """
    births, deaths = np.sort(as_diagram(diagram), axis=0).T
    born = np.searchsorted(births, values, side="right")
    return born - np.searchsorted(deaths, values, side="right")
