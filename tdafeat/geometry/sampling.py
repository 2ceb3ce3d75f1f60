"""Pairwise quantities of clouds too large for all pairs, from some rows against all others.

The rows asked are drawn at random; what each of them answers is exact. What remains is the error
of having asked some rows and not all, and it is stated.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch

from tdafeat.checks import as_generator, as_rows
from tdafeat.directions import unit_rows
from tdafeat.geometry.dimension import inverse_dimensions, log_ratios, two_nn_dimension
from tdafeat.geometry.jackknife import jackknife
from tdafeat.geometry.moments import CHUNK, chunks
from tdafeat.geometry.streamed import NearestMet, asked_rows, at_once, passes
from tdafeat.geometry.uniformity import SMALLEST_DISTANCE, mean_cosine_of
from tdafeat.mapped import taken
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
        those of the metrics themselves. Each 8,192 of them read all rows once more.
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
    told = [_ask(features, rows, chunk) for rows in passes(asked)]
    by_row = (np.concatenate(parts) for parts in zip(*(each.by_row for each in told), strict=True))
    distances, on_sphere, kernel, named = by_row
    near, cosine = distances[:, 0], told[0].mean_cosine
    found = _estimates(
        {
            "koleo": (_koleo, on_sphere),
            "uniformity": (lambda v: float(np.log(v.mean())), kernel),
            "nearest_neighbour_distance": (lambda v: float(np.median(v)), near),
            "nearest_neighbour_q10": (lambda v: float(np.quantile(v, 0.1)), near),
            "nearest_neighbour_q90": (lambda v: float(np.quantile(v, 0.9)), near),
            "two_nn": (lambda v: two_nn_dimension(log_ratios(v)[1]), distances),
            "levina_bickel": (_levina_bickel, distances),
        },
        len(asked),
        n_samples,
        rng,
    )
    found["mean_cosine"] = Estimate(cosine, cosine, cosine)
    found["hubness"] = jackknife(
        lambda rows: _hubness(named[rows], n_samples), len(asked), n_samples, rng
    )
    return found


def _estimates(
    statistics: dict[str, tuple[Callable[[np.ndarray], float], np.ndarray]],
    n_asked: int,
    n_samples: int,
    rng: np.random.Generator,
) -> dict[str, Estimate]:
    """Statistics of what each row asked told, with bootstrap intervals from the same draws."""
    smaller = np.sqrt(1 - n_asked / n_samples)
    drawn = (rng.integers(n_asked, size=n_asked) for _ in range(N_BOOT))
    resampled = [[tell(v[rows]) for tell, v in statistics.values()] for rows in drawn]
    found = {}
    for name, again in zip(statistics, zip(*resampled, strict=True), strict=True):
        tell, values = statistics[name]
        value, reach = tell(values), Z95 * smaller * np.std(again, ddof=1)
        found[name] = Estimate(value, value - reach, value + reach)
    return found


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


class _Told(NamedTuple):
    """What m rows learnt from all rows.

    Attributes
    ----------
    by_row : (m, 20) distances to the nearest others, ascending; (m,) that to the nearest as
        directions; (m,) mean of exp(-2 |x - y|^2) with all others; (m, 10) the nearest others.
    mean_cosine : over all pairs of all rows.
    """

    by_row: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
    mean_cosine: float


def _ask(features: Any, asked: np.ndarray, chunk: int) -> _Told:
    """One pass over all rows."""
    answers = _Answers(features, asked)
    for start, rows in chunks(features, at_once(chunk, len(asked))):
        answers.meet(start, rows)
    near, alike = answers.near.rows, answers.alike.rows
    on_sphere = _distances(features, asked, alike, unit=True)[:, 0]
    distances, named = _distances(features, asked, near), near[:, :N_CHOICES].numpy()
    by_row = distances, on_sphere, answers.kernel_means(), named
    return _Told(by_row, answers.mean_cosine())


class _Answers:
    """What the rows asked have learnt from the chunks they met so far."""

    def __init__(self, features: Any, asked: np.ndarray) -> None:
        raw = torch.from_numpy(taken(features, asked))
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
        return torch.from_numpy(unit_rows(found) if unit else found)

    own = read(asked)
    columns = [(own - read(column)).norm(dim=1) for column in others.T.numpy()]
    return torch.stack(columns, dim=1).sort(dim=1).values.numpy()
