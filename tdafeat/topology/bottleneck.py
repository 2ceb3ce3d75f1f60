"""The exact bottleneck distance between persistence diagrams."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, overload

import numpy as np

from tdafeat.checks import as_count, check_flag
from tdafeat.topology.diagrams import Diagrams, OfPairs, as_diagram, as_pairs, check_diagrams
from tdafeat.topology.points import NO_TRIANGLE_INEQUALITY


@overload
def bottleneck(a: Any, b: Any, *, matching: Literal[False] = ...) -> float: ...
@overload
def bottleneck(a: Any, b: Any, *, matching: Literal[True]) -> tuple[float, np.ndarray]: ...
def bottleneck(a: Any, b: Any, *, matching: bool = False) -> float | tuple[float, np.ndarray]:
    """Bottleneck distance of two diagrams, exact: the limit of W_p as p grows.

    The smallest r such that all bars longer than 2 r, of either diagram, can be matched to bars
    of the other within r in the maximum norm. Essential bars are matched by sorted births;
    different numbers of them are infinitely far apart.

    Parameters
    ----------
    a, b : diagrams, `(n, 2)` and `(m, 2)` array-like.
    matching : return a matching too in which nothing moves further than the distance.

    Returns
    -------
    distance : at least 0, in the units of the filtration.
    matching : if asked for, `(k, 2)` int64: index in `a`, index in `b`, -1 for the diagonal. Every
        bar is in one row; none are there where the distance is infinite.

    Raises
    ------
    ValueError for arrays that are no diagrams.

    Notes
    -----
    By the theorem of Mendelsohn and Dulmage (1958) one matching covers the long bars of both
    diagrams if and only if one covers those of `a` and another those of `b`: the problem falls
    apart into two small ones. The radius is bisected over the float64 numbers themselves, so the
    result is a distance or half a length of the diagrams, to the last bit.

    References
    ----------
    Cohen-Steiner, Edelsbrunner and Harer (2007), "Stability of persistence diagrams"; Mendelsohn
    and Dulmage (1958), "Some generalizations of the problem of distinct representatives".

    Examples
    --------
    >>> bottleneck([[0, 2], [1, 1.5]], [[0, 3]])
    1.0
    >>> distance, pairs = bottleneck([[0, 2], [1, 1.5]], [[0, 3]], matching=True)
    >>> pairs.tolist()
    [[0, 0], [1, -1]]
    """
    first, second = as_diagram(a, "a"), as_diagram(b, "b")
    check_flag(matching, "matching")
    if not matching:
        return bottleneck_of_checked(first, second)
    from tdafeat.topology.whole import bottleneck_of

    mates = np.full(len(first), -1, np.int64)
    distance = bottleneck_of(first, second, True, mates)
    return distance, as_pairs(mates, len(second), distance)


def bottleneck_of_checked(a: np.ndarray, b: np.ndarray) -> float:
    """`bottleneck` of diagrams that have been checked."""
    from tdafeat.topology.whole import NO_MATES, bottleneck_of

    return bottleneck_of(a, b, False, NO_MATES)


def bottleneck_of_pairs(first: Sequence[np.ndarray], second: Sequence[np.ndarray]) -> OfPairs:
    """Distances of `first[rows[k]]` to `second[columns[k]]`, as a function of rows and columns."""
    from tdafeat.topology.many import both_gathered, bottleneck_of_many

    both = both_gathered(first, second)
    return lambda rows, columns: bottleneck_of_many(*both, rows, columns)


def bottleneck_interval(a: Diagrams, b: Diagrams, degree: int) -> tuple[float, float]:
    """Where the bottleneck distance of two whole clouds lies, by the diagrams of their landmarks.

    Each landmark diagram is within twice its covering radius of that of its cloud, so the distance
    of the clouds' diagrams differs from that of the landmarks' by at most twice both radii.

    Parameters
    ----------
    a, b : what `persistence` returned, with the covering radius in its record.
    degree : homology degree.

    Returns
    -------
    low, high : the distance of the landmarks' diagrams less and plus twice both radii, low >= 0;
        both are the distance itself where all points were used.

    Raises
    ------
    ValueError where a record has no covering radius, and for landmarks where the filtration ended
    at a finite threshold, or its metric has no triangle inequality: then no such bound is known.
    ValueError too for diagrams in different metrics, scales or coefficients, of different
    thresholds, of a sparse matrix and of all distances, and for a degree that one of them lacks.

    Notes
    -----
    The bound is the stability theorem for Rips filtrations by diameter: a cloud and its landmarks
    are within the covering radius in Hausdorff distance, and hence their diagrams within twice
    that. It needs a metric, and the whole filtration: a threshold can make a long bar essential on
    one side alone. A precomputed matrix is taken to be a metric.

    References
    ----------
    Chazal, de Silva and Oudot (2014), "Persistence stability for geometric complexes".

    Examples
    --------
    >>> from tdafeat import persistence
    >>> line = np.linspace(0, 1, 50)[:, None]
    >>> a, b = persistence(line, n_landmarks=25), persistence(2 * line)
    >>> low, high = bottleneck_interval(a, b, degree=0)
    >>> low <= bottleneck(persistence(line)[0], b[0]) <= high
    True
    """
    as_count(degree, "degree", least=0)
    for name, diagrams in (("a", a), ("b", b)):
        check_diagrams(diagrams, name)
        if degree >= len(diagrams):
            raise ValueError(
                f"degree must be one of {name}'s, at most {len(diagrams) - 1}; got {degree}"
            )
    _check_units(a.record, b.record)
    error = 2 * (_covering_radius(a, "a") + _covering_radius(b, "b"))
    distance = bottleneck(a[degree], b[degree])
    return max(0.0, distance - error), distance + error


def _check_units(a: dict[str, Any], b: dict[str, Any]) -> None:
    """Refuse lengths of different kinds; distances that the caller brought may be of any."""
    metrics = {record["metric"] for record in (a, b) if "metric" in record} - {"precomputed"}
    if len(metrics) > 1:
        raise ValueError(
            f"a and b must be of one metric; they are of {a['metric']!r} and {b['metric']!r}"
        )
    for key, what, default in (
        ("scale", "in the same units", "the filtration"),
        ("thresh", "of the same threshold", None),
        ("coefficients", "over the same field", None),
        ("sparse", "both of a sparse matrix, or neither", False),
    ):
        first, second = (record.get(key, default) for record in (a, b))
        if first != second and None not in (first, second):
            raise ValueError(f"a and b must be {what}; their {key} is {first!r} and {second!r}")


def _covering_radius(diagrams: Diagrams, name: str) -> float:
    record = diagrams.record
    if "covering_radius" not in record:
        raise ValueError(f"{name} must record the covering radius of its landmarks; it does not")
    radius = float(record["covering_radius"])
    if radius > 0 and record.get("metric") in NO_TRIANGLE_INEQUALITY:
        raise ValueError(
            f"{name} must be landmarks in a metric for a bound to hold; "
            f"{record['metric']} distance has no triangle inequality"
        )
    if radius > 0 and record.get("thresh") != np.inf:
        raise ValueError(
            f"{name} must be of the whole filtration for a bound to hold; "
            f"its threshold is {record.get('thresh')}"
        )
    return radius
