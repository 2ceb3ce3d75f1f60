"""Oracles and clouds the topology tests share."""

import subprocess
import sys
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from scipy.stats import kstest


def _ground(difference, internal_p):
    return float(np.linalg.norm(difference, ord=internal_p))


def _to_diagonal(bar, internal_p):
    middle = (bar[0] + bar[1]) / 2
    return _ground(np.array([middle - bar[0], bar[1] - middle]), internal_p)


def _matchings(a, b, internal_p) -> Iterator[list[float]]:
    if len(a) == 0:
        yield [_to_diagonal(bar, internal_p) for bar in b]
        return
    for costs in _matchings(a[1:], b, internal_p):
        yield [_to_diagonal(a[0], internal_p), *costs]
    for j in range(len(b)):
        for costs in _matchings(a[1:], np.delete(b, j, axis=0), internal_p):
            yield [_ground(a[0] - b[j], internal_p), *costs]


@pytest.fixture(scope="session")
def matchings() -> Callable[..., Iterator[list[float]]]:
    """Costs of the pairs of every partial matching of two finite diagrams, by enumeration."""
    return _matchings


@pytest.fixture(scope="session")
def costs_of() -> Callable[..., np.ndarray]:
    """(a, b, pairs, internal_p) -> cost of every row of a matching; each bar must be in one."""

    def costs(a, b, pairs, internal_p):
        for column, diagram in zip(pairs.T, (a, b), strict=True):
            assert sorted(column[column >= 0]) == list(range(len(diagram)))
        assert (pairs >= 0).any(axis=1).all()
        of_pairs = []
        for i, j in pairs:
            if i < 0 or j < 0:
                of_pairs.append(_to_diagonal(a[i] if j < 0 else b[j], internal_p))
            elif np.isinf(a[i, 1]) or np.isinf(b[j, 1]):
                assert a[i, 1] == b[j, 1]
                of_pairs.append(abs(a[i, 0] - b[j, 0]))
            else:
                of_pairs.append(_ground(a[i] - b[j], internal_p))
        return np.array(of_pairs)

    return costs


@pytest.fixture(scope="session")
def random_diagram() -> Callable[..., np.ndarray]:
    """(generator, n, births) -> n finite bars; births "spread" or "zero"; ties now and then."""

    def make(rng, n, births="spread"):
        digits = int(rng.integers(1, 9))
        birth = rng.random(n).round(digits) if births == "spread" else np.zeros(n)
        return np.column_stack([birth, birth + rng.exponential(0.3, n).round(digits)])

    return make


@pytest.fixture(scope="session")
def circle() -> np.ndarray:
    """Thirty points evenly on the unit circle."""
    angles = np.linspace(0, 2 * np.pi, 30, endpoint=False)
    return np.column_stack([np.cos(angles), np.sin(angles)])


@pytest.fixture(scope="session")
def check_null() -> Callable[[Callable[[int], float], int, int], None]:
    """(seed -> p under the null, runs, permutations): are the p-values uniform, and never low?"""

    def check(p_of: Callable[[int], float], runs: int, n_permutations: int) -> None:
        p = np.array([p_of(seed) for seed in range(runs)])
        jitter = np.random.default_rng(0).uniform(size=runs) / (n_permutations + 1)  # p has steps
        assert kstest(p - jitter, "uniform").pvalue > 0.01
        assert np.mean(p <= 0.05) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / runs)

    return check


_PEAK = """
def status(field):
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith(field))

open("/proc/self/clear_refs", "w").write("5")  # the peak begins anew
before = status("VmRSS")
{work}
print(status("VmHWM") - before)
"""


@pytest.fixture(scope="session")
def peak_of() -> Callable[..., float]:
    """(prepared, work, *arguments) -> bytes by which `work`, code, raises the peak of a process."""
    if not sys.platform.startswith("linux"):
        pytest.skip("asks /proc for its memory")

    def peak(prepared: str, work: str, *arguments: str) -> float:
        code = prepared + _PEAK.format(work=work)
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments], capture_output=True, check=True
        )
        return float(done.stdout)

    return peak
