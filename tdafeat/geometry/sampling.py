"""Pairwise quantities of clouds too large for all pairs, from some rows against all others.

The rows asked are drawn at random; what each of them answers is exact. What remains is the error
of having asked some rows and not all, and it is stated.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from tdafeat.checks import as_cloud
from tdafeat.geometry.dimension import inverse_dimensions, log_ratios, two_nn_dimension
from tdafeat.geometry.directions import unit_rows
from tdafeat.geometry.moments import CHUNK, chunks
from tdafeat.geometry.uniformity import SMALLEST_DISTANCE
from tdafeat.record import Estimate

N_NEIGHBOURS = 20  # Levina-Bickel's k
N_BOOT = 200
_NORMAL_95 = 1.959963984540054


def sampled_metrics(
    features: Any, n_queries: int = 1000, random_state: int = 0, chunk: int = CHUNK
) -> dict[str, Estimate]:
    """The pairwise metrics of a large cloud, from `n_queries` of its rows against all rows.

    Parameters
    ----------
    features : (n, D) array-like, torch tensor or numpy memory map, of which `chunk` rows are in
        memory at a time; more than 20 rows.
    n_queries : rows drawn without replacement; all of them from n on, and then the values are
        those of the metrics themselves.
    random_state : seed of the draw.

    Returns
    -------
    ``koleo``, ``uniformity``, ``mean_cosine``, ``nearest_neighbour_distance``, ``two_nn`` and
    ``levina_bickel``, each with a 95 % interval for the metric of the whole cloud: its standard
    error is a bootstrap's over the rows asked, made smaller by the share of all rows that they
    are. The mean cosine is exact, and its interval empty. What depends on the number of rows, as
    KoLeo does, is the value at n rows, not at `n_queries`.

    Raises
    ------
    ValueError for fewer than 21 rows, a row that is not finite or all zeros, or `n_queries`
    below 2.

    Examples
    --------
    >>> cloud = np.random.default_rng(0).normal(size=(3000, 5))
    >>> estimate = sampled_metrics(cloud, n_queries=300)["levina_bickel"]
    >>> bool(estimate.low < 5 < estimate.high)
    True
    """
    n_samples = len(features)
    if n_samples <= N_NEIGHBOURS:
        raise ValueError(f"features must have more than {N_NEIGHBOURS} rows; got {n_samples}")
    if n_queries < 2:
        raise ValueError(f"n_queries must be at least 2; got {n_queries}")
    rng = np.random.default_rng(random_state)
    asked = np.sort(rng.choice(n_samples, min(n_queries, n_samples), replace=False))
    answers = _Answers(features, asked)
    for start, rows in chunks(features, chunk):
        answers.meet(start, rows)
    distances = _distances(features, asked, answers.nearest)
    on_sphere = _distances(features, asked, answers.most_alike[:, None], unit=True)[:, 0]

    drawn = rng.integers(len(asked), size=(N_BOOT, len(asked)))
    smaller = np.sqrt(1 - len(asked) / n_samples)

    def estimate(statistic: Callable[[np.ndarray], float], values: np.ndarray) -> Estimate:
        value = statistic(values)
        error = smaller * np.std([statistic(values[rows]) for rows in drawn], ddof=1)
        return Estimate(value, value - _NORMAL_95 * error, value + _NORMAL_95 * error)

    cosine = answers.mean_cosine()
    return {
        "koleo": estimate(_koleo, on_sphere),
        "uniformity": estimate(lambda v: float(np.log(v.mean())), answers.kernel_means()),
        "mean_cosine": Estimate(cosine, cosine, cosine),
        "nearest_neighbour_distance": estimate(lambda v: float(np.median(v)), distances[:, 0]),
        "two_nn": estimate(lambda v: two_nn_dimension(log_ratios(v)[1]), distances),
        "levina_bickel": estimate(_levina_bickel, distances),
    }


def _koleo(nearest: np.ndarray) -> float:
    return float(-np.log(np.maximum(nearest, SMALLEST_DISTANCE)).mean())


def _levina_bickel(distances: np.ndarray) -> float:
    told, inverse = inverse_dimensions(distances)
    return float(1 / inverse[told].mean()) if inverse.any() else float("nan")


class _Answers:
    """What the rows asked have learnt from the chunks they met so far."""

    def __init__(self, features: Any, asked: np.ndarray) -> None:
        self.asked = torch.from_numpy(asked)
        raw = _taken(features, asked)
        self.origin = raw[0]  # the expansion of the distance loses digits to a common offset
        self.queries = raw - self.origin
        self.directions = torch.from_numpy(unit_rows(raw))
        m = len(asked)
        self.closeness = torch.full((m, N_NEIGHBOURS), -torch.inf, dtype=raw.dtype)
        self.nearest = torch.zeros((m, N_NEIGHBOURS), dtype=torch.int64)
        self.cosine = torch.full((m,), -torch.inf, dtype=raw.dtype)
        self.most_alike = torch.zeros(m, dtype=torch.int64)
        self.kernel = torch.zeros(m, dtype=raw.dtype)
        self.sum = torch.zeros(raw.shape[1], dtype=raw.dtype)
        self.n = 0

    def meet(self, start: int, rows: torch.Tensor) -> None:
        """Compare the rows asked with a chunk whose first row is `start`."""
        own = torch.nonzero((self.asked >= start) & (self.asked < start + len(rows)))[:, 0]
        place = self.asked[own] - start

        moved = rows - self.origin
        closeness = 2 * self.queries @ moved.T - moved.square().sum(1)
        closeness[own, place] = -torch.inf
        best = closeness.topk(min(N_NEIGHBOURS, len(rows)), dim=1)
        both = torch.cat([self.closeness, best.values], dim=1)
        names = torch.cat([self.nearest, best.indices + start], dim=1)
        self.closeness, kept = both.topk(N_NEIGHBOURS, dim=1)
        self.nearest = names.gather(1, kept)

        units = torch.from_numpy(unit_rows(rows, f"features[{start}:{start + len(rows)}]"))
        cosines = (self.directions @ units.T).clamp(-1, 1)
        cosines[own, place] = -torch.inf  # adds nothing to the kernel
        self.kernel += torch.exp(4 * cosines - 4).sum(1)  # |x - y|^2 = 2 - 2 cos
        best_cosine, where = cosines.max(1)
        better = best_cosine > self.cosine
        self.cosine = torch.where(better, best_cosine, self.cosine)
        self.most_alike = torch.where(better, where + start, self.most_alike)
        self.sum += units.sum(0)
        self.n += len(rows)

    def kernel_means(self) -> np.ndarray:
        """(m,) mean of exp(-2 |x - y|^2) of each row asked with all others."""
        return self.kernel.numpy() / (self.n - 1)

    def mean_cosine(self) -> float:
        """Over all pairs of the rows met."""
        return float((self.sum.square().sum() - self.n) / (self.n * (self.n - 1)))


def _distances(
    features: Any, asked: np.ndarray, others: torch.Tensor, unit: bool = False
) -> np.ndarray:
    """Distances (m, k), ascending, of the rows asked to the k others of each, from differences."""

    def read(rows: np.ndarray) -> torch.Tensor:
        taken = _taken(features, rows)
        return torch.from_numpy(unit_rows(taken)) if unit else taken

    own = read(asked)
    columns = [(own - read(column)).norm(dim=1) for column in others.T.numpy()]
    return torch.stack(columns, dim=1).sort(dim=1).values.numpy()


def _taken(features: Any, rows: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.array(as_cloud(features[rows])))
