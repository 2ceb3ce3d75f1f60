"""What one cell of a study costs: CPU seconds, memory and disk of every stage, by number of images.

    python studies/benchmarks/cells.py [--rows 500 2000 ...] [--dimension 512] [--classes 20]

A clean and a noisy cloud of Gaussian classes, as many train rows, one thread. Every number of rows
runs in a process of its own, its kernels loaded before; memory is what a stage added to the
process's peak.
"""

import argparse
import multiprocessing
import sys
import tempfile
import time

import numpy as np

from tdafeat import FeatureSet, Levels, Study
from tdafeat.plan import Plan
from tdafeat.sources import FeatureSource
from tdafeat.store import Store
from tdafeat.tasks import make

WARM = 3  # images of each class in the small study that loads what the stages need


def features(rows: int, dimension: int, classes: int, noise: float, split: str) -> FeatureSet:
    rng = np.random.default_rng(0)
    labels = np.arange(rows) % classes
    centres = rng.normal(size=(classes, dimension))
    cloud = centres[labels] + rng.normal(size=(rows, dimension))
    cloud += noise * np.random.default_rng(1).normal(size=cloud.shape)
    ids = [f"{split} {row}" for row in range(rows)]
    return FeatureSet(cloud, ids, labels, [f"class {c}" for c in range(classes)])


def costs(
    rows: int, dimension: int, classes: int, landmarks: int | None
) -> list[tuple[str, float, float, float]]:
    """Stage, CPU seconds per artefact, megabytes added to the peak, megabytes on disk."""
    shape = rows, dimension, classes
    levels = Levels(
        features(*shape, 0.0, "test"),
        {1: features(*shape, 1.0, "test")},
        features(*shape, 0.5, "train"),
    )
    study = Study("cells", "?", features={"own": levels}, n_landmarks=landmarks)
    found = []
    with tempfile.TemporaryDirectory() as folder:
        store = Store(folder)
        source = FeatureSource(study.features)
        source.put(store)
        for title, tasks in Plan(study, source.groups(store)).stages(store):
            before, began = peak(), time.process_time()
            for task in tasks:
                make(task, store)
            taken, added = time.process_time() - began, peak() - before
            disk = sum(store.path(task.stage, task.spec).stat().st_size for task in tasks) / 1e6
            found.append((title, taken / len(tasks), added, disk / len(tasks)))
    return found


def peak() -> float:
    """Megabytes this process has held at most."""
    import resource  # not on Windows

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def apart(case: tuple[int, int, int, int | None]) -> list[tuple[str, float, float, float]]:
    _, dimension, classes, landmarks = case
    costs(WARM * classes, dimension, classes, landmarks)
    return costs(*case)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", nargs="+", type=int, default=[500, 2000, 5640])
    parser.add_argument("--dimension", type=int, default=512)
    parser.add_argument("--classes", type=int, default=20)
    parser.add_argument("--landmarks", type=int, default=2000)
    given = parser.parse_args()
    print("| rows | stage | CPU seconds | peak, MB | disk, MB |\n|---|---|---|---|---|")
    for rows in given.rows:
        case = (rows, given.dimension, given.classes, given.landmarks)
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            for title, taken, added, disk in pool.apply(apart, (case,)):
                print(f"| {rows} | {title} | {taken:.2f} | {added:.0f} | {disk:.2f} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
