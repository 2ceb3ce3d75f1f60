"""Ctrl-C at a terminal, where every process of the run gets the signal at once, and SIGTERM."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tdafeat.store import Store
from tdafeat.upkeep import damaged
from tdafeat.watch import status

SCRIPT = """
import os
import sys
from pathlib import Path
from tdafeat import stages
from tdafeat.cli import study_main
from tests.small_study import study

def endless(store, **options):
    Path({marker!r}).write_text(str(os.getpid()))
    sum(range(10**12))  # compiled code that holds the interpreter: no signal reaches it

stages.measure = endless
sys.exit(study_main(study()))
"""


SOON = 15.0  # seconds; an idle machine needs two, others may take their share of this one


def begun(tmp_path, jobs):
    """The process of a study whose first cell of another kind than topology never ends."""
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
    return process


def end_of(group):
    """Wait until no process of a group is left."""
    began = time.monotonic()
    while members(group):
        assert time.monotonic() - began < SOON, "processes are left"
        time.sleep(0.05)


def members(group):
    """The living processes of a group."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if os.getpgid(process.pid) == group and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


@pytest.mark.parametrize(
    ("send", "number", "jobs"),
    [
        pytest.param(os.killpg, signal.SIGINT, 1, marks=pytest.mark.slow, id="ctrl-c, a worker"),
        pytest.param(os.killpg, signal.SIGINT, 2, id="ctrl-c"),
        pytest.param(os.kill, signal.SIGTERM, 2, id="sigterm"),
    ],
)
def test_a_signal_ends_the_run_soon_and_keeps_what_was_finished(tmp_path, send, number, jobs):
    process = begun(tmp_path, jobs)
    began = time.monotonic()
    send(process.pid, number)
    process.wait(timeout=SOON)
    print(f"ended after {time.monotonic() - began:.2f} s")
    error = process.stderr.read()
    assert process.returncode == 130, error
    assert "what was finished is kept" in error
    assert "Traceback" not in error, error
    end_of(process.pid)
    assert status(tmp_path / "run").state in ("interrupted", "killed")  # killed, if it took long
    kept = list((tmp_path / "store" / "topology").glob("*.zip"))
    assert len(kept) == 3
    assert list(damaged(Store(tmp_path / "store"))) == []


CALLED_BY_C = """
import ctypes, os, signal, sys, time
from tdafeat.cli.guard import guarded

@ctypes.CFUNCTYPE(None)
def called():  # as LLVM calls Python while numba compiles; no exception gets past it
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(60)

sys.exit(guarded(lambda: called() or {then}))
"""


@pytest.mark.parametrize("then", ["time.sleep(60)", "1 / 0", "0"])
def test_an_interrupt_that_is_lost_in_c_ends_cleanly_too(then):
    done = subprocess.run(
        [sys.executable, "-c", CALLED_BY_C.format(then=then)],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])},
        capture_output=True,
        text=True,
        timeout=SOON,
        check=False,
    )
    assert done.returncode == 130
    assert done.stderr == "interrupted; what was finished is kept, run again to go on\n"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux alone tells of the death")
def test_no_worker_is_left_by_a_run_that_was_killed(tmp_path):
    """Neither the one that computes, in code that no thread of Python interrupts, nor idle ones."""
    process = begun(tmp_path, jobs=1)
    worker = psutil.Process(int((tmp_path / "marker").read_text()))
    assert worker.pid != process.pid
    process.kill()
    process.wait(timeout=SOON)
    worker.wait(timeout=SOON)
    end_of(process.pid)
