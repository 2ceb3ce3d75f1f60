"""Representation topology divergence: what two clouds of the same images connect differently."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.spatial.distance import pdist, squareform

from tdafeat.checks import as_generator, as_images, as_rows, check_same_images
from tdafeat.mapped import taken
from tdafeat.record import Estimate, metric
from tdafeat.topology.persistence import persistence

N_ROWS, N_DRAWS = 200, 5  # the authors take 500 rows, ten times
_T_95 = 2.7764451051977987  # of Student's t with N_DRAWS - 1 degrees of freedom
_QUANTILE = 0.9  # of a cloud's distances, its unit of length


@metric(
    "topology_divergence",
    title="topology divergence from clean",
    room="topology",
    needs=("features", "clean"),
    better="lower",
    range=(0.0, np.inf),
    invariant=("rotation", "translation", "scale", "permutation"),
    source="Barannikov et al. 2022, Representation topology divergence",
    unit="0.9 quantiles of the cloud's distances",
    across_spaces=True,
    version=2,
)
def topology_divergence(a: Any, b: Any, random_state: int = 0) -> Estimate:
    """Representation topology divergence: length over which only one of two clouds is connected.

    The distances of a cloud are put in units of their 0.9 quantile. At every length, the edges of
    either cloud are compared with those of one alone: components that they join and loops that
    they close are bars of the cross-barcode in degree 1, and the divergence is the sum of their
    lengths, the mean of both directions. 0 for clouds alike up to rotation, shift and scale; it
    grows with the number of rows, so compare at equal n.

    Parameters
    ----------
    a, b : (n, D) and (n, E) arrays, torch tensors or numpy memory maps, rows of the same images;
        three or more.
    random_state : seed of the draws. Of more than 200 rows, the mean over five draws of 200 of
        them is returned (the authors take ten of 500), and no other row is read or checked.

    Returns
    -------
    Estimate >= 0, with a 95 % interval for the mean over all draws of 200 rows; of 200 rows or
    fewer it is exact, and the interval empty. NaN where at least nine tenths of a cloud's
    distances are zero.

    Raises
    ------
    ValueError for fewer than three rows, for spaces of unlike numbers of rows, and for a row read
    that is not finite; TypeError for entries that are no real numbers.

    References
    ----------
    Barannikov, Trofimov, Balabin, Burnaev (2022), Representation topology divergence: a method for
    comparing neural network representations.

    Examples
    --------
    >>> ring = np.array([[1.0, 0], [0, 1], [-1, 0], [0, -1]])
    >>> topology_divergence(ring, 3 * ring @ [[0, 1], [-1, 0]] + 2).value
    0.0
    >>> line = np.array([[0.0], [1], [2], [3]])
    >>> round(topology_divergence(ring, line).value, 2)
    0.51
    """
    a, b = as_rows(a, "a"), as_rows(b, "b")
    check_same_images(a, b)
    if len(a) <= N_ROWS:
        value = _divergence(*as_images(a, b, min_samples=3))
        return Estimate(value, value, value)
    rng = as_generator(random_state)
    draws = [rng.choice(len(a), N_ROWS, replace=False) for _ in range(N_DRAWS)]
    values = np.array([_divergence(taken(a, rows, "a"), taken(b, rows, "b")) for rows in draws])
    value, spread = values.mean(), _T_95 * values.std(ddof=1) / N_DRAWS**0.5
    return Estimate(float(value), float(max(0.0, value - spread)), float(value + spread))


def _divergence(a: np.ndarray, b: np.ndarray) -> float:
    first, second = _in_own_units(a), _in_own_units(b)
    if first is None or second is None:
        return float("nan")
    return (_cross_barcode_length(first, second) + _cross_barcode_length(second, first)) / 2


def _in_own_units(points: np.ndarray) -> np.ndarray | None:
    largest = np.abs(points).max() or 1.0  # squares of tiny or huge entries leave float64's range
    distances = pdist(points / largest)
    unit = np.quantile(distances, _QUANTILE)
    # what rounding leaves of a constant cloud is no distance
    return squareform(distances / unit) if unit > 1e-12 * points.shape[1] ** 0.5 else None


def _cross_barcode_length(one: np.ndarray, other: np.ndarray) -> float:
    """Total length of the bars in degree 1 of what the shorter of both distances add to `one`.

    By the Rips filtration of a doubled graph: the complex of the shorter distances, on copies,
    with that of `one` inside it shrunk to a point. Points at distance zero from each other are
    the cone, and each is joined to its own copy and, by `one`, to those after it.
    """
    n_points, longest = len(one), one.max()
    joined = np.where(np.triu(np.ones_like(one)) > 0, one, 2 * longest + 1)  # else never
    doubled = np.block(
        [[np.zeros((n_points, n_points)), joined], [joined.T, np.minimum(one, other)]]
    )
    # From the longest edge of `one` on, both complexes are whole, and nothing is added.
    _, bars = persistence(doubled, metric="precomputed", thresh=longest, engine="tdafeat")
    finite = bars[np.isfinite(bars[:, 1])]
    return float((finite[:, 1] - finite[:, 0]).sum())
