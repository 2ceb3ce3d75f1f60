"""Which metric goes with accuracy, and whether more than the noise level itself says so.

The unit is the class within an encoder, or the encoder within a data set, with its whole
trajectory over the levels of noise: bootstrap and permutation move units, never single rows.
`associations` correlates, `prediction` predicts unseen units from clean features, `added_value`
asks what is left beyond simpler metrics, and `verdict` says it in words.
"""

from tdafeat.statistics.added import ADDED_COLUMNS, BEYOND, added_value, partial_correlation
from tdafeat.statistics.associations import COLUMNS, associations
from tdafeat.statistics.beyond import added_verdict, prediction_verdict
from tdafeat.statistics.coefficients import ADJUSTMENTS, METHODS, correlations
from tdafeat.statistics.corrections import benjamini_hochberg, holm
from tdafeat.statistics.power import critical_correlation, detectable_correlation, units_needed
from tdafeat.statistics.prediction import PREDICTION_COLUMNS, prediction
from tdafeat.statistics.units import MIN_UNITS, UNITS, per_class
from tdafeat.statistics.verdict import verdict

__all__ = [
    "ADDED_COLUMNS",
    "ADJUSTMENTS",
    "BEYOND",
    "COLUMNS",
    "METHODS",
    "MIN_UNITS",
    "PREDICTION_COLUMNS",
    "UNITS",
    "added_value",
    "added_verdict",
    "associations",
    "benjamini_hochberg",
    "correlations",
    "critical_correlation",
    "detectable_correlation",
    "holm",
    "partial_correlation",
    "per_class",
    "prediction",
    "prediction_verdict",
    "units_needed",
    "verdict",
]
