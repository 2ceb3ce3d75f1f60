"""Numbers that sum up one diagram: of its bars that die, since essential ones have no length."""

from __future__ import annotations

from typing import Any

import numpy as np

from tdafeat.checks import as_number
from tdafeat.topology.diagrams import as_diagram, finite_part, lifetimes


def total_persistence(diagram: Any, order: float = 1.0) -> float:
    """Sum of the lifetimes; 0 for no bars.

    Each is taken to the power `order`, at least 0; a sum beyond float64 is inf. For H0 and order 1
    it is the length of the minimum spanning tree of the cloud. In units of the filtration to that
    power (Cohen-Steiner, Edelsbrunner, Harer and Mileyko 2010).

    Raises
    ------
    ValueError for an order that is negative or not finite.

    Examples
    --------
    >>> total_persistence([[0, 1], [1, 4], [0, np.inf]])
    4.0
    """
    if not 0 <= as_number(order, "order") < np.inf:
        raise ValueError(f"order must be at least 0 and finite; got {order}")
    with np.errstate(over="ignore"):
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


def lifetime_quantiles(diagram: Any, q: Any) -> np.ndarray:
    """Quantiles of the lifetimes, in units of the filtration; NaN for no bars.

    Unlike the longest bar, a high quantile does not hang on one point of the cloud.

    Parameters
    ----------
    diagram : `(n, 2)` array-like.
    q : shares of the bars, in [0, 1], a number or an array-like of any shape.

    Returns
    -------
    float64 of the shape of `q`; between two lifetimes it is interpolated.

    Raises
    ------
    ValueError for a share outside [0, 1].

    Examples
    --------
    >>> lifetime_quantiles([[0, 1], [1, 3], [1, 6], [0, np.inf]], [0.5, 1]).tolist()
    [2.0, 5.0]
    """
    try:
        shares = np.asarray(q, dtype=np.float64)
    except (TypeError, ValueError):
        raise TypeError(f"q must be shares of the bars, between 0 and 1; got {q!r}") from None
    if not ((shares >= 0) & (shares <= 1)).all():
        raise ValueError(f"q must be shares of the bars, between 0 and 1; got {q}")
    lengths = lifetimes(as_diagram(diagram))
    return np.asarray(
        np.quantile(lengths, shares) if len(lengths) else np.full_like(shares, np.nan)
    )
