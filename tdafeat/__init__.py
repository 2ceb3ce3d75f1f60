"""Topology and geometry of feature spaces, and how they go with robustness."""

__version__ = "0.1.0"
