"""Permutation test between two groups of diagrams.

A permutation test is valid for its null hypothesis alone: that what it exchanges may be
exchanged. p-values count the observed arrangement as one of the drawn, so they are
never 0 and reject a true null with probability at most alpha, for any number of draws.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tdafeat.checks import as_count, as_generator, check_flag, check_positive
from tdafeat.topology.curves import as_curves
from tdafeat.topology.diagrams import as_diagrams
from tdafeat.topology.pairwise import finite_distances

NULL = {
    False: "all diagrams are exchangeable between the groups",
    True: "the two diagrams of each pair are exchangeable",
}


@dataclass(frozen=True)
class PermutationTest:
    """Outcome of a permutation test.

    Attributes
    ----------
    statistic : of the observed arrangement.
    p : probability, under the null, of one at least as extreme; in [1 / (n_permutations + 1), 1].
    null : the hypothesis tested, in words.
    drawn : `(n_permutations,)`, the statistic of the drawn arrangements.
    """

    statistic: float
    p: float
    null: str
    drawn: np.ndarray = field(repr=False)


def group_test(
    a: Sequence[Any],
    b: Sequence[Any],
    paired: bool = False,
    distance: str = "wasserstein",
    order: float = 1.0,
    internal_p: float = math.inf,
    power: float = 2.0,
    n_permutations: int = 999,
    random_state: int = 0,
    n_jobs: int | None = None,
    **parameters: float,
) -> PermutationTest:
    """Do two groups of diagrams differ? Permutation test of the joint loss.

    The loss is the mean distance (to the `power`) within the groups, halved and summed over both:
    small where each group is tight. It is compared with that of groups drawn at random.

    Parameters
    ----------
    a, b : groups of diagrams of one degree, at least two each.
    paired : whether a[i] and b[i] belong together, as the diagrams of one class before and after
        noise do. Groups are then drawn by swapping within pairs, and otherwise by dealing anew.
        n pairs have 2^(n - 1) arrangements: fewer than 6 cannot reach p = 0.05.
    distance, order, internal_p : as in `distance_matrix`.
    power : q of the joint loss, positive. With 1 the loss of pairs far apart hardly moves when
        they swap, and a small change common to all pairs is missed.
    n_permutations : arrangements drawn.
    random_state : their seed.
    n_jobs, **parameters : threads for the distances, and parameters of theirs, as in
        `distance_matrix`.

    Returns
    -------
    PermutationTest; a small loss, hence a small p, speaks for a difference. Its null: all diagrams
    are exchangeable between the groups; if paired: the two of each pair are, pair by pair, and
    pairs may differ as they like.

    Raises
    ------
    ValueError for groups too small, unequal groups if paired, diagrams infinitely far apart, or
    arguments out of range; UnknownName for another distance.

    References
    ----------
    Robinson and Turner (2017), "Hypothesis testing for topological data analysis"; Phipson and
    Smyth (2010), "Permutation p-values should never be zero".

    Examples
    --------
    >>> short, long = [[[0, 1 + i / 9]] for i in range(5)], [[[0, 3 + i / 9]] for i in range(5)]
    >>> group_test(short, long).p < 0.05
    True
    """
    as_count(n_permutations, "n_permutations")
    check_positive(power, "power")
    check_flag(paired, "paired")
    first, second = as_diagrams(a, "a"), as_diagrams(b, "b")
    _check_sizes(len(first), len(second), paired)
    table = finite_distances(
        first + second,
        distance=distance,
        order=order,
        internal_p=internal_p,
        n_jobs=n_jobs,
        **parameters,
    )
    members = _arrangements(len(first), len(second), paired, n_permutations, random_state)
    longest = table.max() or 1.0  # in which no power overflows, or vanishes
    losses = _joint_loss((table / longest) ** power, members)
    p = p_value(-losses[0], -losses[1:])
    with np.errstate(over="ignore"):  # inf is what a loss beyond float64 is
        observed, *drawn = (losses ** (1 / power) * longest) ** power
    return PermutationTest(float(observed), p, NULL[bool(paired)], np.array(drawn))


def summary_test(
    a: Any,
    b: Any,
    paired: bool = False,
    n_permutations: int = 999,
    random_state: int = 0,
) -> PermutationTest:
    """Do the mean summaries of two groups of diagrams differ? Permutation test of curves.

    The statistic is the Euclidean norm of the difference of the two mean curves. Where pairs
    differ much among themselves it sees a small change common to all, which distances between
    diagrams bury.

    Parameters
    ----------
    a, b : one summary of each diagram, all of one shape: `(n, k)` Betti curves or silhouettes,
        `(n, layers, k)` landscapes, `(n, rows, columns)` images, sampled at the same values.
    paired, n_permutations, random_state : as in `group_test`.

    Returns
    -------
    PermutationTest; a large norm, hence a small p, speaks for a difference. Its null is that of
    `group_test`.

    Raises
    ------
    ValueError for groups too small, unequal groups if paired, or curves that are not finite or
    not of one shape.

    References
    ----------
    Bubenik (2015), "Statistical topological data analysis using persistence landscapes".

    Examples
    --------
    >>> low, high = [[i / 9, 1.0] for i in range(5)], [[i / 9, 2.0] for i in range(5)]
    >>> summary_test(low, high, paired=True, n_permutations=9999).p < 0.1  # 16 arrangements
    True
    """
    as_count(n_permutations, "n_permutations")
    first, second = as_curves(a, "a"), as_curves(b, "b")
    if first.shape[1:] != second.shape[1:]:
        raise ValueError(
            f"a and b must hold curves of one shape; got {first.shape[1:]} and {second.shape[1:]}"
        )
    n, m = len(first), len(second)
    _check_sizes(n, m, paired)
    members = _arrangements(n, m, paired, n_permutations, random_state)
    curves = np.concatenate([first, second]).reshape(n + m, -1)
    observed, *drawn = np.linalg.norm(np.where(members, 1 / n, -1 / m) @ curves, axis=1)
    # Means that are equal differ by the rounding of their sums, in a pattern of its own for each
    # arrangement.
    rounding = 1e-12 * float(np.linalg.norm(np.abs(curves).max(axis=0)))
    p = p_value(observed, np.array(drawn), rounding)
    return PermutationTest(float(observed), p, NULL[bool(paired)], np.array(drawn))


def p_value(observed: float, drawn: np.ndarray, rounding: float = 0.0) -> float:
    """Share of arrangements, the observed one among them, that reach it (up to rounding).

    `rounding` is by how much statistics may err where they are far smaller than what they are
    computed from.

    Examples
    --------
    >>> p_value(2.0, np.array([0.0, 1.0, 2.0]))
    0.5
    """
    reached = int(np.count_nonzero(drawn >= observed - max(1e-12 * abs(observed), rounding)))
    return (1 + reached) / (1 + len(drawn))


def _check_sizes(n: int, m: int, paired: bool) -> None:
    if paired and n != m:
        raise ValueError(f"paired groups must be equally large; got {n} and {m}")
    if min(n, m) < 2:
        raise ValueError(f"each group needs at least two diagrams; got {n} and {m}")


def _arrangements(
    n: int, m: int, paired: bool, n_permutations: int, random_state: int
) -> np.ndarray:
    """Members of the first group, bool `(1 + n_permutations, n + m)`, the observed first."""
    rng = as_generator(random_state)
    drawn = (_swaps if paired else _deals)(rng, n, m, n_permutations)
    return np.concatenate([_first(n, m), drawn])


def _first(n: int, m: int) -> np.ndarray:
    return (np.arange(n + m) < n)[None]


def _deals(rng: np.random.Generator, n: int, m: int, size: int) -> np.ndarray:
    """Members of the first group, `(size, n + m)` bool, dealt at random."""
    return rng.permuted(np.repeat(_first(n, m), size, axis=0), axis=1)


def _swaps(rng: np.random.Generator, n: int, m: int, size: int) -> np.ndarray:
    """Members of the first group when each pair (i, n + i) swaps at random."""
    swapped = rng.random((size, n)) < 0.5
    return np.concatenate([~swapped, swapped], axis=1)


def _joint_loss(table: np.ndarray, members: np.ndarray) -> np.ndarray:
    """Sum over both groups of half the mean entry between two of its members, `(draws,)`."""
    loss = np.zeros(len(members))
    for group in (members.astype(np.float64), (~members).astype(np.float64)):
        size = group[0].sum()
        loss += ((group @ table) * group).sum(axis=1) / (2 * size * (size - 1))
    return loss
