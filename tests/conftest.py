"""Fixtures every room's tests share."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of real DTD and Fashion-MNIST images; the test is skipped where there is none."""
    root = os.environ.get("TDAFEAT_DATA")
    if not root or not (Path(root) / "FashionMNIST").is_dir():
        pytest.skip("TDAFEAT_DATA does not name a folder with FashionMNIST and dtd in it")
    return Path(root)
