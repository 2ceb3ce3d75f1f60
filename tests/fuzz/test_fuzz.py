import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.harness import Target, Undocumented, bounded, drive
from tests.fuzz.targets import TARGETS

INPUTS = int(os.environ.get("TDAFEAT_FUZZ", "3000"))  # of the slow test; 100,000 by hand
SMOKE = 40

each = pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS.keys())


@each
def test_valid_inputs_are_read(target, tmp_path):
    assert all(target.check(content, tmp_path) for content in target.seeds)


@each
def test_what_failed_once_does_not_fail_again(target, tmp_path):
    for path in target.corpus():
        target.check(path.read_bytes(), tmp_path)


@each
def test_a_few_damaged_inputs(target, tmp_path):
    taken = drive(target, SMOKE, seed=1, place=tmp_path)
    assert taken < SMOKE  # or the damage does none


@pytest.mark.slow
@each
def test_damaged_inputs_end_in_documented_errors(target, tmp_path):
    for content in target.seeds:
        target.check(content, tmp_path)
    with bounded():
        drive(target, INPUTS, seed=2, place=tmp_path)


@pytest.mark.slow
@pytest.mark.skipif(
    importlib.util.find_spec("atheris") is None, reason="atheris (extra fuzz) is not installed"
)
@pytest.mark.parametrize("name", TARGETS)
def test_damaged_inputs_led_by_coverage(name):
    command = [sys.executable, "-m", "tests.fuzz", name, "--engine", "atheris"]
    done = subprocess.run(
        [*command, "--inputs", str(INPUTS // 3)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]


def raises(error):
    def read(content, place):
        raise error

    return read


@pytest.mark.parametrize(
    "read",
    [raises(RuntimeError("a library's")), raises(ValueError("raised elsewhere"))],
    ids=["another kind", "not by tdafeat"],
)
def test_what_is_not_documented_is_found_shrunk_and_kept(read, tmp_path, monkeypatch):
    monkeypatch.setattr("tests.fuzz.harness.CORPUS", tmp_path)
    target = Target("none", read, lambda: [b"abc"], lambda content, rng: content, (ValueError,))
    with pytest.raises(Undocumented, match="kept as"):
        drive(target, 5, seed=0, place=tmp_path)
    assert [path.read_bytes() for path in target.corpus()] == [b"abc"]
