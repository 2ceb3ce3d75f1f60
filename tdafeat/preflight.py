"""What a study will cost, before it is run: cells, time, memory, disk.

Memory follows from the sizes of the clouds. Time and disk are measured: the stages are run on
random clouds of two small sizes, of the fewest and of the most features that a space of the study
has, the encoders on a few images, and the costs carried on to the real sizes. That is a forecast,
right within a factor of two or so on a machine as busy as it was.
"""

from __future__ import annotations

import itertools
import math
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from tdafeat.baselines import ROWS as SURROGATE
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

Taken = dict[str, tuple[float, float]]
"""Seconds and bytes on disk of one artefact, by stage."""


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
        lines.append(
            "timed just now on small samples, beside what loading and compiling take; "
            "too long if other work kept the cores busy"
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
        kinds = [(known.sizes[key], shape) for key, shape in shapes.items()]
        n_levels = len(known.groups[0].clouds)
        measured = _stages(study, kinds, n_levels, n_levels * len(known.groups))
        taken = dict(zip(shapes, measured, strict=True))
        costs, unmeasured = [*known.costs, _features(known, there)], False
        for stage, tasks in Plan(study, known.groups).stages(there):
            missing = [task for task in tasks if not there.intact(task.stage, task.spec)]
            if stage == "measure":
                unmeasured = bool(missing)
            elif stage == "statistics" and unmeasured:
                missing = tasks  # any that are stored are of fewer cells
            keys = [(task.label["encoder"], task.label["layer"]) for task in missing]
            each = [taken[key].get(stage, (0.0, 0.0)) for key in keys]
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
    study: Study, kinds: Sequence[tuple[Size, Shape]], n_levels: int, n_cells: int
) -> list[Taken]:
    """What the stages take for cells of each kind, measured at both ends of their dimensions.

    Between the ends costs are taken to grow evenly with the dimension.
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
