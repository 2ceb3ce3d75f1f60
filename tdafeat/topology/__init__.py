"""Topology of a cloud: Rips persistence, exact distances between diagrams, summaries."""

from tdafeat.topology import metrics  # noqa: F401 - registers the metrics of this room
from tdafeat.topology.amplitude import amplitude
from tdafeat.topology.bottleneck import bottleneck, bottleneck_interval
from tdafeat.topology.cloud_tests import paired_cloud_test, two_sample_test
from tdafeat.topology.confidence import ConfidenceBand, confidence_band
from tdafeat.topology.curves import betti_curve, filtration_grid, landscape, silhouette
from tdafeat.topology.diagrams import Diagrams, as_diagram
from tdafeat.topology.divergence import topology_divergence
from tdafeat.topology.frechet import FrechetMean, frechet_mean, medoid
from tdafeat.topology.images import persistence_image
from tdafeat.topology.interchange import (
    from_giotto,
    from_gudhi,
    from_ripser,
    to_giotto,
    to_gudhi,
    to_persim,
    to_ripser,
)
from tdafeat.topology.mean_band import MeanBand, mean_band
from tdafeat.topology.pairwise import diagram_distances, distance_matrix, paired_distances
from tdafeat.topology.permutation import PermutationTest, group_test, summary_test
from tdafeat.topology.persistence import persistence
from tdafeat.topology.scale import cloud_scale, rescaled, scale_free
from tdafeat.topology.storage import load_diagrams, save_diagrams
from tdafeat.topology.subsampling import disjoint_diagrams, subsample_diagrams
from tdafeat.topology.summaries import (
    lifetime_quantiles,
    longest_bar,
    median_death,
    persistence_entropy,
    total_persistence,
)
from tdafeat.topology.wasserstein import wasserstein

__all__ = [
    "ConfidenceBand",
    "Diagrams",
    "FrechetMean",
    "MeanBand",
    "PermutationTest",
    "amplitude",
    "as_diagram",
    "betti_curve",
    "bottleneck",
    "bottleneck_interval",
    "cloud_scale",
    "confidence_band",
    "diagram_distances",
    "disjoint_diagrams",
    "distance_matrix",
    "filtration_grid",
    "frechet_mean",
    "from_giotto",
    "from_gudhi",
    "from_ripser",
    "group_test",
    "landscape",
    "lifetime_quantiles",
    "load_diagrams",
    "longest_bar",
    "mean_band",
    "median_death",
    "medoid",
    "paired_cloud_test",
    "paired_distances",
    "persistence",
    "persistence_entropy",
    "persistence_image",
    "rescaled",
    "save_diagrams",
    "scale_free",
    "silhouette",
    "subsample_diagrams",
    "summary_test",
    "to_giotto",
    "to_gudhi",
    "to_persim",
    "to_ripser",
    "topology_divergence",
    "total_persistence",
    "two_sample_test",
    "wasserstein",
]
