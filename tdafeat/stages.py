"""What is computed of a cell once its features are in the store: one function per stage.

Each function reads what it needs from the store and returns (tables, arrays); it knows nothing
of the study around it, so it can run in any process. Its version number is part of the key under
which the result is stored: raise it whenever the function would give other numbers than before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from tdafeat.baselines import baseline
from tdafeat.cells import Cell, Cloud
from tdafeat.measure import measure
from tdafeat.projection import Method, project
from tdafeat.record import Analysis, Metric
from tdafeat.store import Store, stored
from tdafeat.tasks import Result
from tdafeat.view import View

__all__ = [
    "VERSIONS",
    "analysis",
    "baseline",
    "even_sample",
    "measure",
    "probe",
    "projection",
    "robustness",
    "scores",
    "similarity",
    "statistics",
    "topology",
]

VERSIONS = {
    "topology": 3,
    "probe": 1,
    "scores": 3,
    "measure": 3,
    "projection": 4,
    "robustness": 1,
    "similarity": 1,
    "analysis": 1,
    "baseline": 1,
    "statistics": 10,
}

STATISTICS = ("associations", "prediction", "added")  # tables
DRAWS = 50  # samples behind a confidence band


def compile_distances() -> None:
    """Call every distance once: what numba compiles lies on disk before the measure stage."""
    from tdafeat.topology import bottleneck, distance_matrix, wasserstein

    diagram = np.array([[1.0, 2.0], [1.5, 3.0]])
    for distance in (bottleneck, wasserstein):
        distance(diagram, diagram)
        distance_matrix([diagram, diagram], distance=distance.__name__)


def topology(store: Store, cloud: Cloud, maxdim: int, n_landmarks: int | None) -> Result:
    """Persistence diagrams of the whole cloud, with its confidence bands, and of each class."""
    from tdafeat.topology import persistence

    features = cloud.read(store)
    clouds = {"all": features.features}
    for index, name in enumerate(features.classes):
        clouds[f"class:{name}"] = features.features[features.labels == index]
    # "auto" looks at what this process has loaded, and a record must not depend on that
    engine = "tdafeat" if maxdim == 1 else "auto"
    frames, records = [], []
    for scope, points in clouds.items():
        if len(points) == 0:
            continue
        landmarks = n_landmarks if n_landmarks is not None and n_landmarks < len(points) else None
        diagrams = persistence(
            points, maxdim=maxdim, n_landmarks=landmarks, engine=engine, n_jobs=1
        )
        table = diagrams.table()
        table.insert(0, "scope", scope)
        frames.append(table)
        record = {key: str(value) for key, value in diagrams.record.items()}
        bands = _bands(points, maxdim) if scope == "all" and landmarks is None else {}
        records.append({"scope": scope, "points": len(points), **record, **bands})
    return {"diagrams": pd.concat(frames, ignore_index=True), "records": pd.DataFrame(records)}, {}


def _bands(points: np.ndarray, maxdim: int) -> dict[str, float]:
    """Radius of the 95 % confidence band of each degree; none of fewer than three points."""
    from tdafeat.topology import confidence_band

    if len(points) < 3:
        return {}
    band = confidence_band(points, method="subsample", maxdim=maxdim, n_draws=DRAWS, n_jobs=1)
    return {f"band_h{degree}": float(radius) for degree, radius in enumerate(band.radius)}


def probe(store: Store, train: Cloud) -> Result:
    """The linear probe of clean train features: ``weights`` (C, D) and ``bias`` (C,)."""
    from tdafeat.evaluation import Probe

    known = train.read(store)
    head = Probe().fit(known.features, known.labels, len(known.classes)).head
    return {}, {"weights": head.weights, "bias": head.bias}


def scores(
    store: Store,
    cloud: Cloud,
    train: Cloud,
    heads: Mapping[str, tuple[str, Mapping[str, Any]]],
    text: Mapping[str, Any] | None,
) -> Result:
    """Class scores of every predictor for one cloud, (n, C) each.

    Beside them ``NAME_weights`` (C, D) of the linear ones. The others are fitted here, on the
    train features: they only average or remember them.

    Parameters
    ----------
    heads : stage and specification of the stored linear heads, by the predictor's name.
    text : specification of the stored class directions of a text tower, if there is one.
    """
    from tdafeat.directions import directions
    from tdafeat.evaluation import LinearHead, predictors, zero_shot

    features, known = cloud.read(store).features, train.read(store)
    arrays: dict[str, np.ndarray] = {}
    for name, (stage, spec) in heads.items():
        found = stored(store, stage, spec).arrays
        head = LinearHead(found["weights"], found["bias"])
        arrays |= {name: head.scores(features), f"{name}_weights": head.weights}
    for name, predictor in predictors.items():
        if name not in arrays:
            fitted = predictor().fit(known.features, known.labels, len(known.classes))
            arrays[name] = fitted.scores(features)
    if text is not None:
        names = stored(store, "text", text).arrays["text"]
        arrays |= {"zero_shot": zero_shot(features, names), "zero_shot_weights": directions(names)}
    return {}, arrays


def robustness(
    store: Store, measured: Mapping[int, Mapping[str, Any]], tokens: bool, random_state: int
) -> Result:
    """Summaries of every predictor's accuracy over the severities, as a whole and class by class.

    Parameters
    ----------
    measured : specifications of the measured cells, by severity.
    tokens : whether several rows, named ``ID#POSITION``, are of one image.
    """
    from tdafeat import evaluation

    said = pd.concat(
        stored(store, "measure", spec).tables["predictions"].assign(severity=severity)
        for severity, spec in measured.items()
    )
    said["right"] = said["label"] == said["prediction"]
    chance = 1 / said["label"].nunique()
    found = []
    for method, own in said.groupby("method", sort=False):
        outcomes = own.pivot_table(index=["label", "image"], columns="severity", values="right")
        for scope in ("all", *outcomes.index.unique("label")):
            rows = outcomes if scope == "all" else outcomes.loc[[scope]]
            names = rows.index.get_level_values("image")
            images = names.str.rpartition("#").get_level_values(0) if tokens else names
            summaries = evaluation.robustness(
                rows.to_numpy(), rows.columns, chance, images, random_state=random_state
            )
            about = {"method": method, "scope": scope, "n": images.nunique()}
            found += [{**about, "summary": k, **asdict(v)} for k, v in summaries.items()]
    return {"robustness": pd.DataFrame(found)}, {}


def projection(
    store: Store,
    clouds: Mapping[int, Cloud],
    method: Method,
    n_images: int,
    n_classes: int | None,
    random_state: int,
) -> Result:
    """Maps of the same images at every severity, fitted jointly so that they can be compared.

    One of all classes; where there are more than `n_classes`, another of so many of them, evenly
    spread over the list, fitted on these alone: many classes hide each other.
    """
    sets = {severity: cloud.read(store) for severity, cloud in clouds.items()}
    first = next(iter(sets.values()))
    shown, total = even_sample(first.labels, n_images), len(first.classes)
    subsets = {"": shown}
    if n_classes is not None and n_classes < total:
        few = np.linspace(0, total - 1, n_classes).round().astype(int)
        subsets[f"{n_classes} of {total} classes"] = shown[np.isin(first.labels[shown], few)]
    frames = []
    for subset, keep in subsets.items():
        stacked = np.concatenate([s.features[keep] for s in sets.values()])
        xy = project(stacked, method=method, random_state=random_state)
        for (severity, features), points in zip(sets.items(), np.split(xy, len(sets)), strict=True):
            frames.append(
                pd.DataFrame(
                    {
                        "severity": severity,
                        "image": [features.ids[i] for i in keep],
                        "label": [features.classes[features.labels[i]] for i in keep],
                        "method": method,
                        "subset": subset,
                        "x": points[:, 0],
                        "y": points[:, 1],
                    }
                )
            )
    return {"projections": pd.concat(frames, ignore_index=True)}, {}


def even_sample(labels: np.ndarray, n: int) -> np.ndarray:
    """At most about `n` row indices, equally many of each class, spread over its rows.

    Neighbouring rows may be of one image.

    Examples
    --------
    >>> even_sample(np.array([0, 0, 0, 1, 1, 1]), 4).tolist()
    [0, 2, 3, 5]
    """
    classes = np.unique(labels)
    per_class = max(1, n // max(1, len(classes)))
    members = [np.flatnonzero(labels == c) for c in classes]
    spread = [np.linspace(0, len(m) - 1, min(per_class, len(m))).astype(int) for m in members]
    return np.sort(np.concatenate([m[s] for m, s in zip(members, spread, strict=True)]))


def similarity(
    store: Store,
    chosen: Sequence[Metric],
    clouds: Mapping[int, tuple[Cloud, Cloud]],
    names: tuple[str, str],
) -> Result:
    """How alike two feature spaces of the same images are at every severity; empty if of others."""
    from tdafeat.sharing import sharing

    columns = ["metric", "value", "low", "high", "status"]
    frames = [pd.DataFrame(columns=[*columns, "severity", "n"])]
    for severity, (one, other) in clouds.items():
        own, second = one.read(store), other.read(store)
        if set(own.ids) != set(second.ids):  # such as patch tokens beside whole images
            continue
        paired = own.paired_with(second, names, same_space=False)
        rows = {"features": own.features, "clean": paired.features}
        view = View(own.labels, {name: x.astype(np.float64) for name, x in rows.items()})
        with sharing():
            found = [(metric.name, *view.measure(metric)) for metric in chosen]
        values = [(name, e.value, e.low, e.high, status) for name, e, status in found]
        table = pd.DataFrame(values, columns=columns)
        frames.append(table.assign(severity=severity, n=view.n))
    return {"similarities": pd.concat(frames[1:] or frames, ignore_index=True)}, {}


def analysis(
    store: Store,
    chosen: Analysis,
    cloud: Cloud,
    train: Cloud,
    image_shape: tuple[int, int, int] | None,
) -> Result:
    """Pictures and curves of one analysis, of clean test and train features."""
    tables = chosen.function(cloud.read(store), train.read(store), image_shape)
    return {name: table.assign(analysis=chosen.name) for name, table in tables.items()}, {}


def statistics(
    store: Store,
    cells: Sequence[tuple[Cell, Mapping[str, Any]]],
    primary: str,
    table: str,
    random_state: int,
) -> Result:
    """How every metric goes with the primary accuracy, over classes and over encoders."""
    from tdafeat.statistics import UNITS, added_value, associations, per_class, prediction

    made: dict[str, Callable[..., pd.DataFrame]]
    made = {"associations": associations, "prediction": prediction, "added": added_value}
    if not cells:
        raise ValueError("no cell was measured")
    frames = []
    for cell, spec in cells:
        tables = stored(store, "measure", spec).tables
        frames.append(tables["metrics"].assign(**cell.columns()))
        if not tables["pairs"].empty:
            # A pair belongs to two classes: each gets the mean over its pairs.
            frames.append(per_class(tables["pairs"].assign(**cell.columns())))
    measured = pd.concat(frames, ignore_index=True)
    parts = [made[table](measured, primary, unit=u, random_state=random_state) for u in UNITS]
    kept = [part for part in parts if not part.empty]
    return {table: pd.concat(kept, ignore_index=True) if kept else parts[0]}, {}
