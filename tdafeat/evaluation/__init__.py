"""Evaluation of a feature space: predictors, how right and how sure they are, retrieval,
clusters, robustness.

Features and scores are checked as in `tdafeat.geometry`; labels are whole numbers."""

from tdafeat.evaluation.accuracy import accuracy, margin, margins, ranks, top5_accuracy, wilson
from tdafeat.evaluation.calibration import (
    brier_score,
    expected_calibration_error,
    negative_log_likelihood,
    reliability,
)
from tdafeat.evaluation.classification import classification_report, confusion_matrix
from tdafeat.evaluation.clusters import calinski_harabasz, davies_bouldin, purity, silhouette
from tdafeat.evaluation.predictors import (
    LinearHead,
    NearestClassMean,
    Predictor,
    Probe,
    WeightedNeighbours,
    predictors,
    zero_shot,
)
from tdafeat.evaluation.retrieval import mean_average_precision, precision_at, top_k_accuracy
from tdafeat.evaluation.robustness import (
    accuracy_area,
    half_severity,
    relative_accuracy,
    robustness,
)

__all__ = [
    "LinearHead",
    "NearestClassMean",
    "Predictor",
    "Probe",
    "WeightedNeighbours",
    "accuracy",
    "accuracy_area",
    "brier_score",
    "calinski_harabasz",
    "classification_report",
    "confusion_matrix",
    "davies_bouldin",
    "expected_calibration_error",
    "half_severity",
    "margin",
    "margins",
    "mean_average_precision",
    "negative_log_likelihood",
    "precision_at",
    "predictors",
    "purity",
    "ranks",
    "relative_accuracy",
    "reliability",
    "robustness",
    "silhouette",
    "top5_accuracy",
    "top_k_accuracy",
    "wilson",
    "zero_shot",
]
