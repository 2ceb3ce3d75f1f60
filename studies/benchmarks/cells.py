"""What one cell of a study costs: seconds, memory and disk of every stage, by number of images.

    python studies/benchmarks/cells.py [--rows 500 2000 ...] [--dimension 512] [--classes 20]

A clean and a noisy cloud of Gaussian classes, as many train rows, one thread. Every number of rows
runs in a process of its own, its kernels loaded before; memory is what the process added to its
peak, and beyond the features themselves.
"""

import argparse
import multiprocessing
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from tdafeat import FeatureSet, Levels, Study
from tdafeat.plan import Plan
from tdafeat.sources import FeatureSource
from tdafeat.store import Store
from tdafeat.tasks import run_tasks


def features(rows: int, dimension: int, classes: int, noise: float) -> FeatureSet:
    rng = np.random.default_rng(0)
    labels = np.arange(rows) % classes
    centres = rng.normal(size=(classes, dimension))
    cloud = centres[labels] + rng.normal(size=(rows, dimension))
    cloud += noise * np.random.default_rng(1).normal(size=cloud.shape)
    ids = [f"{row}" for row in range(rows)]
    return FeatureSet(cloud, ids, labels, [f"class {c}" for c in range(classes)])


def costs(rows: int, dimension: int, classes: int, landmarks: int | None) -> list[tuple]:
    """Stage, seconds per task, megabytes added to the peak, megabytes on disk."""
    levels = Levels(
        features(rows, dimension, classes, 0.0),
        {1: features(rows, dimension, classes, 1.0)},
        FeatureSet(
            *(lambda f: (f.features, [f"train {i}" for i in f.ids], f.labels, f.classes))(
                features(rows, dimension, classes, 0.5)
            )
        ),
    )
    study = Study("cells", "?", features={"own": levels}, n_landmarks=landmarks)
    found = []
    with tempfile.TemporaryDirectory() as folder:
        store = Store(folder)
        plan = Plan(study, FeatureSource(study.features).extract(store, False, True))
        for title, tasks in plan.stages(store):
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            began = time.perf_counter()
            holes = run_tasks(title, tasks, store, quiet=True)
            if holes:
                sys.exit(holes[0].trace)
            taken = (time.perf_counter() - began) / len(tasks)
            added = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1e3
            places = [Path(store.folder(task.stage, task.spec)) for task in tasks]
            disk = sum(f.stat().st_size for place in places for f in place.iterdir()) / 1e6
            found.append((title, taken, added, disk / len(tasks)))
    return found


def apart(arguments: tuple) -> list[tuple]:
    costs(60, *arguments[1:])  # loads the kernels
    return costs(*arguments)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", nargs="+", type=int, default=[500, 2000, 5640])
    parser.add_argument("--dimension", type=int, default=512)
    parser.add_argument("--classes", type=int, default=20)
    parser.add_argument("--landmarks", type=int, default=2000)
    given = parser.parse_args()
    print("| rows | stage | seconds | peak, MB | disk, MB |\n|---|---|---|---|---|")
    for rows in given.rows:
        case = (rows, given.dimension, given.classes, given.landmarks)
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            for title, taken, added, disk in pool.apply(apart, (case,)):
                print(f"| {rows} | {title} | {taken:.2f} | {added:.0f} | {disk:.2f} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
