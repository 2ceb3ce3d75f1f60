"""The nearest of all rows to some of them, the rows met a chunk at a time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from tdafeat.checks import as_count

MOST_ASKED = 8192  # rows asked in one pass over all rows
MOST_PRODUCTS = 1 << 25  # of rows asked and rows of a chunk: 256 MB


class NearestMet:
    """The `k` rows closest to each of the rows asked, of those met so far; never itself.

    Attributes
    ----------
    closeness : (m, k) descending; minus infinity where fewer than `k` rows were met.
    rows : (m, k) int64, which rows they are.
    """

    def __init__(self, asked: np.ndarray, k: int) -> None:
        self.asked = torch.from_numpy(asked)
        self.closeness = torch.full((len(asked), k), -torch.inf, dtype=torch.float64)
        self.rows = torch.zeros((len(asked), k), dtype=torch.int64)

    def meet(self, start: int, closeness: torch.Tensor) -> None:
        """Take in (m, c), how close rows `start` to `start + c` are to each of the rows asked.

        That of a row to itself is set to minus infinity, in place.
        """
        k, width = self.rows.shape[1], closeness.shape[1]
        own = torch.nonzero((self.asked >= start) & (self.asked < start + width))[:, 0]
        closeness[own, self.asked[own] - start] = -torch.inf
        best = closeness.topk(min(k, width), dim=1)
        rows = torch.cat([self.rows, best.indices + start], dim=1)
        self.closeness, kept = torch.cat([self.closeness, best.values], dim=1).topk(k, dim=1)
        self.rows = rows.gather(1, kept)


def passes(asked: np.ndarray) -> Iterator[np.ndarray]:
    """The rows asked, so many at a time that memory grows little with their number."""
    for start in range(0, len(asked), MOST_ASKED):
        yield asked[start : start + MOST_ASKED]


def at_once(chunk: int, n_asked: int) -> int:
    """How many rows to compare with those asked at a time: `chunk`, or fewer where many ask."""
    return min(as_count(chunk, "chunk"), max(1, MOST_PRODUCTS // n_asked))


def asked_rows(
    n_samples: int, n_queries: int, rng: np.random.Generator, least: int = 2
) -> np.ndarray:
    """Rows drawn without replacement, ascending; all of them where as many are asked for."""
    n_asked = min(as_count(n_queries, "n_queries", least), n_samples)
    return np.sort(rng.choice(n_samples, n_asked, replace=False))
