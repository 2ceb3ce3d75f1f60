"""How far a diagram is from the empty one: its norm in each of the spaces diagrams live in."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from tdafeat.record import Registry
from tdafeat.topology.curves import betti_curve
from tdafeat.topology.diagrams import as_diagram, finite_part
from tdafeat.topology.wasserstein import check_exponent

amplitudes: Registry[Callable[..., float]] = Registry("amplitude", "tdafeat.diagram_amplitudes")


def amplitude(
    diagram: Any, kind: str = "wasserstein", order: float = 1.0, internal_p: float = math.inf
) -> float:
    """Norm of a diagram's finite bars, exact; 0 for no bars.

    Parameters
    ----------
    diagram : `(n, 2)` array-like; essential bars are left out: they are infinitely far from none.
    kind : ``"wasserstein"``: distance to the empty diagram, for order inf the bottleneck one;
        ``"landscape"``: L_p norm of the landscape, all layers; ``"betti"``: L_p norm of the Betti
        curve.
    order : p of the distance or norm, at least 1, inf included.
    internal_p : q of the ground norm L_q, for ``"wasserstein"`` alone.

    Returns
    -------
    Amplitude >= 0: for ``"wasserstein"`` in units of the filtration, for ``"landscape"`` to the
    power 1 + 1/p of them, for ``"betti"`` 1/p.

    Raises
    ------
    UnknownName for another kind; ValueError for an order or a norm below 1.

    References
    ----------
    Bubenik (2015), "Statistical topological data analysis using persistence landscapes"; Garin
    and Tauzin (2019), "A topological reading lesson: classification of MNIST using TDA".

    Examples
    --------
    >>> amplitude([[0, 2], [1, 5]])
    3.0
    >>> amplitude([[0, 2], [1, 5]], order=np.inf)
    2.0
    >>> amplitude([[0, 2], [1, 3]], "betti")  # one bar alive, then two, then one
    4.0
    """
    check_exponent(order, "order")
    check_exponent(internal_p, "internal_p")
    function = amplitudes[kind]
    if kind == "wasserstein":
        function = partial(function, internal_p=internal_p)
    return function(finite_part(as_diagram(diagram)), order)


def _wasserstein(diagram: np.ndarray, order: float, internal_p: float) -> float:
    births, deaths = diagram.T
    return _norm((deaths - births) * 2 ** (1 / internal_p - 1), 1.0, order)


def _landscape(diagram: np.ndarray, order: float) -> float:
    # Layers share out the tents without loss, and a tent of height h has the integral
    # 2 h^(p+1) / (p+1) of its p-th power.
    births, deaths = diagram.T
    heights = (deaths - births) / 2
    return _norm(heights, 2 * heights / (order + 1), order)


def _betti(diagram: np.ndarray, order: float) -> float:
    ends = np.unique(diagram)
    counts = betti_curve(diagram, ends[:-1])
    return _norm(counts.astype(np.float64), np.diff(ends), order)


def _norm(values: np.ndarray, weights: float | np.ndarray, order: float) -> float:
    """Weighted L_p norm, in the largest value so that no power overflows."""
    largest = values.max(initial=0.0)
    if order == math.inf or largest == 0:
        return float(largest)
    return float(largest * (weights * (values / largest) ** order).sum() ** (1 / order))


amplitudes.add("wasserstein", _wasserstein)
amplitudes.add("landscape", _landscape)
amplitudes.add("betti", _betti)
