"""How fast is the geometry of feature spaces, beside the script one would write without it?

    python studies/benchmarks/geometry.py            # all three parts, some minutes
    python studies/benchmarks/geometry.py angles     # all pairs of class subspaces, beside scipy
    python studies/benchmarks/geometry.py table      # every metric, pooled and per class
    python studies/benchmarks/geometry.py memory     # a million rows in a memory-mapped file

`--classes 8` and `--rows 100000` make them smaller. The plain script is plain_geometry.py. Ours
and theirs run in one process, one after the other, and their values are compared.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections import ChainMap
from pathlib import Path

import numpy as np

CLASSES, PER_CLASS, WIDTH, LEVELS = 47, 120, 512, 4  # all images of DTD, through a CLIP, with noise
ROWS = 1_000_000
CLOSE = 1e-6  # of angles, which lose half of float64's digits near 0 and pi / 2, and of all else


def features(n_classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Clusters with a spectrum that falls as those of embeddings do; rows of a class together."""
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(n_classes), PER_CLASS)
    scales = np.arange(1, WIDTH + 1) ** -0.5
    centres = rng.normal(size=(n_classes, WIDTH)) * scales
    return centres[labels] + rng.normal(size=(len(labels), WIDTH)) * scales, labels


def seconds(function, times: int = 1):
    """The least of some runs, and what the function returned."""
    found = []
    for _ in range(times):
        start = time.perf_counter()
        value = function()
        found.append(time.perf_counter() - start)
    return min(found), value


def angles(n_classes: int) -> None:
    """Full subspaces of all pairs of classes, beside a loop over scipy on 1, 2, ... threads."""
    from joblib import cpu_count
    from scipy.linalg import subspace_angles
    from threadpoolctl import threadpool_limits

    from tdafeat.geometry import class_angles

    cloud, labels = features(n_classes)
    groups = [cloud[labels == c].T for c in range(n_classes)]
    pairs = [(i, j) for i in range(n_classes) for j in range(i)]

    def ours():
        return class_angles(cloud, labels, n_components=PER_CLASS, center=False).angles

    def loop():
        return [subspace_angles(groups[i], groups[j]) for i, j in pairs]

    class_angles(cloud[: 2 * PER_CLASS], labels[: 2 * PER_CLASS])  # libraries loaded
    mine, all_pairs = seconds(ours, times=3)
    print(f"{len(pairs)} pairs|seconds|ratio\n---|---|---\nall pairs at once|{mine:.2f}|")
    for threads in (None, *range(1, cpu_count() + 1)):
        with threadpool_limits(threads):
            taken, expected = seconds(loop)
        name = "as users run it" if threads is None else f"BLAS threads: {threads}"
        print(f"loop over scipy, {name}|{taken:.1f}|{taken / mine:.1f}x", flush=True)
    apart = max(abs(all_pairs[i, j] - e).max() for (i, j), e in zip(pairs, expected, strict=True))
    print(f"\nlargest deviation {apart:.0e} rad")
    assert apart < CLOSE


def table(n_classes: int) -> None:
    """Every metric of the room, of the pooled cloud and of each class, at four levels of noise."""
    from plain_geometry import plain_table

    cloud, labels = features(n_classes)
    noise = np.random.default_rng(1).normal(size=cloud.shape) * np.std(cloud, axis=0)
    levels = [cloud + s * noise for s in np.linspace(0, 1, LEVELS)]
    few = slice(0, 2 * PER_CLASS)
    our_table([x[few] for x in levels[:2]], labels[few])  # libraries loaded
    mine, found = seconds(lambda: our_table(levels, labels), times=2)
    print(
        f"{len(cloud)} x {WIDTH} x {LEVELS}|seconds|ratio\n---|---|---\ntdafeat|{mine:.1f}|",
        flush=True,
    )
    taken, (expected, by_group) = seconds(lambda: plain_table(levels, labels))
    apart, of = compare(found, expected)
    print(f"plain script|{taken:.1f}|{taken / mine:.1f}x")
    for group, spent in by_group.items():
        print(f"of that, {group}|{spent:.1f}|")
    print(f"\n{len(expected)} values, largest relative deviation {apart:.0e} ({of})")


def our_table(levels, labels):
    """(metric, level, scope) to value; work that metrics and levels have in common done once."""
    from tdafeat.geometry.threads import over_threads
    from tdafeat.record import metrics
    from tdafeat.sharing import sharing
    from tdafeat.view import View

    chosen = [record for _, record in metrics.items() if record.room == "geometry"]
    views = [View(labels, {"features": x, "clean": levels[0]}) for x in levels]
    views[0] = View(labels, {"features": levels[0]})

    def measured(view, level, scope):
        kind = "all" if scope == "all" else "class"
        found = {}
        for record in chosen:
            if view.measurable(record, kind):
                value, _ = view.measure(record)
                found[record.name, level, scope] = getattr(value, "value", value)
        return found

    def of_class(scope):
        with sharing():
            parts = [measured(v.of_class(scope), level, scope) for level, v in enumerate(views)]
        return dict(ChainMap(*parts))

    with sharing():
        whole = over_threads(lambda k: measured(views[k], k, "all"), range(len(views)))
        classes = over_threads(of_class, np.unique(labels).tolist())
    return dict(ChainMap(*whole, *classes))


def compare(found, expected) -> tuple[float, str]:
    """Largest deviation of any value, relative where values are above 1, and of which metric."""
    assert found.keys() == expected.keys()
    apart = 0.0, ""
    for key, value in expected.items():
        own = np.asarray(found[key])
        np.testing.assert_allclose(own, value, rtol=CLOSE, atol=CLOSE, err_msg=str(key))
        off = np.max(np.abs(own - value) / np.maximum(1, np.abs(value)))
        apart = max(apart, (float(off), key[0]))
    return apart


def memory(n_rows: int) -> None:
    """Moments, what is read from them, and the sampled pairwise metrics, of a file on disk."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "features.npy"
        file = np.lib.format.open_memmap(path, "w+", np.float32, (n_rows, WIDTH))
        rng = np.random.default_rng(0)
        scales = np.arange(1, WIDTH + 1, dtype=np.float32) ** -0.5
        for start in range(0, n_rows, 50_000):
            rows = file[start : start + 50_000]
            rows[:] = rng.standard_normal(rows.shape, dtype=np.float32) * scales
        file.flush()
        del file
        # a process of its own, so that nothing of this one counts
        subprocess.run([sys.executable, __file__, "measure", "--file", str(path)], check=True)


def measure(path: str) -> None:
    """What the parts take, in seconds and megabytes above what the process held before."""
    from tdafeat import geometry

    status = Path("/proc/self/status")

    def megabytes(field: str) -> float:
        return int(status.read_text().split(field + ":")[1].split()[0]) / 1024

    cloud = np.load(path, mmap_mode="r")
    labels = np.arange(len(cloud)) % 100
    small = np.array(cloud[:2000])
    geometry.nc1(geometry.Moments.of(small, labels[:2000]))  # libraries loaded
    geometry.sampled_metrics(small, 100)
    kept = {}

    def of_moments():
        moments = kept["moments"]
        values = geometry.spectrum(moments)
        read = (geometry.power_law, geometry.effective_rank, geometry.participation_ratio)
        names = ("nc1", "nc2_equinorm", "nc2_equiangular", "etf_distance", "rankme")
        more = [getattr(geometry, name)(moments) for name in names]
        return [function(values) for function in read] + more

    parts = {
        "moments, 100 classes": lambda: kept.update(moments=geometry.Moments.of(cloud, labels)),
        "spectrum, ranks, neural collapse": of_moments,
        "the pairwise metrics, 1,000 rows asked": lambda: geometry.sampled_metrics(cloud, 1000),
    }
    print(f"{len(cloud)} x {cloud.shape[1]} float32|seconds|MB\n---|---|---")
    before = megabytes("VmRSS")
    for name, part in parts.items():
        Path("/proc/self/clear_refs").write_text("5")  # the peak starts again from here
        taken, _ = seconds(part)
        print(f"{name}|{taken:.1f}|{megabytes('VmHWM') - before:.0f}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parts = ("angles", "table", "memory")
    parser.add_argument("part", nargs="?", choices=("all", *parts, "measure"), default="all")
    parser.add_argument("--classes", type=int, default=CLASSES)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--file", help="measured by itself: what `memory` starts")
    args = parser.parse_args()
    for part in parts if args.part == "all" else [args.part]:
        {
            "angles": lambda: angles(args.classes),
            "table": lambda: table(args.classes),
            "memory": lambda: memory(args.rows),
            "measure": lambda: measure(args.file),
        }[part]()
        print()
