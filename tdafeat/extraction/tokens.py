"""Which patch tokens of an image are kept."""

from __future__ import annotations

import numpy as np

from tdafeat.datasets.imageset import hash_order

TOKENS = 16  # of an image: all would be gigabytes per level


def kept_tokens(image: str, n_tokens: int) -> np.ndarray:
    """Positions of an image's tokens that are kept, in order: `TOKENS` of them at most.

    Examples
    --------
    >>> kept_tokens("grid/7", 64).tolist() == kept_tokens("grid/7", 64).tolist()
    True
    >>> kept_tokens("grid/7", 4).tolist()
    [0, 1, 2, 3]
    """
    order = hash_order([f"{image}#{position}" for position in range(n_tokens)], seed=0)
    return np.sort(order[:TOKENS])
