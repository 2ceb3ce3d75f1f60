"""A small run folder made of numbers alone, as a study would leave it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

PARAMETERS = (0.0, 0.08, 0.18, 0.38)
RECORDS = {
    "probe_accuracy": ("linear probe accuracy", "evaluation", "higher", ""),
    "knn_accuracy": ("k-NN accuracy", "evaluation", "higher", ""),
    "koleo": ("KoLeo", "geometry", "lower", ""),
    "rankme": ("RankMe", "geometry", None, ""),
    "h1_entropy": ("H1 persistence entropy", "topology", None, "nats"),
    "wasserstein_h0": ("Wasserstein H0", "topology", "lower", "units of the features"),
    "bottleneck_h1": ("bottleneck H1", "topology", "lower", "units of the features"),
    "class_angle_mean": ("mean angle between classes", "geometry", None, "radians"),
}


def write_run(
    folder: Path,
    classes: tuple[str, ...] = ("banded", "dotted", "grid", "striped"),
    encoders: tuple[str, ...] = ("pixels", "tiny:clip"),
    n_levels: int = 4,
    n_images: int = 12,
    dimension: int = 32,
) -> Path:
    """Write manifest and tables; `n_levels` = 1 is a study without noise."""
    rng = np.random.default_rng(0)
    tables: dict[str, list[dict]] = {name: [] for name in ("metrics", "pairs", "associations")}
    frames: dict[str, list[pd.DataFrame]] = {
        name: [] for name in ("diagrams", "records", "spectra", "projections", "predictions")
    }
    for e, encoder in enumerate(encoders):
        centres = rng.normal(size=(len(classes), 2)) * 4
        for severity in range(n_levels):
            cell = {
                "dataset": "textures",
                "split": "test",
                "encoder": encoder,
                "layer": "",
                "noise": "gaussian" if n_levels > 1 else "",
                "severity": severity,
                "parameter": PARAMETERS[severity],
                "seed": 0,
            }
            for scope in ("all", *classes):
                accuracy = np.clip(0.9 - 0.2 * severity + 0.05 * e + rng.normal(0, 0.05), 0, 1)
                for name, (_, room, _, _) in RECORDS.items():
                    if name == "class_angle_mean":
                        continue
                    value = accuracy if room == "evaluation" else rng.gamma(2) + severity
                    row = {"scope": scope, "metric": name, "value": value, "status": "ok"}
                    row |= {"low": max(0, value - 0.05), "high": min(1, value + 0.05)}
                    if room != "evaluation":
                        row |= {"low": np.nan, "high": np.nan}
                    tables["metrics"].append(cell | row | {"n": n_images * len(classes)})
            for i, first in enumerate(classes):
                for second in classes[i + 1 :]:
                    pair = {"scope": first, "scope_b": second, "metric": "class_angle_mean"}
                    pair |= {
                        "params": f"10 principal directions per class in {dimension} dimensions",
                        "value": rng.uniform(0.2, 1.5),
                    }
                    tables["pairs"].append(cell | pair)
            n = n_images * len(classes)
            deaths = np.append(rng.gamma(3, size=n - 1), np.inf)
            births = rng.gamma(3, size=n // 2)
            bars = pd.DataFrame(
                {
                    "scope": "all",
                    "degree": np.repeat([0, 1], [n, n // 2]),
                    "birth": np.concatenate([np.zeros(n), births]),
                    "death": np.concatenate([deaths, births + rng.gamma(1, size=n // 2)]),
                }
            )
            frames["diagrams"].append(bars.assign(**cell))
            band = {"scope": ["all"], "points": [n], "band_h0": [0.5], "band_h1": [np.inf]}
            frames["records"].append(pd.DataFrame(band).assign(**cell))
            for name in classes:
                own = bars.iloc[:: len(classes)].assign(scope=name)
                frames["diagrams"].append(own.assign(**cell))
            ranks = np.arange(1, dimension + 1)
            values = ranks ** -(1.5 - 0.2 * severity)
            spectrum = pd.DataFrame({"scope": "all", "rank": ranks, "value": values})
            frames["spectra"].append(spectrum.assign(**cell))
            label = np.repeat(np.arange(len(classes)), n_images)
            named = np.asarray(classes, dtype=object)
            images = [f"{named[k]}/{i}.png" for i, k in enumerate(label)]
            xy = centres[label] + rng.normal(size=(n, 2)) * (1 + severity)
            both = {"image": images, "label": named[label]}
            for method in ("pca", "tsne"):
                places = pd.DataFrame(both | {"method": method, "x": xy[:, 0], "y": xy[:, 1]})
                frames["projections"].append(places.assign(**cell))
            wrong = rng.random(n) < 0.1 + 0.2 * severity
            guess = np.where(wrong, rng.integers(len(classes), size=n), label)
            said = {"method": "probe", "prediction": named[guess], "score": rng.random(n)}
            said["confidence"] = said["score"]
            frames["predictions"].append(pd.DataFrame(both | said).assign(**cell))
        for name in RECORDS:
            if name in ("probe_accuracy", "class_angle_mean"):
                continue
            for adjustment in ("within level", "pooled", "level-adjusted"):
                value = rng.uniform(-0.8, 0.8)
                tables["associations"].append(
                    {
                        "dataset": "textures",
                        "encoder": encoder,
                        "layer": "",
                        "noise": "gaussian",
                        "metric": name,
                        "scope_unit": "class",
                        "method": "spearman",
                        "adjustment": adjustment,
                        "value": value,
                        "low": value - 0.2,
                        "high": value + 0.2,
                        "p": 0.01,
                        "p_holm": 0.04 if abs(value) > 0.5 else 0.4,
                        "n": len(classes),
                        "status": "ok",
                    }
                )
    write_manifest(folder, classes, encoders, n_levels, n_images, dimension)
    (folder / "tables").mkdir(parents=True, exist_ok=True)
    written = {name: pd.DataFrame(rows) for name, rows in tables.items() if rows}
    written |= {name: pd.concat(parts, ignore_index=True) for name, parts in frames.items()}
    for name, table in written.items():
        table.to_parquet(folder / "tables" / f"{name}.parquet", index=False)
    return folder


def write_manifest(folder, classes, encoders, n_levels, n_images, dimension, **changes) -> None:
    """Write the manifest alone; `changes` replace its entries."""
    manifest = {
        "schema": 1,
        "name": "synthetic",
        "title": "Shape and robustness of two small encoders",
        "question": "Does the shape of a feature space tell how robust its classifier is?",
        "primary": "probe_accuracy",
        "dataset": "textures",
        "split": "test",
        "classes": list(classes),
        "n_per_class": n_images,
        "encoders": [
            {
                "name": name,
                "layer": "",
                "dimension": dimension,
                "version": "1",
                "preprocessing": {"resize": 64, "crop": 64, "mean": [0.5], "std": [0.5]},
                "text": False,
            }
            for name in encoders
        ],
        "noise": {
            "name": "gaussian",
            "units": "pixel",
            "parameter": "sigma",
            "levels": list(PARAMETERS[1:n_levels]),
        }
        if n_levels > 1
        else None,
        "seeds": [0],
        "parameters": {"maxdim": 1, "n_landmarks": None},
        "metrics": {
            name: {
                "title": title,
                "room": room,
                "better": better,
                "unit": unit,
                "summary": f"What {title} measures.",
                "source": "a paper",
            }
            for name, (title, room, better, unit) in RECORDS.items()
        },
        "answer": [
            "Within a level, no metric tells which classes stay accurate.",
            "Pooled over levels, all do, because both move with the noise.",
        ],
        "notes": ["Clouds were not thinned."],
        "holes": [],
        "provenance": {
            "command": "python studies/quickstart.py",
            "created": "2026-01-02T03:04:05+00:00",
            "seconds": {"features": 1.2, "topology": 3.4, "probe": 0.1},
            "artefacts": {"topology": {"made": 2, "of": 8}, "probe": {"made": 0, "of": 2}},
            "versions": {"tdafeat": "0.1.0", "numpy": "1.26.4"},
            "platform": "Python 3.11, Linux x86_64",
            "hashes": {"cells": "ab" * 32},
        },
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "manifest.json").write_text(json.dumps(manifest | changes))


def write_thumbnails(folder: Path) -> Path:
    """Add a sprite, a tile for each image of the maps."""
    from PIL import Image

    images = pd.read_parquet(folder / "tables" / "projections.parquet")["image"].unique()
    side = int(np.ceil(np.sqrt(len(images))))
    Image.new("RGB", (48 * side, 48 * side), "teal").save(folder / "thumbnails.webp")
    places = [{"image": i, "column": k % side, "row": k // side} for k, i in enumerate(images)]
    pd.DataFrame(places).to_parquet(folder / "tables" / "thumbnails.parquet", index=False)
    return folder
