"""Where a study's features come from: images put through encoders, or files a user brought."""

from tdafeat.sources.features import FeatureSource, Levels
from tdafeat.sources.groups import Group
from tdafeat.sources.images import ImageSource

__all__ = ["FeatureSource", "Group", "ImageSource", "Levels"]
