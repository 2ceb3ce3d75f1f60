"""What a study will cost, before it is run: cells, time, memory, disk.

Memory follows from the sizes of the clouds. Time and disk are measured: the stages are run on
random clouds of two small sizes, the encoders on a few images, and the costs carried on to the
real sizes. That is a forecast, right within a factor of two or so.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from tdafeat.capacity import check_memory, free_memory, in_bytes, memory
from tdafeat.sources.groups import Size
from tdafeat.store import Store
from tdafeat.tasks import make

if TYPE_CHECKING:
    from tdafeat.plan import Plan
    from tdafeat.sources import FeatureSource, ImageSource
    from tdafeat.study import Study

SAMPLE = 96  # rows of the smaller random cloud; the other has twice as many
LEVELS = 2  # of noise in the samples
IMAGES = 16  # encoded to see how long it takes
GROWTH = {"topology": 2, "measure": 2, "similarity": 2}  # powers of the rows; 1 for the others


@dataclass(frozen=True)
class Cost:
    """Of one stage: how many artefacts, how many of them stored, and what the others take."""

    stage: str
    artefacts: int
    stored: int
    seconds: float
    memory: float
    disk: float


@dataclass(frozen=True)
class Forecast:
    """What a study will cost; printed as a table.

    Attributes
    ----------
    costs : by stage. Seconds are those of one process, memory that of the largest artefact.
    jobs : processes that share the cells; features are extracted by one.
    """

    costs: tuple[Cost, ...]
    jobs: int

    @property
    def seconds(self) -> float:
        """Of the whole study."""
        first, *cells = self.costs
        return first.seconds + sum(cost.seconds for cost in cells) / self.jobs

    @property
    def memory(self) -> float:
        """Bytes, at most: the largest artefacts of a stage side by side."""
        return max(cost.memory * min(self.jobs, cost.artefacts) for cost in self.costs)

    @property
    def disk(self) -> float:
        """Bytes of the artefacts still to be made."""
        return sum(cost.disk for cost in self.costs)

    def __str__(self) -> str:
        lines = [f"{'stage':<12}{'cells':>8}{'stored':>8}{'time':>10}{'memory':>10}{'disk':>10}"]
        lines += [
            f"{c.stage:<12}{c.artefacts:>8}{c.stored:>8}{_time(c.seconds):>10}"
            f"{in_bytes(c.memory):>10}{in_bytes(c.disk):>10}"
            for c in self.costs
        ]
        lines.append(
            f"about {_time(self.seconds)} with {self.jobs} processes, {in_bytes(self.memory)} of "
            f"memory beside the encoders ({in_bytes(free_memory())} are free), "
            f"{in_bytes(self.disk)} of disk"
        )
        return "\n".join(lines)


def forecast(
    study: Study, source: ImageSource | FeatureSource, store: Store, jobs: int
) -> Forecast:
    """Measure small samples, and carry their costs on to the study.

    Raises
    ------
    ValueError as `check_memory`.
    """
    from tdafeat.plan import Plan
    from tdafeat.sources import ImageSource

    sizes = source.sizes()
    pace = _pace(source) if isinstance(source, ImageSource) else {}
    sizes |= {key: replace(sizes[key], dimension=found) for key, (_, found) in pace.items()}
    check_memory(study, sizes, free_memory())
    with tempfile.TemporaryDirectory() as aside:
        plan = Plan(study, source.groups(Store(aside)))
        n_levels = len(plan.groups[0].clouds)
        _run_sample(study, Size(40, 20, 8, 2))  # loads and compiles what the stages need
        measured = {size: _stages(study, size, n_levels) for size in set(sizes.values())}
        costs = [
            _features(plan, sizes, {key: seconds for key, (seconds, _) in pace.items()}, store)
        ]
        for stage, tasks in plan.stages(Store(aside)):
            missing = [task for task in tasks if not store.intact(task.stage, task.spec)]
            of = [sizes[task.label["encoder"], task.label["layer"]] for task in missing]
            each = [measured[size].get(stage, (0.0, 0.0)) for size in of]
            costs.append(
                Cost(
                    stage,
                    len(tasks),
                    len(tasks) - len(missing),
                    sum(seconds for seconds, _ in each),
                    max((memory(s, study.n_landmarks).get(stage, 0) for s in of), default=0),
                    sum(disk for _, disk in each),
                )
            )
    return Forecast(tuple(costs), os.cpu_count() or 1 if jobs == -1 else jobs)


def _features(
    plan: Plan,
    sizes: Mapping[tuple[str, str], Size],
    pace: Mapping[tuple[str, str], float],
    store: Store,
) -> Cost:
    """Of extraction: as much of the clouds' rows as parts of them are missing."""
    n_parts = stored = 0
    seconds = disk = largest = 0.0
    for group in plan.groups:
        cell = group.cells[0]
        key = cell.encoder, cell.layer
        size = sizes[key]
        clouds = {cloud.key: cloud for cloud in (*group.clouds.values(), *group.train.values())}
        specs = [spec for cloud in clouds.values() for spec in cloud.parts]
        there = sum(store.intact("features", spec) for spec in specs)
        rows = len(group.clouds) * size.rows + size.train_rows
        missing = rows * (1 - there / len(specs))
        n_parts, stored = n_parts + len(specs), stored + there
        seconds += missing * pace.get(key, 0.0)
        disk += missing * 4 * size.dimension
        largest = max(largest, 4 * rows / len(specs) * size.dimension * len(group.clouds))
    return Cost("features", n_parts, stored, seconds, largest, disk)


def _pace(source: ImageSource) -> dict[tuple[str, str], tuple[float, int]]:
    """Seconds per row, decoding included, and dimension, by encoder and layer."""
    from tdafeat.extraction import Decoded, Forward, extract_decoded

    images = source.images.subset(range(min(IMAGES, len(source.images))))
    found = {}
    for encoder in next(iter(source.encoders.values())):
        forward, seconds = Forward(encoder, source.compute), 0.0
        for _ in range(2):  # the first warms up
            began = time.perf_counter()
            with Decoded(images, [encoder.preprocessing], source.compute.threads) as decoded:
                clouds = extract_decoded(decoded, forward, source.noise)
            seconds = time.perf_counter() - began
        rows = sum(len(cloud) for cloud in clouds.values())
        found[encoder.name, encoder.layer] = (seconds / rows, clouds[0].features.shape[1])
    return found


def _stages(study: Study, size: Size, n_levels: int) -> dict[str, tuple[float, float]]:
    """Seconds and bytes on disk of one artefact of each stage, for cells of this size."""
    small = replace(
        size,
        rows=size.classes * -(-SAMPLE // size.classes),
        train_rows=size.classes * -(-SAMPLE // size.classes),
    )
    large = replace(small, rows=2 * small.rows, train_rows=2 * small.train_rows)
    few, many = (_run_sample(study, sample) for sample in (small, large))
    points = min(size.rows, study.n_landmarks or size.rows)
    rows = {
        "topology": points,
        "scores": size.rows * n_levels / LEVELS,
        "projection": min(size.rows, study.n_projected) * n_levels / LEVELS,
    }
    found = {}
    for stage, (seconds, disk) in many.items():
        real, power = rows.get(stage, size.rows), GROWTH.get(stage, 1)
        first, *_ = few[stage]
        slope = max(0.0, (seconds - first) / (large.rows**power - small.rows**power))
        found[stage] = (
            max(seconds, first + slope * (real**power - small.rows**power)),
            disk * max(1.0, real / large.rows),
        )
    return found


def _run_sample(study: Study, size: Size) -> dict[str, tuple[float, float]]:
    """What one artefact of each stage takes, on random clouds of two encoders and two levels."""
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

    # an analysis may need images: their time is left out
    features = {"a": levels(), "b": levels()}
    sample = replace(study, features=features, analyses=(), primary="probe_accuracy")
    found = {}
    with tempfile.TemporaryDirectory() as aside:
        store = Store(aside)
        source = FeatureSource(features)
        source.put(store)
        plan = Plan(sample, source.groups(store))
        for stage, tasks in plan.stages(store):
            began = time.perf_counter()
            for task in tasks:
                make(task, store)
            taken = time.perf_counter() - began
            disk = sum(store.path(task.stage, task.spec).stat().st_size for task in tasks)
            found[stage] = (taken / len(tasks), disk / len(tasks))
    return found


def _time(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:,.1f} h"
