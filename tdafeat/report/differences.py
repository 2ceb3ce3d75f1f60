"""What differs between runs, and so what of them can be compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from tdafeat.chance import knows
from tdafeat.figures.frames import with_names
from tdafeat.record import Estimate
from tdafeat.report.background import flat
from tdafeat.report.model import Block, Note, Table
from tdafeat.run import Run
from tdafeat.wording import TRAINING, listed

SETTINGS = ("dataset", "split", "classes", "n_per_class", "noise", "primary", "seeds", "parameters")
VERSION = "versions "  # what the names of packages stand behind
# What accuracies must share so that one can be called higher, and why where they do not.
GROUND = {
    "dataset": "The runs are of different data sets: accuracies and the level of chance differ "
    "for that reason alone; compare how curves fall, and correlations.",
    "split": "The runs measure different splits of the data.",
    "classes": "The runs have different classes: accuracies and the level of chance differ for "
    "that reason alone.",
    "n_per_class": "The runs measure different numbers of images: intervals, distances between "
    "diagrams, spectra and dimensions depend on how many points a cloud has.",
    "noise": "The noise or its levels are not the same: a level of one run is another disturbance "
    "than that of another.",
    "primary": "The runs ask about different accuracies: correlations are with each run's own.",
}
ASIDE = {
    "parameters": "Parameters of the topology differ: compare topological values within a run.",
}


def comparable(runs: Sequence[Run]) -> bool:
    """Whether one accuracy can be called higher than that of another run."""
    return not any(_differ(runs, key) for key in GROUND)


def differences(named: Mapping[str, Run]) -> Iterator[Block]:
    """What must not be compared, what tells the runs apart, and what all of them share."""
    runs = list(named.values())
    for key, told in (GROUND | ASIDE).items():
        if _differ(runs, key):
            yield Note(told)
    frame = pd.DataFrame({name: dict(_settings(run)) for name, run in named.items()})
    frame = frame[list(named)].fillna("–")
    same = frame.eq(frame.iloc[:, 0], axis=0).all(axis=1)
    if not same.all():
        yield Table(
            frame[~same].rename_axis("setting").reset_index(),
            "What tells the runs apart.",
            "differences",
        )
    if same.any():
        shared = _in_rows(frame[same].iloc[:, 0])
        yield Table(shared, "What all runs share.", "shared", detail=True)


def unknowing(named: Mapping[str, Run]) -> Iterator[str]:
    """Which feature spaces of which runs are near chance, by the rule of a run's own answer."""
    near = []
    for name, run in named.items():
        if run.manifest["noise"].get("name") == TRAINING:  # an untrained network knows nothing
            continue
        rows = with_names(run.metrics[run.metrics["metric"] == run.manifest["primary"]])
        n_classes = rows.loc[rows["scope"] != "all", "scope"].nunique()
        clean = rows[(rows["scope"] == "all") & (rows["severity"] == rows["severity"].min())]
        means = clean.groupby("space", sort=False)[["value", "low", "high"]].mean()
        found = [s for s, *own in means.itertuples() if not knows(Estimate(*own), n_classes)]
        if found:
            near.append(f"{listed(found)} of {name}")
    if near:
        yield (
            f"Not clearly above chance even when clean: {listed(near)}; there is no robustness to "
            "ask about."
        )


def left_out(named: Mapping[str, Run]) -> Iterator[str]:
    """Which encoders of which runs gave no features, or not all of them."""
    failed = []
    for name, run in named.items():
        holes = [h for h in run.manifest["holes"] if h.get("stage") in ("features", "training")]
        if encoders := list(dict.fromkeys(str(hole["cell"]["encoder"]) for hole in holes)):
            failed.append(f"{listed(encoders)} of {name}")
    if failed:
        yield f"Failed, at least in part, and so not compared in full: {listed(failed)}."


def _in_rows(settings: pd.Series) -> pd.DataFrame:
    """A row for each setting, one for all versions."""
    of_packages = settings.index.str.startswith(VERSION)
    versions = settings[of_packages].items()
    listing = ", ".join(f"{str(name).removeprefix(VERSION)} {value}" for name, value in versions)
    rows = [*settings[~of_packages].items(), *[("versions", listing)] * bool(listing)]
    return pd.DataFrame(rows, columns=["setting", "value"])


def _differ(runs: Sequence[Run], key: str) -> bool:
    return any(run.manifest[key] != runs[0].manifest[key] for run in runs)


def _settings(run: Run) -> Iterator[tuple[str, Any]]:
    """The run's declarations and the versions it was computed with, by name, as text."""
    manifest = run.manifest
    classes = list(map(str, manifest["classes"]))
    encoders = [f"{e.get('name')} {e.get('layer') or ''}".strip() for e in manifest["encoders"]]
    said = {key: manifest[key] for key in SETTINGS} | {
        "classes": f"{len(classes)}: {listed(classes)}",
        "feature spaces": listed(encoders),
        "versions": manifest["provenance"].get("versions", {}),
        "platform": manifest["provenance"].get("platform"),
    }
    yield from flat(said)
