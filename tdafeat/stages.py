"""What is computed of a cell once its features are in the store: one function per stage.

Each function reads what it needs from the store and returns (tables, arrays); it knows nothing
of the study around it, so it can run in any process. Its version number is part of the key under
which the result is stored: raise it whenever the function would give other numbers than before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from tdafeat.cells import Cell, Cloud
from tdafeat.record import Scope, metrics
from tdafeat.store import Artefact, Store
from tdafeat.tasks import Result
from tdafeat.view import View

VERSIONS = {"topology": 1, "scores": 1, "measure": 1, "projection": 1, "statistics": 1}


def _stored(store: Store, stage: str, spec: Mapping[str, Any]) -> Artefact:
    artefact = store.read(stage, spec)
    if artefact is None:
        raise ValueError(f"its {stage} stage is missing or failed")
    return artefact


def topology(store: Store, cloud: Cloud, maxdim: int, n_landmarks: int | None) -> Result:
    """Persistence diagrams of the whole cloud and of each class."""
    from tdafeat.topology import persistence

    features = cloud.read(store)
    clouds = {"all": features.features}
    for index, name in enumerate(features.classes):
        clouds[f"class:{name}"] = features.features[features.labels == index]
    frames, records = [], []
    for scope, points in clouds.items():
        if len(points) == 0:
            continue
        landmarks = n_landmarks if n_landmarks is not None and n_landmarks < len(points) else None
        diagrams = persistence(points, maxdim=maxdim, n_landmarks=landmarks, n_jobs=1)
        for degree, bars in enumerate(diagrams):
            frames.append(
                pd.DataFrame(
                    {"scope": scope, "degree": degree, "birth": bars[:, 0], "death": bars[:, 1]}
                )
            )
        record = {key: str(value) for key, value in diagrams.record.items()}
        records.append({"scope": scope, "points": len(points), **record})
    return {"diagrams": pd.concat(frames, ignore_index=True), "records": pd.DataFrame(records)}, {}


def scores(
    store: Store, train: Cloud, clouds: Mapping[int, Cloud], text: Mapping[str, Any] | None
) -> Result:
    """Class scores of every predictor, fitted on clean train features, at every severity."""
    from tdafeat.evaluation import predictors, zero_shot

    known = train.read(store)
    tests = {severity: cloud.read(store).features for severity, cloud in clouds.items()}
    arrays = {}
    for name, predictor in predictors.items():
        fitted = predictor().fit(known.features, known.labels, len(known.classes))
        for severity, features in tests.items():
            arrays[f"{name}-{severity}"] = fitted.scores(features)
    if text is not None:
        directions = _stored(store, "text", text).arrays["text"]
        for severity, features in tests.items():
            arrays[f"zero_shot-{severity}"] = zero_shot(features, directions)
    return {}, arrays


def _diagrams(table: pd.DataFrame, scope: str) -> list[np.ndarray]:
    rows = table[table["scope"] == scope]
    degrees = range(int(table["degree"].max()) + 1)
    return [rows.loc[rows["degree"] == d, ["birth", "death"]].to_numpy() for d in degrees]


def _view(
    store: Store,
    cell: Cell,
    cloud: Cloud,
    clean: Cloud,
    topology_specs: tuple[Mapping[str, Any], Mapping[str, Any]] | None,
    scores_spec: Mapping[str, Any],
) -> tuple[View, tuple[str, ...], tuple[str, ...]]:
    """The cell's view, its class names and the ids of its images."""
    own = cloud.read(store)
    rows = {"features": own.features.astype(np.float64)}
    for name, values in _stored(store, "scores", scores_spec).arrays.items():
        predictor, severity = name.rsplit("-", 1)
        if int(severity) == cell.severity:
            rows[predictor] = values
    if cell.severity > 0:
        paired = own.paired_with(clean.read(store), ("noisy", "clean"))
        rows["clean"] = paired.features.astype(np.float64)
    per_class: dict[str, list[Any]] = {}
    other: dict[str, Any] = {}
    if topology_specs is not None:
        for prefix, spec in zip(("", "clean_"), topology_specs, strict=True):
            if prefix and cell.severity == 0:
                continue
            table = _stored(store, "topology", spec).tables["diagrams"]
            other[f"{prefix}diagrams"] = _diagrams(table, "all")
            per_class[f"{prefix}class_diagrams"] = [
                _diagrams(table, f"class:{name}") for name in own.classes
            ]
    return View(own.labels, rows, other=other, **per_class), own.classes, own.ids


def measure(store: Store, cell: Cell, names: Sequence[str], **sources: Any) -> Result:
    """Every metric that the cell's fields allow, its spectra, and the predictions."""
    from tdafeat.geometry import spectrum

    view, classes, ids = _view(store, cell, **sources)
    views = {"all": view}
    views.update({name: view.of_class(k) for k, name in enumerate(classes)})
    values, pairs, spectra = [], [], []
    for scope, seen in views.items():
        kind: Scope = "all" if seen is view else "class"
        for name in names:
            metric = metrics[name]
            if not seen.measurable(metric, kind):
                continue
            value, status = seen.measure(metric)
            if metric.shape == "value":
                interval = {"value": value.value, "low": value.low, "high": value.high}
                values.append(
                    {"scope": scope, "metric": name, **interval} | {"n": seen.n, "status": status}
                )
            elif status == "ok":
                pairs.append(_upper_triangle(name, value, classes))
            else:
                values.append(
                    {"scope": scope, "metric": name, "value": np.nan, "n": seen.n, "status": status}
                )
        if seen.n > 1:
            eigenvalues = spectrum(seen["features"])
            spectra.append(
                pd.DataFrame(
                    {
                        "scope": scope,
                        "rank": np.arange(1, len(eigenvalues) + 1),
                        "value": eigenvalues,
                    }
                )
            )
    predictions = [
        pd.DataFrame(
            {
                "image": ids,
                "label": [classes[k] for k in view["labels"]],
                "method": predictor,
                "prediction": [classes[k] for k in view[predictor].argmax(axis=1)],
                "score": view[predictor].max(axis=1),
            }
        )
        for predictor in PREDICTORS
        if predictor in view
    ]
    tables = {"metrics": pd.DataFrame(values), "spectra": _concat(spectra)}
    tables |= {"pairs": _concat(pairs), "predictions": _concat(predictions)}
    return tables, {}


PREDICTORS = ("probe", "knn", "class_mean", "zero_shot")


def _concat(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


def _upper_triangle(name: str, matrix: np.ndarray, classes: Sequence[str]) -> pd.DataFrame:
    first, second = np.triu_indices(len(classes), k=1)
    named = np.asarray(classes, dtype=object)
    return pd.DataFrame(
        {
            "scope": named[first],
            "scope_b": named[second],
            "metric": name,
            "value": matrix[first, second],
        }
    )


def projection(
    store: Store, clouds: Mapping[int, Cloud], method: str, n_images: int, random_state: int
) -> Result:
    """One map of the same images at every severity, fitted jointly so that they can be compared."""
    from tdafeat.projection import project

    sets = {severity: cloud.read(store) for severity, cloud in clouds.items()}
    first = next(iter(sets.values()))
    keep = even_sample(first.labels, n_images)
    stacked = np.concatenate([s.features[keep] for s in sets.values()])
    xy = project(stacked, method=method, random_state=random_state)
    frames = []
    for (severity, features), points in zip(sets.items(), np.split(xy, len(sets)), strict=True):
        frames.append(
            pd.DataFrame(
                {
                    "severity": severity,
                    "image": [features.ids[i] for i in keep],
                    "label": [features.classes[features.labels[i]] for i in keep],
                    "method": method,
                    "x": points[:, 0],
                    "y": points[:, 1],
                }
            )
        )
    return {"projections": pd.concat(frames, ignore_index=True)}, {}


def even_sample(labels: np.ndarray, n: int) -> np.ndarray:
    """At most about `n` row indices, the first ones of each class, equally many of each.

    Examples
    --------
    >>> even_sample(np.array([0, 0, 0, 1, 1, 1]), 4).tolist()
    [0, 1, 3, 4]
    """
    classes = np.unique(labels)
    per_class = max(1, n // max(1, len(classes)))
    return np.sort(np.concatenate([np.flatnonzero(labels == c)[:per_class] for c in classes]))


def statistics(
    store: Store,
    cells: Mapping[str, tuple[Cell, Mapping[str, Any]]],
    primary: str,
    random_state: int,
) -> Result:
    """How every metric goes with the primary accuracy over the classes of each encoder."""
    from tdafeat.statistics import associations

    frames = []
    for cell, spec in cells.values():
        table = _stored(store, "measure", spec).tables["metrics"]
        frames.append(table.assign(**cell.columns()))
    return {"associations": associations(_concat(frames), primary, random_state=random_state)}, {}
