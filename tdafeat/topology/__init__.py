"""Topology of a cloud: Rips persistence, exact distances between diagrams, summaries."""

from tdafeat.topology import metrics  # noqa: F401 - registers the metrics of this room
from tdafeat.topology.amplitude import amplitude
from tdafeat.topology.bottleneck import bottleneck
from tdafeat.topology.curves import betti_curve, filtration_grid, landscape, silhouette
from tdafeat.topology.diagrams import Diagrams, as_diagram
from tdafeat.topology.images import persistence_image
from tdafeat.topology.pairwise import distance_matrix
from tdafeat.topology.persistence import persistence
from tdafeat.topology.scale import cloud_scale, rescaled, scale_free
from tdafeat.topology.summaries import (
    lifetime_quantiles,
    longest_bar,
    median_death,
    persistence_entropy,
    total_persistence,
)
from tdafeat.topology.wasserstein import wasserstein

__all__ = [
    "Diagrams",
    "amplitude",
    "as_diagram",
    "betti_curve",
    "bottleneck",
    "cloud_scale",
    "distance_matrix",
    "filtration_grid",
    "landscape",
    "lifetime_quantiles",
    "longest_bar",
    "median_death",
    "persistence",
    "persistence_entropy",
    "persistence_image",
    "rescaled",
    "scale_free",
    "silhouette",
    "total_persistence",
    "wasserstein",
]
