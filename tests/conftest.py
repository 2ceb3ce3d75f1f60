"""Fixtures every room's tests share."""

import os
from pathlib import Path

import pytest

if "PYTEST_XDIST_WORKER" in os.environ:
    # One process per core: threads of BLAS and OpenMP on top would wait for each other. Their
    # libraries read these as they are loaded, and the processes that tests start inherit them.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of real DTD and Fashion-MNIST images; the test is skipped where there is none."""
    root = os.environ.get("TDAFEAT_DATA")
    if not root or not (Path(root) / "FashionMNIST").is_dir():
        pytest.skip("TDAFEAT_DATA does not name a folder with FashionMNIST and dtd in it")
    return Path(root)
