"""Figures: a run's tables in, Altair charts out; each shows in a notebook and in the reports.

Every function takes a pandas DataFrame with the columns that it names, as the table of the same
name of a `Run` has them. Rows may say which cloud they are of, as a run's do: ``encoder``,
``layer`` and ``noise`` (str), ``severity`` (int, 0 where clean), ``parameter`` (float, what the
severity stands for), ``seed`` (int), and ``scope`` (str, ``"all"`` or a class). Rows that do not
are of one clean cloud of all classes.

A frame without one of the columns, or without rows, raises ValueError, what is no DataFrame
TypeError. What is returned is an Altair chart; `save` writes it as SVG, PNG or PDF.
"""

from tdafeat.figures.accuracy import accuracy
from tdafeat.figures.associations import forest, scatter
from tdafeat.figures.barcodes import barcodes
from tdafeat.figures.curves import curves, distances
from tdafeat.figures.diagrams import diagrams
from tdafeat.figures.functionals import betti_curves, landscapes
from tdafeat.figures.matrices import class_matrix, confusion, space_matrix
from tdafeat.figures.pictures import pictures
from tdafeat.figures.projection import projection
from tdafeat.figures.quantities import quantities
from tdafeat.figures.reliability import reliability
from tdafeat.figures.saving import save
from tdafeat.figures.spectra import spectra
from tdafeat.figures.surfaces import persistence_images
from tdafeat.figures.training import training

__all__ = [
    "accuracy",
    "barcodes",
    "betti_curves",
    "class_matrix",
    "confusion",
    "curves",
    "diagrams",
    "distances",
    "forest",
    "landscapes",
    "persistence_images",
    "pictures",
    "projection",
    "quantities",
    "reliability",
    "save",
    "scatter",
    "space_matrix",
    "spectra",
    "training",
]
