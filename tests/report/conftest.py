import pytest

from tdafeat.run import Run
from tests.report.synthetic import write_run


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    return Run.read(write_run(tmp_path_factory.mktemp("run")))
