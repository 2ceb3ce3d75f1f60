"""A folder of tiny pictures whose two classes are told apart at a glance."""

import numpy as np
import pytest
from PIL import Image


@pytest.fixture(scope="session")
def pictures(tmp_path_factory):
    """Horizontal and vertical stripes, train and test, in grey noise."""
    root = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(0)
    stripes = np.tile(np.array([60, 190], np.uint8).repeat(2), 7)[None].repeat(28, axis=0)
    for split, n in (("train", 20), ("test", 8)):
        for name, pattern in (("across", stripes.T), ("down", stripes)):
            folder = root / split / name
            folder.mkdir(parents=True)
            for i in range(n):
                noisy = pattern + rng.integers(-20, 21, pattern.shape)
                Image.fromarray(noisy.astype(np.uint8)).save(folder / f"{i}.png")
    return f"folder:{root}"
