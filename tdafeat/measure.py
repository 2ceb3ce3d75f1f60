"""The measure stage: every metric a cell's fields allow, its spectra, and its predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from tdafeat.cells import Cell, Cloud
from tdafeat.evaluation import margins, ranks
from tdafeat.evaluation.accuracy import MANY
from tdafeat.evaluation.calibration import PROBABILISTIC
from tdafeat.record import Metric, Scope
from tdafeat.store import Store, stored
from tdafeat.tasks import Result
from tdafeat.view import View

PREDICTORS = ("probe", "knn", "class_mean", "zero_shot", "head")


def measure(
    store: Store,
    cell: Cell,
    chosen: Sequence[Metric],
    cloud: Cloud,
    clean: Cloud,
    topology_specs: tuple[Mapping[str, Any], Mapping[str, Any]],
    scores_spec: Mapping[str, Any],
) -> Result:
    """Measure one cell, as a whole and class by class.

    Parameters
    ----------
    chosen : metrics to measure, where the cell has what they need.
    cloud, clean : features of the cell, and of the same images without noise.
    topology_specs : addresses of the diagrams of `cloud` and of `clean`.
    scores_spec : address of the predictors' scores for `cloud`, and their weights.
    """
    from tdafeat.geometry.threads import over_threads
    from tdafeat.sharing import sharing

    own = cloud.read(store)
    rows: dict[str, np.ndarray] = {"features": own.features.astype(np.float64)}
    whole: dict[str, Any] = {}
    for name, values in stored(store, "scores", scores_spec).arrays.items():
        (rows if name in PREDICTORS else whole)[name] = values
        if name in PREDICTORS and len(own.classes) > MANY:
            rows[f"{name}_of_many"] = values
    diagrams = stored(store, "topology", topology_specs[0]).tables["diagrams"]
    whole["diagrams"] = _bars(diagrams, "all")
    by_class = {"class_diagrams": [_bars(diagrams, f"class:{name}") for name in own.classes]}
    if cell.severity > 0:
        pair = own.paired_with(clean.read(store), ("noisy", "clean"))
        rows["clean"] = pair.features.astype(np.float64)
        before = stored(store, "topology", topology_specs[1]).tables["diagrams"]
        whole["clean_diagrams"] = _bars(before, "all")
        by_class["clean_class_diagrams"] = [_bars(before, f"class:{n}") for n in own.classes]
    view = View(own.labels, rows, other=whole, **by_class)

    def of_class(k: int) -> tuple[list[dict[str, Any]], pd.DataFrame]:
        with sharing():  # ends with the class, and with it what only this class needs
            part = view.of_class(k)
            return _values(own.classes[k], part, chosen), _spectrum(own.classes[k], part)

    with sharing():
        measured, spectra = _values("all", view, chosen), [_spectrum("all", view)]
        pairs = _pairs(view, chosen, own.classes)
        for values_of_class, spectrum in over_threads(of_class, range(len(own.classes))):
            measured += values_of_class
            spectra.append(spectrum)
    return {
        "metrics": pd.DataFrame(measured),
        "pairs": pd.concat(pairs, ignore_index=True) if pairs else pd.DataFrame(),
        "spectra": pd.concat(spectra, ignore_index=True),
        "predictions": _predictions(view, own.classes, own.ids),
    }, {}


def _bars(table: pd.DataFrame, scope: str) -> list[np.ndarray]:
    """Diagrams of a scope by degree, H0 and H1 at least: an empty one leaves no row."""
    rows = table[table["scope"] == scope]
    degrees = range(max(1, int(table["degree"].max())) + 1)
    return [rows.loc[rows["degree"] == d, ["birth", "death"]].to_numpy() for d in degrees]


def _values(scope: str, view: View, chosen: Sequence[Metric]) -> list[dict[str, Any]]:
    kind: Scope = "all" if scope == "all" else "class"
    found = []
    for metric in chosen:
        if metric.shape == "value" and view.measurable(metric, kind):
            value, status = view.measure(metric)
            numbers = {"value": value.value, "low": value.low, "high": value.high}
            about = {"scope": scope, "metric": metric.name, "n": view.n, "status": status}
            found.append(
                {**about, **numbers, "params": view.note(metric) if status == "ok" else ""}
            )
    return found


def _pairs(view: View, chosen: Sequence[Metric], classes: Sequence[str]) -> list[pd.DataFrame]:
    """One row per pair of classes; a metric that refuses the cell leaves its pairs out."""
    first, second = np.triu_indices(len(classes), k=1)
    named = np.asarray(classes, dtype=object)
    tables = []
    for metric in chosen:
        if metric.shape != "pairs" or not view.measurable(metric, "all"):
            continue
        matrix, status = view.measure(metric)
        if status == "ok":
            columns = {"scope": named[first], "scope_b": named[second], "metric": metric.name}
            noted = {"params": view.note(metric), "value": matrix[first, second]}
            tables.append(pd.DataFrame({**columns, **noted}))
    return tables


def _spectrum(scope: str, view: View) -> pd.DataFrame:
    from tdafeat.geometry import spectrum

    values = spectrum(view["features"]) if view.n > 1 else np.empty(0)
    return pd.DataFrame({"scope": scope, "rank": np.arange(1, len(values) + 1), "value": values})


def _predictions(view: View, classes: Sequence[str], ids: Sequence[str]) -> pd.DataFrame:
    named, labels = np.asarray(classes, dtype=object), view["labels"]
    frames = []
    for method in PREDICTORS:
        if method not in view:
            continue
        scores = view[method]
        highest = scores.max(axis=1)
        said = {
            "image": ids,
            "label": named[labels],
            "method": method,
            "prediction": named[scores.argmax(axis=1)],
            "score": highest,
            "confidence": highest if method in PROBABILISTIC else np.nan,
            "rank": ranks(scores, labels),
            "margin": margins(scores, labels),
        }
        frames.append(pd.DataFrame(said))
    return pd.concat(frames, ignore_index=True)
