"""Topology and geometry of feature spaces, and how they go with robustness.

Public names are imported when first used, so that ``import tdafeat`` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tdafeat.features import FeatureSet
    from tdafeat.run import Run
    from tdafeat.sources import Levels
    from tdafeat.study import Study
    from tdafeat.topology import bottleneck, distance_matrix, persistence, wasserstein

__version__ = "0.1.0"

_HOME = {
    "FeatureSet": "tdafeat.features",
    "Levels": "tdafeat.sources",
    "Run": "tdafeat.run",
    "Study": "tdafeat.study",
    "bottleneck": "tdafeat.topology",
    "distance_matrix": "tdafeat.topology",
    "persistence": "tdafeat.topology",
    "wasserstein": "tdafeat.topology",
}
_ROOMS = (
    *("datasets", "noise", "encoders", "extraction", "topology", "geometry", "evaluation"),
    *("projection", "statistics", "figures", "report"),
)
__all__ = [
    "FeatureSet",
    "Levels",
    "Run",
    "Study",
    "bottleneck",
    "distance_matrix",
    "persistence",
    "wasserstein",
]


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return import_module(f"tdafeat.{name}")
    if name not in _HOME:
        raise AttributeError(f"module 'tdafeat' has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_ROOMS})
