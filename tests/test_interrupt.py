"""Ctrl-C at a terminal: every process of the run gets the signal at once."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tdafeat.store import Store
from tdafeat.upkeep import damaged
from tdafeat.watch import status

SCRIPT = """
import sys
from pathlib import Path
from tdafeat import stages
from tdafeat.cli import study_main
from tests.small_study import study

def endless(store, **options):
    Path({marker!r}).touch()
    sum(range(10**12))  # compiled code that holds the interpreter: no signal reaches it

stages.measure = endless
sys.exit(study_main(study()))
"""


@pytest.mark.parametrize("jobs", [1, 2])
def test_ctrl_c_ends_within_two_seconds_and_keeps_what_was_finished(tmp_path, jobs):
    marker = tmp_path / "marker"
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(marker=str(marker)))
    places = ["--out", f"{tmp_path}/run", "--store", f"{tmp_path}/store", "--jobs", str(jobs)]
    process = subprocess.Popen(
        [sys.executable, str(script), *places],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])},
    )
    until = time.monotonic() + 120
    while not marker.exists():
        assert time.monotonic() < until
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.05)
    time.sleep(0.5)
    began = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)
    process.wait(timeout=60)
    took = time.monotonic() - began
    error = process.stderr.read()
    assert process.returncode == 130, error
    assert "what was finished is kept" in error
    assert "Traceback" not in error, error
    assert took < 2 * max(1.0, os.getloadavg()[0] / os.cpu_count())  # others take their share
    time.sleep(1)
    with pytest.raises(ProcessLookupError):  # no worker is left
        os.killpg(process.pid, 0)
    assert status(tmp_path / "run").state in ("interrupted", "killed")  # killed, if it took long
    kept = list((tmp_path / "store" / "topology").glob("*.zip"))
    assert len(kept) == 3
    assert list(damaged(Store(tmp_path / "store"))) == []
