import ast
import json
import multiprocessing
import os
import re
import signal
import warnings
from concurrent.futures import BrokenExecutor
from functools import partial
from pathlib import Path

import pandas as pd
import pytest

from tdafeat import tasks as module
from tdafeat.backends import computing
from tdafeat.errors import StoreFailed
from tdafeat.holes import Hole
from tdafeat.log import Log
from tdafeat.store import Store
from tdafeat.tasks import Task, run_tasks
from tdafeat.watch import Watch


def square(store, number):
    if number < 0:
        raise ArithmeticError(f"{number} is negative\nand more")
    return {"squares": pd.DataFrame({"value": [number**2]})}, {}


def late(store):
    raise TimeoutError("the service of a metric did not answer")


def full(store):
    raise OSError(28, "No space left on device")


def tasks(*numbers):
    return [Task("square", {"n": n}, {"n": n}, square, {"number": n}) for n in numbers]


def make(chosen, store, jobs=None, force=False, log="quiet"):
    watch = Watch(log=Log(log))
    with computing(jobs) as work, watch.count("cells", len(chosen)) as progress:
        return run_tasks("squares", chosen, store, work, watch, progress, force)


@pytest.mark.parametrize("jobs", [None, 1, 2])
def test_failures_are_holes_and_the_rest_is_kept(tmp_path, jobs):
    store = Store(tmp_path)
    holes = make(tasks(1, -2, 3), store, jobs)
    assert [hole.label for hole in holes] == [{"n": -2}]
    assert holes[0].error == "ArithmeticError: -2 is negative"
    assert "ArithmeticError" in holes[0].trace
    assert store.read("square", {"n": 3}).tables["squares"]["value"].tolist() == [9]
    assert store.read("square", {"n": -2}) is None


def test_what_is_stored_is_not_computed_again(tmp_path, monkeypatch):
    store = Store(tmp_path)
    make(tasks(1, 2), store)
    written = []
    monkeypatch.setattr(Store, "write", lambda self, stage, spec, *rest: written.append(spec))
    make(tasks(1, 2, 4), store)
    assert written == [{"n": 4}]
    make(tasks(1), store, force=True)
    assert written == [{"n": 4}, {"n": 1}]


def test_a_full_disk_stops_the_stage(tmp_path):
    with pytest.raises(OSError, match="No space"):
        make([Task("x", {}, {}, full)], Store(tmp_path))


@pytest.mark.parametrize("jobs", [None, 1])
def test_an_error_of_the_system_in_a_cell_is_a_hole_too(tmp_path, jobs):
    """What a user's metric meets, a file or a service that is missing, costs no other cell."""
    store = Store(tmp_path)
    (hole,) = make([Task("x", {}, {"n": 0}, late), *tasks(1)], store, jobs)
    assert hole.error == "the service of a metric did not answer"
    assert "TimeoutError" in hole.trace
    assert store.intact("square", {"n": 1})


def test_a_store_that_fails_ends_the_stage(tmp_path, monkeypatch):
    def refused(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tdafeat.store.replace", refused)
    with pytest.raises(StoreFailed, match="Permission denied"):
        make(tasks(1), Store(tmp_path))


def test_a_store_in_memory_is_not_for_several_processes(tmp_path):
    store = Store(f"memory://{tmp_path}")
    with computing(store=store):
        pass
    for options in ({"jobs": 1}, {"backend": "dask", "scheduler": "tcp://127.0.0.1:9"}):
        refused = pytest.raises(ValueError, match="memory of this process")
        with refused, computing(**options, store=store):
            pass


def deadly(store):
    os.kill(os.getpid(), signal.SIGKILL)


DEADLY = Task("square", {"n": 0}, {"n": 0}, deadly)


def dying(function, calls):
    """Processes of which one is killed when it comes to the deadly task."""
    for call in calls:
        if any(part is DEADLY for part in call):
            raise BrokenExecutor
        yield function(*call)


def test_a_process_that_is_killed_costs_its_task_alone(tmp_path):
    store, watch = Store(tmp_path), Watch()
    chosen = [*tasks(1, 2), DEADLY, *tasks(3)]
    with watch.count("cells", len(chosen)) as progress:
        holes = run_tasks("squares", chosen, store, dying, watch, progress)
    assert [(hole.label, hole.error) for hole in holes] == [({"n": 0}, module.KILLED)]
    assert (progress.done, progress.failed) == (4, 1)
    assert all(store.intact("square", {"n": n}) for n in (1, 2, 3))


def test_what_one_worker_does_ahead_is_done_once_and_no_cell(tmp_path):
    store, watch, done = Store(tmp_path), Watch(), []
    chosen = [*tasks(1, 2), DEADLY]  # the others are called again after it
    with watch.count("cells", len(chosen)) as progress:
        ahead = partial(done.append, "ahead")
        run_tasks("squares", chosen, store, dying, watch, progress, ahead=ahead)
        run_tasks("squares", tasks(1, 2), store, dying, watch, progress, ahead=ahead)
    assert done == ["ahead"]  # nothing was missing the second time
    assert (progress.done, progress.failed) == (5, 1)


@pytest.mark.slow
def test_real_processes_that_are_killed_cost_their_tasks_alone(tmp_path):
    store = Store(tmp_path)
    holes = make([DEADLY, *tasks(1, 2)], store, jobs=2)
    assert [(hole.label, hole.error) for hole in holes] == [({"n": 0}, module.KILLED)]
    assert all(store.intact("square", {"n": n}) for n in (1, 2))


def test_progress_is_logged_without_a_terminal(tmp_path, capsys):
    make(tasks(1, -2), Store(tmp_path), log="text")
    first, last = capsys.readouterr().err.splitlines()
    assert first == "failed: square of -2: ArithmeticError: -2 is negative"
    assert last.startswith("cells: 2/2, squares, 1 failed")


def test_lines_of_json_for_programs(tmp_path, capsys):
    make(tasks(1, -2), Store(tmp_path), log="json")
    failed, progress = map(json.loads, capsys.readouterr().err.splitlines())
    assert (failed["event"], failed["stage"], failed["label"]) == ("failed", "square", {"n": -2})
    assert "ArithmeticError" in failed["trace"]
    assert (progress["done"], progress["failed"], progress["total"]) == (2, 1, 2)


def warned(store):
    warnings.warn("this may be wrong", RuntimeWarning, stacklevel=1)
    return square(store, 2)


def test_warnings_of_cells_are_lines_of_json_too(tmp_path, capsys):
    shown = warnings.showwarning
    make([Task("square", {}, {}, warned)], Store(tmp_path), log="json")
    warning, _ = map(json.loads, capsys.readouterr().err.splitlines())
    assert (warning["event"], warning["category"]) == ("warning", "RuntimeWarning")
    assert warning["message"] == "this may be wrong"
    assert warnings.showwarning is shown


def test_the_docs_name_the_fields_of_every_event():
    """Of every call of a log in the package, against the table of docs/running.md."""
    root = Path(module.__file__).parent
    told: dict[str, set[str]] = {}
    for path in root.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not (isinstance(node, ast.Call) and node.args and is_log(node.func, path)):
                continue
            event = getattr(node.args[0], "value", None)
            if not isinstance(event, str):  # a logarithm
                continue
            names = {k.arg for k in node.keywords}
            if None in names:  # **asdict(outcome)
                names = names - {None} | set(Hole.__dataclass_fields__)
            told.setdefault(event, set()).update(names)
    rows = re.findall(r"(?m)^\| (`.*`) \| (.*) \|$", (root.parent / "docs/running.md").read_text())
    documented = {}
    for events, fields in rows:
        fields = re.sub(r"\(.*?\)", "", fields)  # what a field holds
        for event in re.findall(r"`(\w+)`", events):
            documented[event] = set(re.findall(r"`(\w+)`", fields))
    assert documented == told


def is_log(function, path):
    name = getattr(function, "attr", getattr(function, "id", ""))
    made = isinstance(function, ast.Call) and getattr(function.func, "id", "") == "Log"
    itself = path.name == "log.py" and name == "self"
    return made or itself or name in ("log", "_log")


def held(root, ready, done):
    with Store(root).claim("square", {"n": 1}):
        ready.set()
        done.wait(60)
        Store(root).write("square", {"n": 1}, {"squares": pd.DataFrame({"value": [-1]})})


def test_what_another_run_is_making_comes_last_and_is_not_made_twice(tmp_path, monkeypatch):
    spawn = multiprocessing.get_context("spawn")
    ready, done = spawn.Event(), spawn.Event()
    other = spawn.Process(target=held, args=(tmp_path, ready, done))
    other.start()
    assert ready.wait(60)
    made = []
    original = square

    def noted(store, number):
        made.append(number)
        if number == 3:
            done.set()
        return original(store, number)

    chosen = [Task("square", {"n": n}, {"n": n}, noted, {"number": n}) for n in (1, 2, 3)]
    assert make(chosen, Store(tmp_path)) == []
    other.join()
    assert made == [2, 3]
    assert Store(tmp_path).read("square", {"n": 1}).tables["squares"]["value"].tolist() == [-1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"jobs": 0}, "jobs must be at least 1"),
        ({"backend": "spark"}, "backend must be among joblib, dask"),
        ({"backend": "dask"}, "go together"),
        ({"scheduler": "tcp://x:1"}, "go together"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(options, message):
    with pytest.raises(ValueError, match=message), computing(**options):
        pass
