"""Evaluation of a feature space: predictors, accuracy, retrieval, clusters, robustness."""

from tdafeat.evaluation.accuracy import accuracy, margin, wilson
from tdafeat.evaluation.clusters import calinski_harabasz, davies_bouldin, purity, silhouette
from tdafeat.evaluation.predictors import (
    NearestClassMean,
    Predictor,
    Probe,
    WeightedNeighbours,
    predictors,
    zero_shot,
)
from tdafeat.evaluation.retrieval import mean_average_precision, precision_at, top_k_accuracy
from tdafeat.evaluation.robustness import accuracy_area, half_severity, relative_accuracy

__all__ = [
    "NearestClassMean",
    "Predictor",
    "Probe",
    "WeightedNeighbours",
    "accuracy",
    "accuracy_area",
    "calinski_harabasz",
    "davies_bouldin",
    "half_severity",
    "margin",
    "mean_average_precision",
    "precision_at",
    "predictors",
    "purity",
    "relative_accuracy",
    "silhouette",
    "top_k_accuracy",
    "wilson",
    "zero_shot",
]
