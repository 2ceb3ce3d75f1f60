"""A picture of every figure, drawn from a small study of features made up on the spot."""

from __future__ import annotations

import inspect
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from tdafeat import FeatureSet, Levels, Study, datasets, figures, noise
from tdafeat.encoders import Preprocessing
from tdafeat.examples import strips

INTRODUCTION = """# Gallery

Every figure of `tdafeat.figures`, from a small study of made-up features: `run` is what
`study.run()` or `Run.read(FOLDER)` returns, `one(...)` takes the rows of one of its feature spaces,
`clouds(...)` those of whole clouds. Each call returns an Altair chart, which shows in a notebook
and answers to the pointer there; `figures.save(chart, "figure.svg")` saves it, or as PNG, PDF."""

FEW = "metric in ['koleo', 'rankme', 'wasserstein_h0', 'bottleneck_h1']"
CALLS = {
    "accuracy": "figures.accuracy(run.metrics)",
    "curves": "figures.curves(run.metrics, ['koleo', 'rankme'])",
    "confusion": "figures.confusion(one(run.predictions))",
    "reliability": "figures.reliability(run.predictions)",
    "diagrams": "figures.diagrams(one(clouds(run.diagrams)), clouds(run.records))",
    "barcodes": "figures.barcodes(one(clouds(run.diagrams)))",
    "betti_curves": "figures.betti_curves(one(clouds(run.diagrams)))",
    "landscapes": "figures.landscapes(one(clouds(run.diagrams)))",
    "persistence_images": "figures.persistence_images(one(clouds(run.diagrams)))",
    "distances": "figures.distances(run.metrics)",
    "class_matrix": "figures.class_matrix(one(run.pairs), 'class_angle_mean', unit='radians')",
    "space_matrix": "figures.space_matrix(run.similarities, 'linear_cka')",
    "spectra": "figures.spectra(clouds(run.spectra))",
    "projection": "figures.projection(one(run.projections))",
    "forest": f'figures.forest(run.associations.query("{FEW}"))',
    "scatter": "figures.scatter(run.metrics, 'koleo')",
    "pictures": "figures.pictures(noisy_images)",
    "quantities": "figures.quantities(errors, 'components')",
    "training": "figures.training(logged)",
}


def gallery(folder: Path) -> str:
    """Write an SVG file of each figure into the folder, and return the page, in Markdown."""
    missing = set(figures.__all__) - {"save"} - CALLS.keys()
    if missing:
        raise ValueError(f"the gallery has no call of {min(missing)}")
    folder.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        run = study().run(Path(place) / "run", store=Path(place) / "store", quiet=True)
    names = {"figures": figures, "run": run, "one": one, "clouds": clouds} | frames()
    parts = [INTRODUCTION]
    for name, call in CALLS.items():
        figures.save(eval(call, names), folder / f"{name}.svg")
        about = inspect.cleandoc(getattr(figures, name).__doc__).split("\n\n")[0]
        title = name.replace("_", " ").capitalize()
        parts.append(f"## {title}\n\n{about}\n\n`{call}`\n\n![{title}]({folder.name}/{name}.svg)")
    return "\n\n".join(parts) + "\n"


def study() -> Study:
    """Two feature spaces of the same eight classes, one of which noise spreads more."""
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(8), 16)
    classes = ("banded", "dotted", "frilly", "grid", "marbled", "paisley", "scaly", "woven")
    images = [f"{classes[label]}/{k}" for k, label in enumerate(labels)]
    angle = rng.uniform(0, 2 * np.pi, len(labels))
    ring = np.stack([np.cos(angle), np.sin(angle)], axis=1) @ rng.normal(size=(2, 12))

    def levels(spread: float) -> Levels:
        cloud = rng.normal(size=(8, 12))[labels] * np.linspace(0.5, 1.5, 8)[labels, None] + ring
        clouds = [
            FeatureSet(cloud + rng.normal(size=cloud.shape) * size, images, labels, classes)
            for size in (0.3, 0.3 + spread, 0.3 + 3 * spread)
        ]
        return Levels(clouds[0], {1: clouds[1], 2: clouds[2]})

    spaces = {"sturdy": levels(0.2), "frail": levels(0.5)}
    return Study("gallery", "What goes with accuracy?", features=spaces, projections=("tsne",))


def one(table: pd.DataFrame) -> pd.DataFrame:
    """Rows of one feature space."""
    return table[table["encoder"] == "frail"]


def clouds(table: pd.DataFrame) -> pd.DataFrame:
    """Rows of the whole clouds, without those of their classes."""
    return table[table["scope"] == "all"]


def frames() -> dict[str, pd.DataFrame]:
    """What stands for tables that a study of features alone does not have."""
    blur = noise.load("gaussian", levels=(0.1, 0.2, 0.4))
    levels = ["clean", "1 (0.1)", "2 (0.2)", "3 (0.4)"]
    textures = datasets.load("textures:56", limit=1)
    steps = np.arange(1, 21)
    errors = [
        pd.DataFrame(
            {"quantity": "error", "series": series, "x": steps, "value": floor + 1 / steps}
        )
        for series, floor in (("train images", 0.0), ("test images", 0.1))
    ]
    logged = [
        pd.DataFrame({"variant": variant, "step": steps, "quantity": "loss", "value": value})
        for variant, value in (("plain", 1 / steps), ("with KoLeo", 1.2 / np.sqrt(steps)))
    ]
    return {
        "noisy_images": strips(textures, blur, levels, Preprocessing(56, 56), seed=0),
        "errors": pd.concat(errors, ignore_index=True).assign(scope="all"),
        "logged": pd.concat(logged, ignore_index=True),
    }
