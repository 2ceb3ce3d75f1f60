"""Random inputs of the evaluation room, for tests that compare over many of them."""

import numpy as np


def draw(rng):
    """Probabilities and labels, features and labels, of 2 to 9 classes, 20 to 60 samples."""
    n_classes, n, d = rng.integers(2, 10), rng.integers(20, 60), rng.integers(2, 8)
    labels = np.r_[np.arange(n_classes), np.arange(n_classes), rng.integers(0, n_classes, n)]
    rng.shuffle(labels)
    means = rng.normal(size=(n_classes, d))
    return {
        "labels": labels,
        "classes": np.arange(n_classes),
        "probabilities": rng.dirichlet(np.full(n_classes, 0.5), size=len(labels)),
        "scores": rng.normal(size=(len(labels), n_classes)),
        "features": means[labels] + rng.normal(size=(len(labels), d)),
        "train": means[labels] + rng.normal(size=(len(labels), d)),
        "text": means + 0.1,
        "predicted": rng.integers(0, n_classes, len(labels)),
        "k": int(rng.integers(1, 6)),
        "curve": np.r_[0.9, rng.random(4)],
        "severities": np.r_[0, 1 + rng.permutation(9)[:4]],
    }
