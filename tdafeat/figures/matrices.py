"""Class by class: angles, diagram distances, confusions; and feature space by feature space."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd

from tdafeat.figures.dendrogram import clustered
from tdafeat.figures.frames import checked, with_names
from tdafeat.figures.heatmap import Heatmap
from tdafeat.wording import wording_of


def class_matrix(
    pairs: pd.DataFrame, metric: str, title: str = "", unit: str = ""
) -> alt.TopLevelMixin:
    """Heatmap of one value for each pair of classes: the first level, and beside it another.

    The other is the last, or the one that is chosen. Classes that are alike stand together:
    average linkage on the first level, whose tree stands above both panels, leaves in the optimal
    order. Colours mean the same at every level.

    Parameters
    ----------
    pairs : rows of ``scope`` and ``scope_b`` (str, the two classes, each pair once), ``metric``
        (str) and ``value`` (float), of one feature space; a value that is not finite is a gap.
    metric : the dissimilarity to draw.
    title, unit : of the colour scale; values in ``"radians"`` are shown in degrees.

    Raises
    ------
    ValueError where a column is missing, or there is no pair of the metric.

    Examples
    --------
    >>> import pandas as pd
    >>> from tdafeat import figures
    >>> pairs = pd.DataFrame({"scope": ["a", "a", "b"], "scope_b": ["b", "c", "c"]})
    >>> pairs = pairs.assign(metric="class_angle_mean", value=[0.2, 1.1, 1.3])
    >>> chart = figures.class_matrix(pairs, "class_angle_mean", "mean angle", unit="radians")
    """
    pairs = checked(pairs, "pairs", "scope", "scope_b", "metric", "value")
    rows = checked(pairs[pairs["metric"] == metric], f"pairs of {metric}")
    rows = _finite(with_names(rows))
    if unit == "radians":
        rows, unit = rows.assign(value=np.degrees(rows["value"])), "degrees"
    name = title or metric.replace("_", " ")
    label = f"{name} ({unit})" if unit else name
    order, links = clustered(rows[rows["severity"] == rows["severity"].min()])
    words = wording_of(pairs)
    return Heatmap(rows, order, words, label, links=links, joined=label).chart()


def space_matrix(
    similarities: pd.DataFrame, metric: str, title: str = "", alike: str = "higher"
) -> alt.TopLevelMixin:
    """Heatmap of one value for each pair of feature spaces, levels as in `class_matrix`.

    Spaces that are alike stand together, as the classes of `class_matrix` do.

    Parameters
    ----------
    similarities : rows of ``encoder`` and ``encoder_b`` (str, the two spaces, each pair once, with
        ``layer`` and ``layer_b`` where an encoder has several), ``metric`` (str) and ``value``
        (float); a value that is not finite is a gap.
    metric : what to draw.
    title : of the colour scale.
    alike : whether ``"higher"`` or ``"lower"`` values are those of spaces that are alike.

    Raises
    ------
    ValueError where a column is missing, or there is no pair of the metric.

    Examples
    --------
    >>> import pandas as pd
    >>> from tdafeat import figures
    >>> pairs = {"encoder": ["a", "a", "b"], "encoder_b": ["b", "c", "c"], "value": [0.9, 0.4, 0.3]}
    >>> chart = figures.space_matrix(pd.DataFrame(pairs).assign(metric="linear_cka"), "linear_cka")
    """
    columns = ("encoder", "encoder_b", "metric", "value")
    similarities = checked(similarities, "similarities", *columns, layer_b="")
    rows = checked(similarities[similarities["metric"] == metric], f"similarities of {metric}")
    rows = _finite(pairs_of_spaces(rows))
    first = rows[rows["severity"] == rows["severity"].min()]
    apart = first["value"].max() - first["value"] if alike == "higher" else first["value"]
    order, links = clustered(first.assign(value=apart))
    name, words = title or metric.replace("_", " "), wording_of(similarities)
    nouns = ("feature space", "and feature space")
    return Heatmap(rows, order, words, name, nouns=nouns, links=links, joined="apart").chart()


def pairs_of_spaces(similarities: pd.DataFrame) -> pd.DataFrame:
    """The table with the names of its pairs of feature spaces as ``scope`` and ``scope_b``."""
    swap = {"encoder": "encoder_b", "layer": "layer_b", "encoder_b": "encoder", "layer_b": "layer"}
    both = pd.concat([similarities, similarities.rename(columns=swap)], ignore_index=True)
    first, second = np.split(with_names(both)["space"].to_numpy(), 2)
    return with_names(similarities).assign(scope=first, scope_b=second)


def confusion(predictions: pd.DataFrame, method: str = "probe") -> alt.TopLevelMixin:
    """Confusion matrix of one predictor, levels as in `class_matrix`; a row sums to 100 %.

    Parameters
    ----------
    predictions : a row for each image, of ``method`` (str), ``label`` and ``prediction`` (str, the
        true class and the one it was taken for), of one feature space.
    method : the predictor, e.g. ``"probe"`` or ``"knn"``.

    Raises
    ------
    ValueError where a column is missing, or the method predicted nothing.

    Examples
    --------
    >>> import pandas as pd
    >>> from tdafeat import figures
    >>> said = pd.DataFrame({"label": list("aabb"), "prediction": list("abbb"), "method": "probe"})
    >>> chart = figures.confusion(said)
    """
    predictions = checked(predictions, "predictions", "method", "label", "prediction")
    rows = predictions[predictions["method"] == method]
    rows = with_names(checked(rows, f"predictions of {method}"))
    order = sorted({*rows["label"], *rows["prediction"]})
    keys = ["label", "prediction", "severity", "level"]
    counts = rows.groupby(keys, sort=False).size().rename("value").reset_index()
    counts = counts.rename(columns={"label": "scope", "prediction": "scope_b"})
    nouns, words = ("true class", "predicted class"), wording_of(predictions)
    return Heatmap(counts, order, words, "share of the class", ".0%", nouns, shares=True).chart()


def _finite(rows: pd.DataFrame) -> pd.DataFrame:
    """Infinite values as gaps."""
    return rows.assign(value=rows["value"].where(np.isfinite(rows["value"])))
