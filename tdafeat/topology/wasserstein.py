"""Exact Wasserstein distances between persistence diagrams."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tdafeat.topology.diagrams import as_diagram, essential_births, finite_part

_DENSE = 1 << 16  # pairs up to which a dense assignment is faster than a sparse one
_BLOCK = 1 << 20  # pairs looked at together


def wasserstein(a: Any, b: Any, order: float = 1.0, internal_p: float = math.inf) -> float:
    """Wasserstein distance of two diagrams, exact.

    The least, over all partial matchings, of (sum of costs^order)^(1/order), where a pair costs
    its distance in the ground norm and an unmatched bar its distance to the diagonal. Essential
    bars are matched among themselves, by sorted births; different numbers of them are infinitely
    far apart.

    Parameters
    ----------
    a, b : diagrams, `(n, 2)` and `(m, 2)` array-like.
    order : p of W_p, finite and at least 1.
    internal_p : q of the ground norm L_q on the plane, at least 1, inf included.

    Returns
    -------
    Distance >= 0 in the units of the filtration.

    Raises
    ------
    ValueError for arrays that are no diagrams and for an order or a norm below 1.

    Notes
    -----
    Where all bars are born together (H0) the problem is an alignment on a line, O(nm). Otherwise
    the diagonal is folded into the costs: matching i with j is worth considering only if it is
    cheaper than leaving both to the diagonal, which leaves a sparse rectangular assignment.

    References
    ----------
    Cohen-Steiner, Edelsbrunner, Harer and Mileyko (2010), "Lipschitz functions have L_p-stable
    persistence".

    Examples
    --------
    >>> wasserstein([[0, 2]], [[0, 3]])
    1.0
    >>> wasserstein([[0, 2], [1, 5]], [])
    3.0
    >>> wasserstein([[0, np.inf]], [])
    inf
    """
    check_exponents(order, internal_p)
    return wasserstein_of_checked(as_diagram(a, "a"), as_diagram(b, "b"), order, internal_p)


def check_exponents(order: float, internal_p: float) -> None:
    """Refuse an order or a ground norm outside their ranges."""
    if not 1 <= order < math.inf:
        raise ValueError(f"order must be finite and at least 1 (inf is bottleneck); got {order}")
    if not internal_p >= 1:
        raise ValueError(f"internal_p must be at least 1, inf included; got {internal_p}")


def wasserstein_of_checked(a: np.ndarray, b: np.ndarray, order: float, internal_p: float) -> float:
    """`wasserstein` of diagrams and exponents that have been checked."""
    births_a, births_b = essential_births(a), essential_births(b)
    if len(births_a) != len(births_b):
        return math.inf
    a, b = finite_part(a), finite_part(b)
    gaps = abs(births_a - births_b)
    # Lengths are measured in the largest one, so that no power of them overflows or vanishes.
    lengths_a, lengths_b = a[:, 1] - a[:, 0], b[:, 1] - b[:, 0]
    scale = max(x.max(initial=0.0) for x in (lengths_a, lengths_b, gaps))
    if scale == 0:
        return 0.0
    to_diagonal = 2 ** (1 / internal_p - 1)
    drop_a = (lengths_a * (to_diagonal / scale)) ** order
    drop_b = (lengths_b * (to_diagonal / scale)) ** order
    if born_together(a, b):
        total = _on_a_line(lengths_a / scale, lengths_b / scale, drop_a, drop_b, order)
    else:
        total = _in_the_plane(a / scale, b / scale, drop_a, drop_b, order, internal_p)
    return float(scale * (total + ((gaps / scale) ** order).sum()) ** (1 / order))


def born_together(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether all bars of both diagrams have one birth, as in H0 of a Rips filtration."""
    births = np.concatenate([a[:, 0], b[:, 0]])
    return len(births) == 0 or bool((births == births[0]).all())


def _on_a_line(
    a: np.ndarray, b: np.ndarray, drop_a: np.ndarray, drop_b: np.ndarray, order: float
) -> float:
    from tdafeat.topology.alignment import alignment_cost

    return alignment_cost(np.sort(a), np.sort(b), np.sort(drop_a), np.sort(drop_b), float(order))


def _in_the_plane(
    a: np.ndarray,
    b: np.ndarray,
    drop_a: np.ndarray,
    drop_b: np.ndarray,
    order: float,
    internal_p: float,
) -> float:
    """Least total cost when the diagonal is folded into the savings cost_ij - drop_i - drop_j."""
    if len(a) * len(b) <= _DENSE:
        rows, columns = _assign_dense(_costs(a, b, order, internal_p) - drop_a[:, None] - drop_b)
    else:
        rows, columns = _assign_sparse(a, b, drop_a, drop_b, order, internal_p)
    # Summed from the matching itself and not from the savings, so that nothing cancels.
    matched = _ground_distance(a[rows] - b[columns], internal_p) ** order
    return matched.sum() + np.delete(drop_a, rows).sum() + np.delete(drop_b, columns).sum()


def _ground_distance(difference: np.ndarray, internal_p: float) -> np.ndarray:
    births, deaths = abs(difference[..., 0]), abs(difference[..., 1])
    if internal_p == math.inf:
        return np.maximum(births, deaths)
    if internal_p == 1:
        return births + deaths
    if internal_p == 2:
        return np.hypot(births, deaths)
    largest = np.maximum(births, deaths)
    smallest = np.minimum(births, deaths)
    ratio = np.divide(smallest, largest, out=np.zeros_like(largest), where=largest > 0)
    return largest * (1 + ratio**internal_p) ** (1 / internal_p)


def _costs(a: np.ndarray, b: np.ndarray, order: float, internal_p: float) -> np.ndarray:
    return _ground_distance(a[:, None] - b[None], internal_p) ** order


def _assign_dense(savings: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(np.minimum(savings, 0.0))
    useful = savings[rows, columns] < 0
    return rows[useful], columns[useful]


def _assign_sparse(
    a: np.ndarray,
    b: np.ndarray,
    drop_a: np.ndarray,
    drop_b: np.ndarray,
    order: float,
    internal_p: float,
) -> tuple[np.ndarray, np.ndarray]:
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import min_weight_full_bipartite_matching

    n, m = len(a), len(b)
    pairs: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    height = max(1, _BLOCK // m)
    for start in range(0, n, height):
        block = slice(start, start + height)
        savings = _costs(a[block], b, order, internal_p) - drop_a[block, None] - drop_b
        i, j = np.nonzero(savings < 0)
        pairs.append((i + start, j, savings[i, j]))
    i, j, useful = map(np.concatenate, zip(*pairs, strict=True))
    # Each bar of `a` has a column of its own that saves nothing. The solver takes no zero weights
    # and every row is assigned once: one is subtracted throughout, which changes no optimum.
    own = np.arange(n)
    weights = np.concatenate([useful, np.zeros(n)]) - 1.0
    graph = csr_matrix(
        (weights, (np.concatenate([i, own]), np.concatenate([j, m + own]))), shape=(n, m + n)
    )
    rows, columns = min_weight_full_bipartite_matching(graph)
    return rows[columns < m], columns[columns < m]
