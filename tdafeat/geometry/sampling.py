"""Pairwise quantities of clouds too large for all pairs, from some rows against all others.

The rows asked are drawn at random; what each of them answers is exact. What remains is the error
of having asked some rows and not all, and it is stated.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from tdafeat.checks import as_generator, as_rows
from tdafeat.directions import unit_rows
from tdafeat.geometry.dimension import inverse_dimensions, log_ratios, two_nn_dimension
from tdafeat.geometry.jackknife import jackknife
from tdafeat.geometry.moments import CHUNK, chunks
from tdafeat.geometry.streamed import NearestMet, asked_rows, at_once, taken
from tdafeat.geometry.uniformity import SMALLEST_DISTANCE, mean_cosine_of
from tdafeat.record import Z95, Estimate

N_NEIGHBOURS = 20  # Levina-Bickel's k
N_CHOICES = 10  # hubness's k
N_TRIPLES = 30  # of rows asked that name the same row, without which hubness is not told
N_BOOT = 200


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
    ``koleo``, ``uniformity``, ``mean_cosine``, ``nearest_neighbour_distance`` (the median) and its
    quantiles ``nearest_neighbour_q10`` and ``nearest_neighbour_q90``, ``two_nn``,
    ``levina_bickel`` and ``hubness``, each with a 95 % interval for the metric of the whole cloud:
    its standard error is a bootstrap's over the rows asked (hubness: a jackknife's), made smaller
    by the share of all rows that they are. The mean cosine is exact, and its interval empty. What
    depends on the number of rows, as KoLeo does, is the value at n rows, not at `n_queries`.

    Hubness rests on rows that three of the rows asked have among their ten nearest: it takes about
    0.6 n^(2/3) queries, 6,000 of 1,000,000 rows, and is NaN below. TwoNN is NaN of fewer than 20.

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
    features = as_rows(features)
    n_samples = len(features)
    if n_samples <= N_NEIGHBOURS:
        raise ValueError(f"features must have more than {N_NEIGHBOURS} rows; got {n_samples}")
    rng = as_generator(random_state)
    asked = asked_rows(n_samples, n_queries, rng)
    answers = _Answers(features, asked)
    for start, rows in chunks(features, at_once(chunk, len(asked))):
        answers.meet(start, rows)
    distances = _distances(features, asked, answers.near.rows)
    on_sphere = _distances(features, asked, answers.alike.rows, unit=True)[:, 0]

    drawn = rng.integers(len(asked), size=(N_BOOT, len(asked)))
    smaller = np.sqrt(1 - len(asked) / n_samples)

    def estimate(statistic: Callable[[np.ndarray], float], values: np.ndarray) -> Estimate:
        value = statistic(values)
        error = smaller * np.std([statistic(values[rows]) for rows in drawn], ddof=1)
        return Estimate(value, value - Z95 * error, value + Z95 * error)

    cosine = answers.mean_cosine()
    named = answers.near.rows[:, :N_CHOICES].numpy()
    return {
        "koleo": estimate(_koleo, on_sphere),
        "uniformity": estimate(lambda v: float(np.log(v.mean())), answers.kernel_means()),
        "mean_cosine": Estimate(cosine, cosine, cosine),
        "nearest_neighbour_distance": estimate(lambda v: float(np.median(v)), distances[:, 0]),
        "nearest_neighbour_q10": estimate(lambda v: float(np.quantile(v, 0.1)), distances[:, 0]),
        "nearest_neighbour_q90": estimate(lambda v: float(np.quantile(v, 0.9)), distances[:, 0]),
        "two_nn": estimate(lambda v: two_nn_dimension(log_ratios(v)[1]), distances),
        "levina_bickel": estimate(_levina_bickel, distances),
        "hubness": jackknife(lambda m: _hubness(named[m], n_samples), len(asked), n_samples, rng),
    }


def _koleo(nearest: np.ndarray) -> float:
    return float(-np.log(np.maximum(nearest, SMALLEST_DISTANCE)).mean())


def _levina_bickel(distances: np.ndarray) -> float:
    told, inverse = inverse_dimensions(distances)
    return float(1 / inverse[told].mean()) if inverse.any() else float("nan")


def _hubness(named: np.ndarray, n_samples: int) -> float:
    """Skewness of how often a row is named by all rows, from those that the rows asked name.

    Of the N rows that name a row, the number S among the rows asked is hypergeometric, so the mean
    of S (S - 1) (S - 2) tells that of N (N - 1) (N - 2) without bias.
    """
    n_asked = len(named)
    if n_asked < n_samples and (n_asked * N_CHOICES) ** 3 < 6 * N_TRIPLES * n_samples**2:
        return float("nan")
    _, times = np.unique(named, return_counts=True)
    falling, share, moments = np.ones(len(times)), 1.0, []
    for order in range(3):
        falling = falling * (times - order)
        share *= (n_samples - order) / (n_asked - order)
        moments.append(falling.sum() * share / n_samples)
    mean, pairs, triples = moments
    variance = pairs + mean - mean**2
    third = triples + 3 * pairs + mean - 3 * mean * (pairs + mean) + 2 * mean**3
    return float(third / variance**1.5) if variance > 1e-9 else float("nan")


class _Answers:
    """What the rows asked have learnt from the chunks they met so far."""

    def __init__(self, features: Any, asked: np.ndarray) -> None:
        raw = taken(features, asked)
        self.origin = raw[0]  # the expansion of the distance loses digits to a common offset
        self.queries = raw - self.origin
        self.directions = torch.from_numpy(unit_rows(raw))
        self.near, self.alike = NearestMet(asked, N_NEIGHBOURS), NearestMet(asked, 1)
        self.kernel = torch.zeros(len(asked), dtype=raw.dtype)
        self.sum = torch.zeros(raw.shape[1], dtype=raw.dtype)
        self.n = 0

    def meet(self, start: int, rows: torch.Tensor) -> None:
        """Compare the rows asked with a chunk whose first row is `start`."""
        moved = rows - self.origin
        closeness = self.queries @ moved.T
        self.near.meet(start, closeness.mul_(2).sub_(moved.square().sum(1)))
        del closeness  # of as many numbers as the cosines

        units = torch.from_numpy(unit_rows(rows, f"features[{start}:{start + len(rows)}]"))
        cosines = (self.directions @ units.T).clamp_(-1, 1)
        self.alike.meet(start, cosines)  # a row with itself adds nothing to the kernel then
        self.kernel += cosines.mul_(4).sub_(4).exp_().sum(1)  # |x - y|^2 = 2 - 2 cos
        self.sum += units.sum(0)
        self.n += len(rows)

    def kernel_means(self) -> np.ndarray:
        """(m,) mean of exp(-2 |x - y|^2) of each row asked with all others."""
        return self.kernel.numpy() / (self.n - 1)

    def mean_cosine(self) -> float:
        """Over all pairs of the rows met."""
        return mean_cosine_of(self.sum.numpy(), self.n)


def _distances(
    features: Any, asked: np.ndarray, others: torch.Tensor, unit: bool = False
) -> np.ndarray:
    """Distances (m, k), ascending, of the rows asked to the k others of each, from differences."""

    def read(rows: np.ndarray) -> torch.Tensor:
        found = taken(features, rows)
        return torch.from_numpy(unit_rows(found)) if unit else found

    own = read(asked)
    columns = [(own - read(column)).norm(dim=1) for column in others.T.numpy()]
    return torch.stack(columns, dim=1).sort(dim=1).values.numpy()
