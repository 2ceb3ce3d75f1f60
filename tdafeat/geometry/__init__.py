"""Geometry of a feature space: subspaces, components, spectra, uniformity and collapse.

Features in, numbers out. Float64 throughout; batched linear algebra by torch. Features are (n, D)
array-likes, frames or torch tensors of any real type, finite, the largest entry 0 or between 1e-50
and 1e50 in size, as every float32 is; others are a ValueError.
"""

from tdafeat.directions import unit_rows
from tdafeat.geometry.collapse import (
    class_distance_variance,
    etf_distance,
    nc1,
    nc2_equiangular,
    nc2_equinorm,
    nc3,
    nc4,
)
from tdafeat.geometry.components import PrincipalComponents, principal_components
from tdafeat.geometry.dimension import levina_bickel, two_nn
from tdafeat.geometry.moments import Moments
from tdafeat.geometry.neighbours import hubness, nearest_neighbours
from tdafeat.geometry.paired_moments import PairedMoments
from tdafeat.geometry.paired_sampling import sampled_similarity
from tdafeat.geometry.sampling import sampled_metrics
from tdafeat.geometry.similarity import (
    linear_cka,
    mutual_neighbours,
    procrustes_disparity,
    representational_similarity,
)
from tdafeat.geometry.spectra import (
    PowerLaw,
    collapsed_dimensions,
    condition_number,
    cumulative_variance,
    effective_rank,
    explained_variance_ratio,
    n_components_for,
    participation_ratio,
    power_law,
    spectrum,
    stable_rank,
)
from tdafeat.geometry.spectral_metrics import rankme, total_variance
from tdafeat.geometry.storage import load_moments, save_moments
from tdafeat.geometry.subspace_distances import (
    chordal_distance,
    grassmann_distance,
    projection_distance,
)
from tdafeat.geometry.subspace_metrics import (
    class_angle_max,
    class_angle_mean,
    class_angle_min,
    subspace_angle_to_clean,
)
from tdafeat.geometry.subspaces import (
    ClassAngles,
    angles_to_clean,
    class_angles,
    principal_angles,
)
from tdafeat.geometry.uniformity import (
    alignment,
    displacement,
    koleo,
    mean_cosine,
    nearest_distances,
    nearest_neighbour_distance,
    uniformity,
)
from tdafeat.geometry.verdict import CollapseVerdict, collapse_verdict

__all__ = [
    "ClassAngles",
    "CollapseVerdict",
    "Moments",
    "PairedMoments",
    "PowerLaw",
    "PrincipalComponents",
    "alignment",
    "angles_to_clean",
    "chordal_distance",
    "class_angle_max",
    "class_angle_mean",
    "class_angle_min",
    "class_angles",
    "class_distance_variance",
    "collapse_verdict",
    "collapsed_dimensions",
    "condition_number",
    "cumulative_variance",
    "displacement",
    "effective_rank",
    "etf_distance",
    "explained_variance_ratio",
    "grassmann_distance",
    "hubness",
    "koleo",
    "levina_bickel",
    "linear_cka",
    "load_moments",
    "mean_cosine",
    "mutual_neighbours",
    "n_components_for",
    "nc1",
    "nc2_equiangular",
    "nc2_equinorm",
    "nc3",
    "nc4",
    "nearest_distances",
    "nearest_neighbour_distance",
    "nearest_neighbours",
    "participation_ratio",
    "power_law",
    "principal_angles",
    "principal_components",
    "procrustes_disparity",
    "projection_distance",
    "rankme",
    "representational_similarity",
    "sampled_metrics",
    "sampled_similarity",
    "save_moments",
    "spectrum",
    "stable_rank",
    "subspace_angle_to_clean",
    "total_variance",
    "two_nn",
    "uniformity",
    "unit_rows",
]
