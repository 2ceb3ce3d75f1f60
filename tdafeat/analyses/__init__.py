"""What a study does with its features beside measuring them, one file for each analysis."""

from tdafeat.analyses.centroids import centroids
from tdafeat.analyses.eigenimages import eigenimages

__all__ = ["centroids", "eigenimages"]
