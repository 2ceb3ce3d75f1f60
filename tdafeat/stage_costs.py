"""What an artefact of each stage takes, of time and disk: measured on samples, carried over.

The stages are run on random clouds of two small sizes, of the fewest and of the most features that
a space of the study has, and what they take is carried on to the real sizes.
"""

from __future__ import annotations

import itertools
import math
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from tdafeat.baselines import ROWS as SURROGATE
from tdafeat.sources.groups import Size
from tdafeat.store import Store
from tdafeat.tasks import make

if TYPE_CHECKING:
    from tdafeat.study import Study

SAMPLE = 96  # rows of the smaller random cloud; the other has twice as many
LEVELS = 2  # of noise in the samples
GROWTH = {"topology": 2, "measure": 2, "similarity": 2}  # powers of the rows; 1 for the others

Shape = tuple[int, int, int] | None
"""(channels, height, width) of features that are images."""

Taken = dict[str, tuple[float, float]]
"""Seconds and bytes on disk of one artefact, by stage."""


def stage_costs(
    study: Study, kinds: Sequence[tuple[Size, Shape]], n_levels: int, n_cells: int
) -> list[Taken]:
    """What the stages take for cells of each kind, measured at both ends of their dimensions.

    Between the ends costs are taken to grow evenly with the dimension.

    Parameters
    ----------
    kinds : how large the cells of each encoder are, and the shape of features that are images.
    n_levels, n_cells : severities of each encoder, and cells of the whole study.
    """
    ends = {size.dimension: (size, shape) for size, shape in kinds}
    ends = {dimension: ends[dimension] for dimension in (min(ends), max(ends))}
    size, shape = ends[min(ends)]  # loads and compiles what the stages need
    _run_sample(study, Size(40, 20, math.prod(shape or (8,)), 2), shape)
    samples = []
    for size, shape in ends.values():
        rows = size.classes * -(-SAMPLE // size.classes)
        pair = [replace(size, rows=k * rows, train_rows=k * rows) for k in (1, 2)]
        samples.append([(sample, _run_sample(study, sample, shape)) for sample in pair])
    found = []
    for size, _ in kinds:
        low, high = (_carried(study, size, samples[k], n_levels, n_cells) for k in (0, -1))
        share = (size.dimension - min(ends)) / max(1, max(ends) - min(ends))
        found.append({stage: _between(low[stage], high[stage], share) for stage in low})
    return found


def _between(
    low: tuple[float, float], high: tuple[float, float], share: float
) -> tuple[float, float]:
    return low[0] + share * (high[0] - low[0]), low[1] + share * (high[1] - low[1])


def _carried(
    study: Study,
    size: Size,
    samples: Sequence[tuple[Size, Taken]],
    n_levels: int,
    n_cells: int,
) -> Taken:
    """From a smaller and a larger sample to cells of the study's size."""
    (small, first), (large, second) = samples
    rows = {
        "topology": min(size.rows, study.n_landmarks or size.rows),
        "projection": min(size.rows, study.n_projected) * n_levels / LEVELS,
        "baselines": min(size.rows, 2 * SURROGATE),
        "statistics": large.rows,  # of classes, not of rows
    }
    times = dict.fromkeys(("robustness", "similarity", "baselines"), n_levels / LEVELS)
    times["baselines"] *= study.baselines
    times["statistics"] = n_cells / LEVELS
    found: Taken = {}
    for stage, (seconds, disk) in second.items():
        real, power = rows.get(stage, size.rows), GROWTH.get(stage, 1)
        started, _ = first[stage]
        slope = max(0.0, (seconds - started) / (large.rows**power - small.rows**power))
        carried = max(seconds, started + slope * (real**power - small.rows**power))
        n = times.get(stage, 1)
        found[stage] = (n * carried, n * disk * max(1.0, real / large.rows))
    return found


def _run_sample(study: Study, size: Size, shape: Shape) -> Taken:
    """What one artefact of each stage takes, on random clouds of an encoder at two levels.

    Another encoder is there to be compared with; surrogates are drawn once.
    """
    from tdafeat.features import FeatureSet
    from tdafeat.plan import Plan
    from tdafeat.sources import FeatureSource, Levels

    rng = np.random.default_rng(0)
    classes = tuple(f"class {c}" for c in range(size.classes))
    centres = rng.normal(size=(size.classes, size.dimension))

    def cloud(rows: int, split: str) -> FeatureSet:
        labels = np.arange(rows) % size.classes
        points = centres[labels] + rng.normal(size=(rows, size.dimension))
        ids = tuple(f"{split} {row}" for row in range(rows))
        return FeatureSet(points, ids, labels, classes)

    def levels() -> Levels:
        tests = [cloud(size.rows, "test") for _ in range(2)]
        return Levels(tests[0], {1: tests[1]}, cloud(size.train_rows, "train"))

    features = {"a": levels(), "b": levels()}
    sample = replace(study, features=features, primary="probe_accuracy", variants=None, steps=())
    sample = replace(sample, baselines=min(1, study.baselines))
    found: Taken = {}
    with tempfile.TemporaryDirectory() as aside:
        store = Store(aside)
        source = FeatureSource(features)
        source.put(store)
        groups = [replace(group, image_shape=shape) for group in source.groups(store)]
        plan = Plan(sample, groups[:1])
        compared = [("similarity", [plan.similarity(*groups)])]
        for stage, tasks in itertools.chain(plan.stages(store), compared):
            if not tasks:  # such as projections where none are asked for
                continue
            began = time.perf_counter()
            for task in tasks:
                make(task, store)
            taken = time.perf_counter() - began
            disk = sum(store.path(task.stage, task.spec).stat().st_size for task in tasks)
            found[stage] = (taken / len(tasks), disk / len(tasks))
    return found
