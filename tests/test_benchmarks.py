"""The benchmarks run: nobody else would notice when the package changes under them."""

import os
import runpy
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SCRIPTS = {path.stem: path for path in (ROOT / "studies" / "benchmarks").glob("*.py")}
PARTS = {"plain_geometry"}  # of another script
SMALLEST = [
    ("cells", "--rows 40 --dimension 8 --classes 2"),
    ("distances", "--quick --out {folder} --only 'bottleneck H0'"),
    ("distances", "--quick --out {folder} --only 'all pairs'"),
    ("extraction", "--case tiny --dataset textures:256 --images 4"),
    ("geometry", "--classes 2 --rows 2000"),
    ("persistence", "--quick --only torus --sizes 60 --out {folder}/rows.csv"),
]


@pytest.mark.parametrize("name", sorted(SCRIPTS.keys() - PARTS))
def test_a_benchmark_finds_what_it_imports(name, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", [str(SCRIPTS[name]), "--help"])
    with pytest.raises(SystemExit) as end:
        runpy.run_path(str(SCRIPTS[name]), run_name="__main__")
    assert end.value.code == 0
    assert "usage" in capsys.readouterr().out


def test_every_benchmark_is_run():
    assert {name for name, _ in SMALLEST} == SCRIPTS.keys() - PARTS


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="benchmarks ask Linux for memory")
@pytest.mark.parametrize(("name", "arguments"), SMALLEST)
def test_a_benchmark_prints_its_table(name, arguments, tmp_path):
    done = subprocess.run(
        [sys.executable, str(SCRIPTS[name]), *shlex.split(arguments.format(folder=tmp_path))],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "---|---" in done.stdout
