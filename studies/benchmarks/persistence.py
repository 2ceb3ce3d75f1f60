"""How fast, and in how much memory, engines compute Rips persistence in degrees 0 and 1.

Every engine starts from the same float32 distance matrix (tdafeat also from the points) and runs
in a process of its own, warmed up, taking turns with the others. Rows that are done stay in the
csv file: a second call goes on where the first stopped. Run it on an otherwise idle machine:

    python studies/benchmarks/persistence.py --out rows.csv
    python studies/benchmarks/persistence.py --out rows.csv --table    # only show the rows so far
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import functools
import importlib
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

LIMIT = 120.0  # seconds a run may take
SPENT = 4.0  # seconds an engine may spend on the repetitions of a row
REPETITIONS = 25
SIZES = (100, 500, 1000, 2000, 5640)
COLUMNS = ("data", "n", "engine", "seconds", "runs", "megabytes", "status")


def embeddings(n: int) -> np.ndarray:
    """Twenty classes in 512 dimensions, whose spectra fall as those of trained encoders do."""
    rng = np.random.default_rng(0)
    scale = np.arange(1, 513) ** -0.5
    centres = rng.normal(size=(20, 512)) * scale
    points = centres[rng.integers(20, size=n)] + 0.7 * scale * rng.normal(size=(n, 512))
    return points / np.linalg.norm(points, axis=1, keepdims=True)


def uniform(n: int) -> np.ndarray:
    return np.random.default_rng(0).random((n, 3))


def torus(n: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    u, v = 2 * np.pi * rng.random((2, n))
    ring = 2 + np.cos(v)
    surface = np.column_stack([ring * np.cos(u), ring * np.sin(u), np.sin(v)])
    return surface + 0.05 * rng.normal(size=(n, 3))


def noise(n: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(n, 512))


@functools.cache
def _fashion_mnist(encoder: str) -> np.ndarray:
    from tdafeat import datasets, encoders
    from tdafeat.extraction import extract

    images = datasets.load("fashion_mnist", split="test").subset(range(max(SIZES)))
    return extract(images, encoders.load(encoder))[0].features


def pixels(n: int) -> np.ndarray:
    return _fashion_mnist("pixels")[:n]


def densenet(n: int) -> np.ndarray:
    return _fashion_mnist("densenet:fashion-mnist")[:n]


DATA: dict[str, tuple[Callable[[int], np.ndarray], tuple[int, ...]]] = {
    "embeddings, 512-d": (embeddings, SIZES),
    "Fashion-MNIST pixels": (pixels, SIZES),
    "Fashion-MNIST DenseNet": (densenet, SIZES),
    "uniform, 3-d": (uniform, SIZES),
    "noisy torus": (torus, SIZES),
    "Gaussian noise, 512-d": (noise, (100, 300, 500, 1000, 2000)),
}


def engine(name: str, points: np.ndarray, prototype: Path | None) -> Callable[[], Any]:
    """One run of this engine on the cloud, ready to be timed."""
    from tdafeat import persistence
    from tdafeat.topology.points import point_metrics

    if name == "tdafeat, from points":
        return lambda: persistence(points, engine="tdafeat", n_jobs=2)
    metric = point_metrics["euclidean"]
    distances = metric.pairwise(metric.prepare(points))
    if name == "tdafeat":
        return lambda: persistence(distances, metric="precomputed", engine="tdafeat", n_jobs=2)
    if name == "ripser":
        from ripser import ripser

        return lambda: ripser(distances, maxdim=1, distance_matrix=True)
    if name == "giotto-ph":
        from gph import ripser_parallel

        return lambda: ripser_parallel(distances, maxdim=1, metric="precomputed", n_threads=2)
    assert prototype is not None
    sys.path.insert(0, str(prototype.parent))
    module = importlib.import_module(prototype.stem)
    return lambda: module.rips(distances, threads=2)


def _status(field: str) -> float:
    """A field of /proc/self/status, in megabytes; NaN where there is none."""
    with contextlib.suppress(OSError), open("/proc/self/status") as file:
        for line in file:
            if line.startswith(field):
                return float(line.split()[1]) * 1024 / 1e6
    return float("nan")


def _work(
    orders: Connection, name: str, points_file: str, warm_file: str, prototype: Path | None
) -> None:
    """In a process of its own: warm up, then run once per order and tell seconds and megabytes."""
    engine(name, np.load(warm_file), prototype)()
    run = engine(name, np.load(points_file), prototype)
    orders.send("ready")
    while orders.recv() == "run":
        with contextlib.suppress(OSError), open("/proc/self/clear_refs", "w") as file:
            file.write("5")  # the peak begins anew
        before, start = _status("VmRSS"), time.perf_counter()
        run()
        orders.send((time.perf_counter() - start, _status("VmHWM") - before))


def measure(
    names: list[str], points: np.ndarray, warm: np.ndarray, prototype: Path | None, most: int
) -> Iterator[dict[str, Any]]:
    """Every engine on one cloud, taking turns; one over the limit is stopped."""
    context = multiprocessing.get_context("spawn")
    done: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
    status = dict.fromkeys(names, "ok")
    with tempfile.TemporaryDirectory() as folder:
        files = [f"{folder}/points.npy", f"{folder}/warm.npy"]
        np.save(files[0], points)
        np.save(files[1], warm)
        workers = {}
        for name in names:
            ours, theirs = context.Pipe()
            process = context.Process(
                target=_work, args=(theirs, name, *files, prototype), daemon=True
            )
            process.start()
            theirs.close()
            workers[name] = ours, process
            if not ours.poll(LIMIT):
                raise TimeoutError(f"{name} was not ready after {LIMIT:.0f} s")
            ours.recv()
        for _ in range(most):
            for name, (orders, process) in workers.items():
                spent = sum(seconds for seconds, _ in done[name])
                if status[name] != "ok" or (
                    done[name] and spent * (1 + 1 / len(done[name])) > SPENT
                ):
                    continue
                orders.send("run")
                if orders.poll(LIMIT):
                    try:
                        done[name].append(orders.recv())
                    except EOFError:  # the kernel stopped it
                        status[name] = "out of memory"
                else:
                    status[name] = f"over {LIMIT:.0f} s"
                    process.kill()
        for orders, process in workers.values():
            with contextlib.suppress(OSError):
                orders.send("stop")
            process.join()
    for name in names:
        runs = done[name]
        yield {
            "engine": name,
            "seconds": f"{statistics.median(s for s, _ in runs):.5f}" if runs else "",
            "runs": len(runs),
            "megabytes": f"{max(m for _, m in runs):.1f}" if runs else "",
            "status": status[name],
        }


def read(file: Path) -> list[dict[str, str]]:
    if not file.exists():
        return []
    with file.open(newline="") as rows:
        return list(csv.DictReader(rows))


def table(rows: list[dict[str, str]]) -> str:
    """Markdown: seconds, ratios to tdafeat from the same matrix, megabytes beyond the input."""
    names = list(dict.fromkeys(row["engine"] for row in rows))
    lines = ["| data | n | " + " | ".join(names) + " |", "|---|---" + "|---" * len(names) + "|"]
    for data, n in dict.fromkeys((row["data"], row["n"]) for row in rows):
        cell = {r["engine"]: r for r in rows if (r["data"], r["n"]) == (data, n)}
        own = cell.get("tdafeat", {}).get("seconds")
        texts = []
        for name in names:
            row = cell.get(name)
            if row is None:
                texts.append("")
            elif not row["seconds"]:
                texts.append(row["status"])
            else:
                seconds = float(row["seconds"])
                ratio = (
                    ""
                    if not own or name.startswith("tdafeat")
                    else f" ({seconds / float(own):.3g}x)"
                )
                texts.append(f"{seconds:.3g} s{ratio}, {float(row['megabytes']):.3g} MB")
        lines.append(f"| {data} | {n} | " + " | ".join(texts) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--out", type=Path, default=Path("persistence.csv"), help="rows that are done"
    )
    parser.add_argument("--prototype", type=Path, help="a file with rips(distances, threads=2)")
    parser.add_argument("--only", action="append", help="data or engines with this in their name")
    parser.add_argument("--sizes", help="numbers of points, such as 100,2000")
    parser.add_argument("--quick", action="store_true", help="500 points at most, three runs each")
    parser.add_argument("--table", action="store_true", help="only print the rows that are done")
    options = parser.parse_args()
    rows = read(options.out)
    names = ["tdafeat", "tdafeat, from points", "giotto-ph", "ripser"]
    names += ["prototype"] if options.prototype else []
    only = options.only or [""]
    chosen_data = [d for d in DATA if any(word in d for word in only)] or list(DATA)
    chosen = [name for name in names if any(word in name for word in only)] or names
    if "TDAFEAT_DATA" not in os.environ:
        chosen_data = [name for name in chosen_data if "Fashion" not in name]
        print("Fashion-MNIST is left out: TDAFEAT_DATA names no folder", file=sys.stderr)
    wanted = [int(n) for n in options.sizes.split(",")] if options.sizes else None
    cells = sorted((n, data) for data in chosen_data for n in wanted or DATA[data][1])
    if options.quick:
        cells = [(n, data) for n, data in cells if n <= 500]
    for n, data in [] if options.table else cells:  # the quick ones first
        here = {row["engine"] for row in rows if (row["data"], row["n"]) == (data, str(n))}
        over = {row["engine"] for row in rows if row["data"] == data and row["status"] != "ok"}
        left = [name for name in chosen if name not in here | over]
        if not left:
            continue
        points = DATA[data][0](n)
        most = 3 if options.quick else REPETITIONS
        with options.out.open("a", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS)
            if not rows:
                writer.writeheader()
            for row in measure(left, points, points[:100], options.prototype, most):
                rows.append({"data": data, "n": str(n), **row})
                writer.writerow(rows[-1])
                print(*rows[-1].values(), sep="\t", file=sys.stderr, flush=True)
    rows.sort(key=lambda row: (list(DATA).index(row["data"]), int(row["n"])))
    print(table(rows))


if __name__ == "__main__":
    main()
