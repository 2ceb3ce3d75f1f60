import json
import multiprocessing
import os
import signal

import pytest

from tdafeat import watch as module
from tdafeat.cli import main
from tdafeat.errors import UnreadableData
from tdafeat.watch import Watch, status


@pytest.fixture(autouse=True)
def kept_at_once(monkeypatch):
    monkeypatch.setattr(module, "KEEP_EVERY", 0.0)


def test_status_while_a_run_is_going_and_after(tmp_path):
    with Watch(tmp_path, name="known"):
        assert status(tmp_path).lines()[:2] == ["known: running", "nothing was counted yet"]
    with Watch(tmp_path, name="known") as watch, watch.count("cells", 10) as progress:
        progress.enter("topology")
        progress.advance(4, found=True)
        progress.advance()
        progress.advance(failed=True)
        now = status(tmp_path)
        assert (now.state, now.stage, now.total) == ("running", "topology", 10)
        assert (now.done, now.found, now.failed) == (6, 4, 1)
        assert now.pace > 0
        assert now.to_go == pytest.approx(4 / now.pace, rel=0.1)
        lines = now.lines()
        assert lines[1] == "cells: 5 done (4 of them found in the store), 1 failed, " + (
            "4 left of 10"
        )
        assert "to go" in lines[2]
        progress.advance(4)
    assert status(tmp_path).state == "finished"
    assert not any("to go" in line for line in status(tmp_path).lines())


@pytest.mark.parametrize(
    ("error", "state"), [(KeyboardInterrupt, "interrupted"), (ValueError, "failed")]
)
def test_how_a_run_ended(tmp_path, error, state):
    with pytest.raises(error), Watch(tmp_path) as watch, watch.count("cells", 2):
        raise error
    assert status(tmp_path).state == state


def killed(folder):
    module.KEEP_EVERY = 0.0
    with Watch(folder) as watch, watch.count("cells", 2) as progress:
        progress.advance()
        os.kill(os.getpid(), signal.SIGKILL)


def test_a_killed_run_is_seen_to_be_gone(tmp_path):
    process = multiprocessing.get_context("spawn").Process(target=killed, args=(tmp_path,))
    process.start()
    process.join()
    assert json.loads((tmp_path / "progress.json").read_text())["state"] == "running"
    assert status(tmp_path).state == "killed"
    with Watch(tmp_path):  # and its folder is free
        pass


def test_two_runs_do_not_write_to_one_folder(tmp_path):
    with Watch(tmp_path), pytest.raises(ValueError, match="another run is writing"):  # noqa: SIM117
        with Watch(tmp_path):
            pass


def test_a_url_is_watched_too():
    with Watch(module.at("memory://runs/one"), name="far") as watch:
        watch.count("cells", 3).advance(2)
        assert status("memory://runs/one").done == 2


@pytest.mark.parametrize("content", [None, b"", b"[]", b"{}", b"\xff", b'{"name": 1, "more": 2}'])
def test_what_is_no_progress_file_is_one_sentence(tmp_path, content, capsys):
    if content is not None:
        (tmp_path / "progress.json").write_bytes(content)
    with pytest.raises(UnreadableData, match=r"progress\.json"):
        status(tmp_path)
    assert main(["status", str(tmp_path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
