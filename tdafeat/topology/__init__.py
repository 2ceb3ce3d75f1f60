"""Topology of a cloud: Rips persistence, exact distances between diagrams, summaries."""

from tdafeat.topology import metrics  # noqa: F401 - registers the metrics of this room
from tdafeat.topology.bottleneck import bottleneck
from tdafeat.topology.diagrams import Diagrams, as_diagram
from tdafeat.topology.pairwise import distance_matrix
from tdafeat.topology.persistence import persistence
from tdafeat.topology.summaries import (
    betti_curve,
    longest_bar,
    median_death,
    persistence_entropy,
    rescaled,
    total_persistence,
)
from tdafeat.topology.wasserstein import wasserstein

__all__ = [
    "Diagrams",
    "as_diagram",
    "betti_curve",
    "bottleneck",
    "distance_matrix",
    "longest_bar",
    "median_death",
    "persistence",
    "persistence_entropy",
    "rescaled",
    "total_persistence",
    "wasserstein",
]
