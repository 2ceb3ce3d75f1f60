"""How fast are the distances between persistence diagrams, beside other libraries'?

Every cell is one pair of diagrams: of an embedding-like cloud and of a second one of as many
points. Ours and a peer run in turns in one process; the table shows medians, how often the
peer's time ours fits into, the memory each adds at its peak, and how far the results are apart.

    python studies/benchmarks/distances.py            # minutes; finished cells are kept
    python studies/benchmarks/distances.py --quick    # small clouds only
    python studies/benchmarks/distances.py --only "bottleneck H1"
"""

import argparse
import csv
import itertools
import math
import multiprocessing
import statistics
import time
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

SIZES = (60, 120, 500, 1000, 2000, 5640)
CLASSES, LEVELS, PER_CLASS = 47, 4, 40  # the test part of DTD at four noise levels
LIMIT = 20.0  # seconds for a peer's first run
SECONDS = 0.5  # of alternated runs, once both have run
SLOW = 2.0  # seconds of a first run that is not repeated
FIELDS = ("cell", "points", "peer", "ours_s", "peer_s", "ours_mb", "peer_mb", "deviation", "status")


class Distance(NamedTuple):
    """One distance in one degree: a table of its own."""

    degree: int
    order: float  # inf is bottleneck
    internal_p: float = math.inf

    def __str__(self) -> str:
        if self.order == math.inf:
            return f"bottleneck H{self.degree}"
        return f"W{self.order:g}, L{self.internal_p:g}, H{self.degree}"


DISTANCES = [
    *(Distance(degree, math.inf) for degree in (0, 1)),
    *(Distance(k, p, q) for k in (0, 1) for p in (1.0, 2.0) for q in (math.inf, 2.0)),
]


def embedding_cloud(n: int, seed: int) -> np.ndarray:
    """`(n, 512)`: clusters of a latent space of 24 decaying dimensions, bent, with some noise."""
    rng = np.random.default_rng([n, seed])
    centres = rng.normal(size=(max(1, n // 40), 24))
    spread = 0.6 / np.sqrt(np.arange(1, 25))
    latent = centres[rng.integers(len(centres), size=n)] + spread * rng.normal(size=(n, 24))
    weights = np.random.default_rng(99).normal(size=(24, 512)) / np.sqrt(24)
    return np.tanh(latent @ weights) + 0.02 * rng.normal(size=(n, 512))


def diagrams(cloud: np.ndarray) -> list[np.ndarray]:
    """H0 and H1, finite bars only: not every peer knows essential ones."""
    from tdafeat import persistence

    return [bars[np.isfinite(bars[:, 1])] for bars in persistence(cloud, n_jobs=2)]


def pair_of_clouds(n: int, folder: Path) -> list[list[np.ndarray]]:
    """Diagrams of two clouds of n points, kept in a file: [cloud][degree]."""
    kept = folder / f"diagrams-{n}.npz"
    if not kept.exists():
        both = {
            f"{s}-{k}": d for s in (1, 2) for k, d in enumerate(diagrams(embedding_cloud(n, s)))
        }
        np.savez(kept, **both)
    with np.load(kept) as arrays:
        return [[arrays[f"{s}-{k}"] for k in (0, 1)] for s in (1, 2)]


# Each peer's way to compute a distance, or None where it has none.


def ours(distance: Distance):
    from tdafeat import bottleneck, wasserstein

    if distance.order == math.inf:
        return bottleneck
    return lambda a, b: wasserstein(a, b, distance.order, distance.internal_p)


def persim(distance: Distance):
    import persim

    if distance.order == math.inf:
        return persim.bottleneck
    return persim.wasserstein if distance[1:] == (1.0, 2.0) else None


def gudhi(distance: Distance):
    import gudhi

    return gudhi.bottleneck_distance if distance.order == math.inf else None


def gudhi_e_0(distance: Distance):
    import gudhi

    return partial(gudhi.bottleneck_distance, e=0) if distance.order == math.inf else None


def hera(distance: Distance, delta: float):
    from gudhi import hera

    if distance.order == math.inf:
        return (lambda a, b: hera.bottleneck_distance(a, b, delta=0)) if delta == 0 else None
    options = {"order": distance.order, "internal_p": distance.internal_p}
    # Of Wasserstein distances hera is never exact: a relative error of 1e-9 stands in.
    return lambda a, b: hera.wasserstein_distance(a, b, **options, delta=delta or 1e-9)


def hera_exact(distance: Distance):
    return hera(distance, 0)


def hera_1_percent(distance: Distance):
    return hera(distance, 0.01)


def pot(distance: Distance):
    from gudhi.wasserstein import wasserstein_distance

    if distance.order == math.inf:
        return None
    options = {"order": distance.order, "internal_p": distance.internal_p}
    return lambda a, b: wasserstein_distance(a, b, **options)


def giotto_tda(distance: Distance):
    from gtda.externals import bottleneck_distance, wasserstein_distance

    if distance.order == math.inf:
        return lambda a, b: bottleneck_distance(a, b, 0.0)
    if distance.internal_p != math.inf:
        return None
    return lambda a, b: wasserstein_distance(a, b, q=distance.order, delta=0.01)


PEERS = {
    "hera 1 %": hera_1_percent,
    "hera exact": hera_exact,
    "GUDHI": gudhi,
    "GUDHI, e = 0": gudhi_e_0,
    "POT": pot,
    "persim": persim,
    "giotto-tda": giotto_tda,
}


# A peer lives in a process of its own, which is ended when it takes too long.


def first_run(function, *arguments) -> tuple[float, float, float]:
    """Value, seconds, and megabytes added to the resident memory at its peak (Linux)."""
    status = Path("/proc/self/status")
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts again from here

    def kilobytes(field: str) -> int:
        return int(status.read_text().split(field + ":")[1].split()[0])

    before, start = kilobytes("VmRSS"), time.perf_counter()
    value = function(*arguments)
    return value, time.perf_counter() - start, (kilobytes("VmHWM") - before) / 1024


def seconds(function, *arguments) -> float:
    start = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - start


def serve(peer: str, connection) -> None:
    tiny = np.array([[0.0, 1.0], [0.5, 2.0], [0.0, 3.0]]), np.array([[0.0, 2.0], [0.7, 1.0]])
    while True:
        distance, a, b = connection.recv()
        mine, other = ours(distance), PEERS[peer](distance)
        if other is None:
            connection.send(None)
            continue
        for function in (mine, other):  # kernels and libraries loaded, before anything counts
            function(*tiny)
            function(tiny[0][[0, 2]], tiny[0][[0, 0]])
        connection.send("ready")
        expected, _, mine_mb = first_run(mine, a, b)
        value, first_s, other_mb = first_run(other, a, b)
        connection.send("in time")
        times: tuple[list[float], list[float]] = ([], [first_s] if first_s > SLOW else [])
        start = time.perf_counter()
        while len(times[0]) < 3 or (time.perf_counter() - start < SECONDS and len(times[0]) < 99):
            times[0].append(seconds(mine, a, b))
            if first_s <= SLOW:
                times[1].append(seconds(other, a, b))
        deviation = abs(value - expected) / expected if expected else abs(value)
        connection.send((*map(statistics.median, times), mine_mb, other_mb, deviation))


class Worker:
    """The process of a peer, started anew after it had to be ended."""

    def __init__(self, peer: str) -> None:
        self.peer = peer
        self.process = None

    def run(self, distance: Distance, a: np.ndarray, b: np.ndarray):
        """Row of results; "over the limit", or None where the peer has no such distance."""
        context = multiprocessing.get_context("spawn")
        if self.process is None:
            self.connection, theirs = context.Pipe()
            self.process = context.Process(target=serve, args=(self.peer, theirs), daemon=True)
            self.process.start()
        self.connection.send((distance, a, b))
        if self.connection.recv() is None:
            return None
        if not self.connection.poll(LIMIT):
            self.stop()
            return "over the limit"
        self.connection.recv()
        return self.connection.recv()

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process = None


def measure_pairs(sizes, only: str, folder: Path, keep) -> None:
    """Every distance at every size against every peer; a peer over the limit is asked no more."""
    done = {(row["cell"], row["points"], row["peer"]): row["status"] for row in keep.rows}
    for peer in PEERS:
        worker = Worker(peer)
        for distance in DISTANCES:
            if only not in str(distance):
                continue
            for n in sizes:
                status = done.get((str(distance), str(n), peer))
                if status is None:
                    first, second = pair_of_clouds(n, folder)
                    result = worker.run(distance, first[distance.degree], second[distance.degree])
                    if result is None:
                        break
                    status = "ok" if isinstance(result, tuple) else result
                    numbers = result if status == "ok" else ("",) * 5
                    keep(str(distance), n, peer, *numbers, status)
                if status != "ok":
                    break
        worker.stop()


def measure_all_pairs(classes: int, per_class: int, keep) -> None:
    """Tables of all pairs of class diagrams, against a loop over persim on a sample of pairs."""
    import persim

    from tdafeat import distance_matrix

    rng = np.random.default_rng(0)
    clouds = [
        embedding_cloud(per_class, seed) + level * 0.1 * rng.normal(size=(per_class, 512))
        for seed in range(classes)
        for level in range(LEVELS)
    ]
    of_all = [diagrams(cloud) for cloud in clouds]
    pairs = list(itertools.combinations(range(len(clouds)), 2))
    sample = [pairs[i] for i in rng.choice(len(pairs), size=min(200, len(pairs)), replace=False)]
    done = {row["cell"] for row in keep.rows}
    for degree, name in itertools.product((0, 1), ("wasserstein", "bottleneck")):
        cell = f"all pairs, {name} H{degree}"
        if cell in done:
            continue
        bars = [each[degree] for each in of_all]
        # persim knows one Wasserstein distance: order 1 over the Euclidean ground norm.
        options = {"internal_p": 2.0} if name == "wasserstein" else {}
        all_pairs = partial(distance_matrix, bars, distance=name, **options)
        table = all_pairs()
        mine = statistics.median(seconds(all_pairs) for _ in range(3))
        loop = getattr(persim, name)
        start = time.perf_counter()
        values = [loop(bars[i], bars[j]) for i, j in sample]
        theirs = (time.perf_counter() - start) * len(pairs) / len(sample)
        deviation = max(abs(table[i, j] - v) / v for (i, j), v in zip(sample, values, strict=True))
        keep(cell, len(clouds), "persim", mine, theirs, "", "", deviation, "sampled")


class Keep:
    """Rows of the csv: those of earlier runs, and each new one as soon as it is there."""

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.exists():
            path.write_text(",".join(FIELDS) + "\n")
        with path.open(newline="") as file:
            self.rows = list(csv.DictReader(file))

    def __call__(self, *values) -> None:
        row = dict(zip(FIELDS, map(str, values), strict=True))
        self.rows.append(row)
        with self.path.open("a", newline="") as file:
            csv.DictWriter(file, FIELDS).writerow(row)
        print(", ".join(row.values()), flush=True)


def digits(value: float) -> str:
    """Three digits, or all before the point."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def milliseconds(value: str | float) -> str:
    return digits(1e3 * float(value))


def markdown(rows: list[dict[str, str]]) -> str:
    """A table for each distance, one row for each size, and one of all pairs."""
    lines = []
    for distance in map(str, DISTANCES):
        mine = [row for row in rows if row["cell"] == distance]
        peers = [peer for peer in PEERS if any(row["peer"] == peer for row in mine)]
        if not mine:
            continue
        header = ("points", "ours", *peers, "ours, MB", "least peer, MB", "deviation")
        lines += [f"\n**{distance}**\n", "|".join(header), "|".join("---" for _ in header)]
        for n in sorted({int(row["points"]) for row in mine}):
            cells = {row["peer"]: row for row in mine if row["points"] == str(n)}
            ok = [row for row in cells.values() if row["status"] == "ok"]
            exact = [
                float(r["deviation"]) for r in ok if r["peer"] not in ("hera 1 %", "giotto-tda")
            ]
            if not ok:
                continue
            lines.append(
                "|".join(
                    (
                        str(n),
                        milliseconds(statistics.median(float(row["ours_s"]) for row in ok)),
                        *(_peer(cells.get(peer)) for peer in peers),
                        f"{max(float(row['ours_mb']) for row in ok):.1f}",
                        f"{max(0.0, min(float(row['peer_mb']) for row in ok)):.1f}",
                        f"{max(exact):.0e}" if exact else "",
                    )
                )
            )
    everything = [row for row in rows if row["cell"].startswith("all pairs")]
    if everything:
        header = ("all pairs", "diagrams", "ours, s", "persim loop, s", "ratio", "deviation")
        lines += ["", "|".join(header), "|".join("---" for _ in header)]
    for row in everything:
        mine, theirs = float(row["ours_s"]), float(row["peer_s"])
        name = row["cell"].removeprefix("all pairs, ")
        numbers = f"{mine:.3g}|{theirs:.3g}|{theirs / mine:.0f}"
        lines.append(f"{name}|{row['points']}|{numbers}|{float(row['deviation']):.0e}")
    return "\n".join(lines)


def _peer(row: dict[str, str] | None) -> str:
    if row is None:
        return "-"
    if row["status"] != "ok":
        return f"> {LIMIT:.0f} s"
    return f"{milliseconds(row['peer_s'])} ({digits(float(row['peer_s']) / float(row['ours_s']))}x)"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="small clouds and few classes only")
    parser.add_argument("--only", default="", help='part of a distance\'s name, or "all pairs"')
    parser.add_argument("--per-class", type=int, default=PER_CLASS, help="points of all pairs")
    parser.add_argument("--out", type=Path, default=Path("data/benchmarks"))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    keep = Keep(options.out / ("distances-quick.csv" if options.quick else "distances.csv"))
    if options.only != "all pairs":
        sizes = SIZES[:2] if options.quick else SIZES
        measure_pairs(sizes, options.only, options.out, keep)
    if options.only in ("", "all pairs"):
        measure_all_pairs(3 if options.quick else CLASSES, options.per_class, keep)
    print(markdown(keep.rows))


if __name__ == "__main__":
    main()
