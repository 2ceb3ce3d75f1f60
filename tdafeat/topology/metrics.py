"""The metrics topology gives to a study, named by what they measure and the degree."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from tdafeat.record import metric
from tdafeat.topology.bottleneck import bottleneck
from tdafeat.topology.pairwise import distance_matrix
from tdafeat.topology.scale import cloud_scale
from tdafeat.topology.summaries import (
    lifetime_quantiles,
    longest_bar,
    median_death,
    persistence_entropy,
    total_persistence,
)
from tdafeat.topology.wasserstein import wasserstein

_ISOMETRIES = ("rotation", "translation", "permutation")
_LENGTH = "units of the features"
_TEXTBOOK = "Edelsbrunner and Harer (2010), Computational Topology"


def _register_summary(
    function: Callable[[np.ndarray], float],
    degree: int,
    title: str,
    source: str,
    invariant: Sequence[str] = _ISOMETRIES,
    unit: str = _LENGTH,
) -> None:
    def value(diagrams: Sequence[np.ndarray]) -> float:
        return function(diagrams[degree])

    value.__doc__ = function.__doc__
    metric(
        f"{function.__name__}_h{degree}",
        title=f"H{degree} {title}",
        room="topology",
        needs=("diagrams",),
        range=(0.0, math.inf),
        invariant=invariant,
        source=source,
        unit=unit,
    )(value)


def _register_relative(function: Callable[[np.ndarray], float], degree: int, title: str) -> None:
    def value(diagrams: Sequence[np.ndarray], features: np.ndarray) -> float:
        return function(diagrams[degree]) / cloud_scale(features)

    value.__doc__ = f"The {title} in median distances of the cloud: encoders can be compared."
    metric(
        f"relative_{function.__name__}_h{degree}",
        title=f"H{degree} {title} / median distance",
        room="topology",
        needs=("diagrams", "features"),
        range=(0.0, math.inf),
        invariant=(*_ISOMETRIES, "scale"),
        source=_TEXTBOOK,
        unit="median distances of the cloud",
    )(value)


def lifetime_q90(diagram: np.ndarray) -> float:
    """Lifetime that nine bars in ten do not exceed; unlike the longest, no one point decides it."""
    return float(lifetime_quantiles(diagram, 0.9))


def _register_distance(
    function: Callable[..., float], degree: int, title: str, source: str
) -> None:
    name = function.__name__

    def to_clean(diagrams: Sequence[np.ndarray], clean_diagrams: Sequence[np.ndarray]) -> float:
        return function(diagrams[degree], clean_diagrams[degree])

    def between_classes(class_diagrams: Sequence[Sequence[np.ndarray]]) -> np.ndarray:
        return distance_matrix([diagrams[degree] for diagrams in class_diagrams], distance=name)

    to_clean.__doc__ = between_classes.__doc__ = function.__doc__
    metric(
        f"{name}_h{degree}",
        title=f"H{degree} {title} distance to clean",
        room="topology",
        needs=("diagrams", "clean_diagrams"),
        range=(0.0, math.inf),
        invariant=_ISOMETRIES,
        source=source,
        unit=_LENGTH,
    )(to_clean)
    metric(
        f"class_{name}_h{degree}",
        title=f"H{degree} {title} distance between classes",
        room="topology",
        needs=("class_diagrams",),
        scopes=("all",),
        shape="pairs",
        range=(0.0, math.inf),
        invariant=_ISOMETRIES,
        source=source,
        unit=_LENGTH,
    )(between_classes)


for degree in (0, 1):
    _register_distance(
        wasserstein,
        degree,
        "Wasserstein",
        "Cohen-Steiner, Edelsbrunner, Harer and Mileyko (2010), Lipschitz functions have "
        "L_p-stable persistence",
    )
    _register_distance(
        bottleneck,
        degree,
        "bottleneck",
        "Cohen-Steiner, Edelsbrunner and Harer (2007), Stability of persistence diagrams",
    )
    _register_summary(
        total_persistence,
        degree,
        "total persistence",
        "Cohen-Steiner, Edelsbrunner, Harer and Mileyko (2010), Lipschitz functions have "
        "L_p-stable persistence",
    )
    _register_summary(
        persistence_entropy,
        degree,
        "persistence entropy",
        "Atienza, Gonzalez-Diaz and Rucco (2019), Persistent entropy for separating topological "
        "features from noise in Vietoris-Rips complexes",
        invariant=(*_ISOMETRIES, "scale"),
        unit="nats",
    )
    _register_summary(lifetime_q90, degree, "lifetime, 90 % quantile", _TEXTBOOK)
_register_summary(median_death, 0, "median death", _TEXTBOOK)
_register_summary(longest_bar, 1, "longest bar", _TEXTBOOK)
_register_relative(median_death, 0, "median death")
_register_relative(longest_bar, 1, "longest bar")
