"""Oracles and clouds the topology tests share."""

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
