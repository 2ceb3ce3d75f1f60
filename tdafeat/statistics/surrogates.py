"""Clouds in which nothing happened: halves of one cloud, and Gaussians with the same moments."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np


def split_halves(
    labels: np.ndarray, per_class: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Rows of two disjoint samples with equally many rows of each class, in the same order.

    Parameters
    ----------
    labels : (n,) class of each row; every class needs 2 * per_class rows.
    per_class : rows of a class in each half.
    rng : draws them.

    Returns
    -------
    Two (classes * per_class,) arrays of rows: row i of one is another image of the class of row i
    of the other.

    Examples
    --------
    >>> first, second = split_halves(np.array([0, 0, 1, 1]), 1, np.random.default_rng(0))
    >>> sorted([*first.tolist(), *second.tolist()]), (first < 2).tolist()
    ([0, 1, 2, 3], [True, False])
    """
    drawn = [rng.permutation(np.flatnonzero(labels == c)) for c in np.unique(labels)]
    if any(len(rows) < 2 * per_class for rows in drawn):
        raise ValueError(f"every class must have {2 * per_class} rows, for two halves of it")
    first, second = (
        np.concatenate([rows[k * per_class : (k + 1) * per_class] for rows in drawn])
        for k in (0, 1)
    )
    return first, second


def gaussian_like(
    clouds: Mapping[int, np.ndarray], labels: np.ndarray, per_class: int, rng: np.random.Generator
) -> dict[int, np.ndarray]:
    """Gaussian clouds with the class means and covariances of these, and between them.

    Parameters
    ----------
    clouds : (n, D) by key; row i of all of them is the same image.
    labels : (n,) class of each row; every class needs two rows.
    per_class : rows to draw of each class.
    rng : draws them.

    Returns
    -------
    (classes * per_class, D) by key, classes in order. Rows of different keys belong together: each
    row is one draw of the joint Gaussian of all clouds, so that the covariance of clean with noisy
    is kept too.

    Examples
    --------
    >>> line = np.array([[0.0, 0.0], [2.0, 0.0]])
    >>> drawn = gaussian_like({0: line}, np.zeros(2, int), 1000, np.random.default_rng(0))[0]
    >>> drawn.mean(axis=0).round(), drawn.var(axis=0).round()
    (array([1., 0.]), array([2., 0.]))
    """
    members = [np.flatnonzero(labels == c) for c in np.unique(labels)]
    mixing = [rng.normal(size=(per_class, len(rows))) / np.sqrt(len(rows) - 1) for rows in members]
    return {
        key: np.concatenate(
            [
                cloud[rows].mean(axis=0) + weights @ (cloud[rows] - cloud[rows].mean(axis=0))
                for rows, weights in zip(members, mixing, strict=True)
            ]
        )
        for key, cloud in clouds.items()
    }
