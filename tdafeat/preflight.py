"""What a study will cost, before it is run: cells, time, memory, disk.

Memory follows from the sizes of the clouds. Time and disk are measured: the stages on small random
clouds (`tdafeat.stage_costs`), the encoders on a few images (`tdafeat.sketch`). That is a forecast,
right within a factor of two or so on a machine as busy as it was. The report is not in it: the
time of its figures goes with what they show, which samples do not tell.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tdafeat.capacity import check_memory, free_memory, in_bytes, memory
from tdafeat.progress import duration
from tdafeat.sketch import Cost, Sketch, sketch
from tdafeat.stage_costs import stage_costs
from tdafeat.store import Store

if TYPE_CHECKING:
    from tdafeat.sources import Source
    from tdafeat.study import Study

ALONE = ("training", "features")  # stages of one process


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
            "timed just now on small samples, too long if other work kept the cores busy; "
            "loading, compiling and writing the report (figures, HTML, PDF) come on top"
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
        measured = stage_costs(study, kinds, n_levels, n_levels * len(known.groups))
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
