"""How alike two feature spaces larger than memory are, in what only pairs of images can tell."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from tdafeat.checks import as_count, as_generator, as_rows, check_same_images
from tdafeat.directions import unit_rows
from tdafeat.geometry.jackknife import jackknife
from tdafeat.geometry.moments import CHUNK, chunks
from tdafeat.geometry.similarity import MOST_ROWS, representational_similarity
from tdafeat.geometry.streamed import NearestMet, asked_rows, at_once, passes
from tdafeat.mapped import taken
from tdafeat.record import Estimate


def sampled_similarity(
    a: Any, b: Any, n_queries: int = 1000, random_state: int = 0, k: int = 10, chunk: int = CHUNK
) -> dict[str, Estimate]:
    """Shared neighbours and representational similarity of large spaces, from `n_queries` images.

    Linear CKA and Procrustes need no sample: `PairedMoments` gives them exactly.

    Parameters
    ----------
    a, b : (n, D) and (n, E) array, torch tensor or numpy memory map, rows of the same images, more
        than `k`; `chunk` rows of each are in memory at a time.
    n_queries : images drawn without replacement, at least 4. Each 8,192 of them read all rows once
        more.
    random_state : seed of the draw.
    k : neighbours, as for `mutual_neighbours`.

    Returns
    -------
    ``mutual_neighbours``: the neighbours of the images drawn among all images, so the value is
    that at n rows. ``representational_similarity``: the distances among the images drawn, 2,000 of
    them at most. Both with a 95 % interval for that of all images, by a jackknife over the images
    drawn, made smaller by the share of all images that they are.

    Raises
    ------
    ValueError for unequal numbers of rows, k or two rows or fewer, a row that is not finite or all
    zeros, or `n_queries` below 4.

    Examples
    --------
    >>> cloud = np.random.default_rng(0).normal(size=(3000, 5))
    >>> found = sampled_similarity(cloud, 2 * cloud, n_queries=100)
    >>> found["mutual_neighbours"].value
    1.0
    """
    a, b = as_rows(a, "a"), as_rows(b, "b")
    check_same_images(a, b)
    n_samples = len(a)
    if n_samples <= max(as_count(k, "k"), 2):  # whose distances are one, or none
        raise ValueError(f"a must have more than {max(k, 2)} rows; got {n_samples}")
    rng = as_generator(random_state)
    asked = asked_rows(n_samples, n_queries, rng, least=4)  # three, with each of them left out
    shares = np.concatenate([_shares(a, b, rows, k, chunk) for rows in passes(asked)])
    few = asked if len(asked) <= MOST_ROWS else np.sort(rng.choice(asked, MOST_ROWS, replace=False))
    x, y = taken(a, few, "a"), taken(b, few, "b")
    return {
        "mutual_neighbours": jackknife(
            lambda rows: float(shares[rows].mean()), len(asked), n_samples, rng
        ),
        "representational_similarity": jackknife(
            lambda rows: representational_similarity(x[rows], y[rows]), len(few), n_samples, rng
        ),
    }


def _shares(a: Any, b: Any, asked: np.ndarray, k: int, chunk: int) -> np.ndarray:
    """(m,) share of its `k` nearest rows that a row asked has in both spaces."""
    first, second = (
        _neighbours(space, asked, k, chunk, name) for space, name in ((a, "a"), (b, "b"))
    )
    return (first[:, :, None] == second[:, None, :]).any(axis=2).mean(axis=1)


def _neighbours(space: Any, asked: np.ndarray, k: int, chunk: int, name: str) -> np.ndarray:
    """(m, k) rows of most similar direction to each of the rows asked."""
    directions = torch.from_numpy(unit_rows(taken(space, asked, name), name))
    nearest = NearestMet(asked, k)
    for start, rows in chunks(space, at_once(chunk, len(asked)), name):
        units = torch.from_numpy(unit_rows(rows, f"{name}[{start}:{start + len(rows)}]"))
        nearest.meet(start, directions @ units.T)
    return nearest.rows.numpy()
