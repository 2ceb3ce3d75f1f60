"""Where a study's features come from: images through encoders, a training, a user's files."""

from tdafeat.sources.features import FeatureSource, Levels
from tdafeat.sources.groups import Group
from tdafeat.sources.images import ImageSource
from tdafeat.sources.training import TrainingSource
from tdafeat.sources.variants import Variant

__all__ = [
    "FeatureSource",
    "Group",
    "ImageSource",
    "Levels",
    "Source",
    "TrainingSource",
    "Variant",
]

Source = FeatureSource | ImageSource | TrainingSource
