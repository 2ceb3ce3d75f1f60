"""Exact Wasserstein distances between persistence diagrams."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal, overload

import numpy as np

from tdafeat.checks import as_number, check_flag
from tdafeat.topology.diagrams import OfPairs, as_diagram, as_pairs

_HIGHEST = 500  # order for which sums of powers of lengths up to four bottlenecks are below 2^1023


@overload
def wasserstein(
    a: Any,
    b: Any,
    order: float = ...,
    internal_p: float = ...,
    *,
    matching: Literal[False] = ...,
) -> float: ...
@overload
def wasserstein(
    a: Any, b: Any, order: float = ..., internal_p: float = ..., *, matching: Literal[True]
) -> tuple[float, np.ndarray]: ...
def wasserstein(
    a: Any,
    b: Any,
    order: float = 1.0,
    internal_p: float = math.inf,
    *,
    matching: bool = False,
) -> float | tuple[float, np.ndarray]:
    """Wasserstein distance of two diagrams, exact.

    The least, over all partial matchings, of (sum of costs^order)^(1/order), where a pair costs
    its distance in the ground norm and an unmatched bar its distance to the diagonal. Essential
    bars are matched among themselves, by sorted births; different numbers of them are infinitely
    far apart.

    Parameters
    ----------
    a, b : diagrams, `(n, 2)` and `(m, 2)` array-like.
    order : p of W_p, from 1 to 500. The limit for large p is the bottleneck distance (of the same
        ground norm), which W_500 of 10,000 bars exceeds by less than 2 %.
    internal_p : q of the ground norm L_q on the plane, at least 1, inf included.
    matching : return an optimal matching too.

    Returns
    -------
    distance : at least 0, in the units of the filtration.
    matching : if asked for, `(k, 2)` int64: index in `a`, index in `b`, -1 for the diagonal. Every
        bar is in one row; none are there where the distance is infinite.

    Raises
    ------
    ValueError for arrays that are no diagrams and for an order or a norm out of range.

    Notes
    -----
    Where all bars are born together (H0) the problem is an alignment on a line: O(nm) time, linear
    memory (a byte for each pair of bars if the matching is asked for). Otherwise it is an
    assignment in which the diagonal is part of the prices, over the few pairs that can be cheaper
    than both bars' ways to the diagonal; memory is linear in their number. Exact means up to
    rounding: of all matchings none is cheaper by more than the last digits.

    References
    ----------
    Cohen-Steiner, Edelsbrunner, Harer and Mileyko (2010), "Lipschitz functions have L_p-stable
    persistence"; Jonker and Volgenant (1987), "A shortest augmenting path algorithm for dense and
    sparse linear assignment problems".

    Examples
    --------
    >>> wasserstein([[0, 2]], [[0, 3]])
    1.0
    >>> wasserstein([[0, 2], [1, 5]], [])
    3.0
    >>> wasserstein([[0, np.inf]], [])
    inf
    >>> distance, pairs = wasserstein([[0, 1], [1, 5]], [[1, 4]], matching=True)
    >>> distance, pairs.tolist()
    (1.5, [[0, -1], [1, 0]])
    """
    first, second = as_diagram(a, "a"), as_diagram(b, "b")
    check_flag(matching, "matching")
    if not matching:
        return wasserstein_of_checked(first, second, order, internal_p)
    check_exponents(order, internal_p)
    from tdafeat.topology.whole import wasserstein_of

    mates = np.full(len(first), -1, np.int64)
    distance = wasserstein_of(first, second, float(order), float(internal_p), True, mates)
    return distance, as_pairs(mates, len(second), distance)


def check_exponents(order: float, internal_p: float) -> None:
    """Refuse an order or a ground norm outside their ranges."""
    if not 1 <= as_number(order, "order") <= _HIGHEST:
        raise ValueError(
            f"order must be at least 1 and at most {_HIGHEST} (beyond, take bottleneck); "
            f"got {order}"
        )
    check_exponent(internal_p, "internal_p")


def check_exponent(exponent: float, name: str) -> None:
    """Refuse a norm outside [1, inf]."""
    if not as_number(exponent, name) >= 1:
        raise ValueError(f"{name} must be at least 1, inf included; got {exponent}")


def wasserstein_of_checked(
    a: np.ndarray, b: np.ndarray, order: float = 1.0, internal_p: float = math.inf
) -> float:
    """`wasserstein` of diagrams that have been checked."""
    check_exponents(order, internal_p)
    from tdafeat.topology.whole import NO_MATES, wasserstein_of

    return wasserstein_of(a, b, float(order), float(internal_p), False, NO_MATES)


def wasserstein_of_pairs(
    first: Sequence[np.ndarray],
    second: Sequence[np.ndarray],
    order: float = 1.0,
    internal_p: float = math.inf,
) -> OfPairs:
    """Distances of `first[rows[k]]` to `second[columns[k]]`, as a function of rows and columns."""
    check_exponents(order, internal_p)
    from tdafeat.topology.many import both_gathered, wasserstein_of_many

    both = both_gathered(first, second)
    return lambda rows, columns: wasserstein_of_many(
        *both, rows, columns, float(order), float(internal_p)
    )
