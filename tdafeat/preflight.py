"""What a study will cost, before it is run: cells, time, memory, disk.

Memory follows from the sizes of the clouds. Time and disk are measured: the stages are run on
random clouds of two small sizes, the encoders on a few images, and the costs carried on to the
real sizes. That is a forecast, right within a factor of two or so.
"""

from __future__ import annotations

import math
import tempfile
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from tdafeat.capacity import check_memory, free_memory, in_bytes, memory
from tdafeat.progress import duration
from tdafeat.sketch import Cost, Sketch, sketch
from tdafeat.sources.groups import Size
from tdafeat.store import Store
from tdafeat.tasks import make

if TYPE_CHECKING:
    from tdafeat.sources import Source
    from tdafeat.study import Study

SAMPLE = 96  # rows of the smaller random cloud; the other has twice as many
LEVELS = 2  # of noise in the samples
ALONE = ("training", "features")  # stages of one process
GROWTH = {"topology": 2, "measure": 2, "similarity": 2}  # powers of the rows; 1 for the others

Shape = tuple[int, int, int] | None
"""(channels, height, width) of features that are images."""


@dataclass(frozen=True)
class Forecast:
    """What a study will cost; printed as a table.

    Attributes
    ----------
    costs : by stage. Seconds are those of one process, memory that of the largest artefact.
    jobs : processes that share the cells; networks are trained and images encoded by one.
    """

    costs: tuple[Cost, ...]
    jobs: int

    @property
    def seconds(self) -> float:
        """Of the whole study."""
        return sum(cost.seconds / (1 if cost.stage in ALONE else self.jobs) for cost in self.costs)

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
            f"{c.stage:<12}{c.artefacts:>8}{c.stored:>8}{duration(c.seconds):>10}"
            f"{in_bytes(c.memory):>10}{in_bytes(c.disk):>10}"
            for c in self.costs
        ]
        lines.append(
            f"about {duration(self.seconds)} with {self.jobs} processes, {in_bytes(self.memory)} "
            f"of memory beside the encoders ({in_bytes(free_memory())} are free), "
            f"{in_bytes(self.disk)} of disk"
        )
        return "\n".join(lines)


def forecast(study: Study, source: Source, store: Store, jobs: int, force: bool) -> Forecast:
    """Measure small samples, and carry their costs on to the study.

    Parameters
    ----------
    force : whether what is stored will be computed again.

    Raises
    ------
    ValueError as `check_memory`.
    """
    from tdafeat.plan import Plan

    with tempfile.TemporaryDirectory() as folder:
        aside = Store(folder)
        there = aside if force else store  # nothing is in the one aside
        known = sketch(source, there, aside)
        check_memory(study, known.sizes, free_memory(), jobs)
        shapes = {(g.cells[0].encoder, g.cells[0].layer): g.image_shape for g in known.groups}
        n_levels = len(known.groups[0].clouds)
        for shape in set(shapes.values()):  # loads and compiles what the stages need
            _run_sample(study, Size(40, 20, math.prod(shape or (8,)), 2), shape)
        kinds = {key: (known.sizes[key], shape) for key, shape in shapes.items()}
        measured = {kind: _stages(study, *kind, n_levels) for kind in set(kinds.values())}
        costs, unmeasured = [*known.costs, _features(known, there)], False
        for stage, tasks in Plan(study, known.groups).stages(there):
            missing = [task for task in tasks if not there.intact(task.stage, task.spec)]
            if stage == "measure":
                unmeasured = bool(missing)
            elif stage == "statistics" and unmeasured:
                missing = tasks  # any that are stored are of fewer cells
            keys = [(task.label["encoder"], task.label["layer"]) for task in missing]
            each = [measured[kinds[key]].get(stage, (0.0, 0.0)) for key in keys]
            needed = [memory(known.sizes[key], study.n_landmarks).get(stage, 0) for key in keys]
            costs.append(
                Cost(
                    stage,
                    len(tasks),
                    len(tasks) - len(missing),
                    sum(seconds for seconds, _ in each),
                    max(needed, default=0),
                    sum(disk for _, disk in each),
                )
            )
    return Forecast(tuple(costs), jobs)


def _features(known: Sketch, store: Store) -> Cost:
    """Of extraction: as much of the clouds' rows as parts of them are missing."""
    n_parts = stored = 0
    seconds = disk = largest = 0.0
    for group in known.groups:
        key = group.cells[0].encoder, group.cells[0].layer
        size = known.sizes[key]
        clouds = {cloud.key: cloud for cloud in (*group.clouds.values(), *group.train.values())}
        specs = [spec for cloud in clouds.values() for spec in cloud.parts]
        there = sum(store.intact("features", spec) for spec in specs)
        trains = {cloud.key for cloud in group.train.values()}
        rows = len(group.clouds) * size.rows + len(trains) * size.train_rows
        missing = rows * (1 - there / len(specs))
        n_parts, stored = n_parts + len(specs), stored + there
        seconds += missing * known.seconds.get(key, 0.0)
        disk += missing * 4 * size.dimension
        largest = max(largest, 4 * rows / len(specs) * size.dimension * len(group.clouds))
    return Cost("features", n_parts, stored, seconds, largest, disk)


def _stages(
    study: Study, size: Size, shape: Shape, n_levels: int
) -> dict[str, tuple[float, float]]:
    """Seconds and bytes on disk of one artefact of each stage, for cells of this size."""
    small = replace(
        size,
        rows=size.classes * -(-SAMPLE // size.classes),
        train_rows=size.classes * -(-SAMPLE // size.classes),
    )
    large = replace(small, rows=2 * small.rows, train_rows=2 * small.train_rows)
    few, many = (_run_sample(study, sample, shape) for sample in (small, large))
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


def _run_sample(study: Study, size: Size, shape: Shape) -> dict[str, tuple[float, float]]:
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

    features = {"a": levels(), "b": levels()}
    sample = replace(study, features=features, primary="probe_accuracy", variants=None, steps=())
    found = {}
    with tempfile.TemporaryDirectory() as aside:
        store = Store(aside)
        source = FeatureSource(features)
        source.put(store)
        plan = Plan(sample, [replace(g, image_shape=shape) for g in source.groups(store)])
        for stage, tasks in plan.stages(store):
            began = time.perf_counter()
            for task in tasks:
                make(task, store)
            taken = time.perf_counter() - began
            disk = sum(store.path(task.stage, task.spec).stat().st_size for task in tasks)
            found[stage] = (taken / len(tasks), disk / len(tasks))
    return found
