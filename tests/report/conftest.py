import pytest

from tdafeat import report
from tdafeat.report.content import build
from tdafeat.run import Run
from tests.report.synthetic import write_run


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    return Run.read(write_run(tmp_path_factory.mktemp("run")))


@pytest.fixture(scope="session")
def content(run):
    return build(run)


@pytest.fixture(scope="session")
def written(run, tmp_path_factory):
    """Page and document of the run, made once for all tests."""
    return report.write(run, tmp_path_factory.mktemp("written"))
