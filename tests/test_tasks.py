import pandas as pd
import pytest

from tdafeat.store import Store
from tdafeat.tasks import Task, run_tasks


def square(store, number):
    if number < 0:
        raise ArithmeticError(f"{number} is negative\nand more")
    return {"squares": pd.DataFrame({"value": [number**2]})}, {}


def full(store):
    raise OSError(28, "No space left on device")


def tasks(*numbers):
    return [Task("square", {"n": n}, {"n": n}, square, {"number": n}) for n in numbers]


@pytest.mark.parametrize("jobs", [1, 2])
def test_failures_are_holes_and_the_rest_is_kept(tmp_path, jobs):
    store = Store(tmp_path)
    holes = run_tasks("squares", tasks(1, -2, 3), store, jobs=jobs, quiet=True)
    assert [hole.label for hole in holes] == [{"n": -2}]
    assert holes[0].error == "-2 is negative"
    assert "ArithmeticError" in holes[0].trace
    assert store.read("square", {"n": 3}).tables["squares"]["value"].tolist() == [9]
    assert store.read("square", {"n": -2}) is None


def test_what_is_stored_is_not_computed_again(tmp_path, monkeypatch):
    store = Store(tmp_path)
    run_tasks("squares", tasks(1, 2), store, quiet=True)
    written = []
    monkeypatch.setattr(Store, "write", lambda self, stage, spec, *rest: written.append(spec))
    run_tasks("squares", tasks(1, 2, 4), store, quiet=True)
    assert written == [{"n": 4}]
    run_tasks("squares", tasks(1), store, force=True, quiet=True)
    assert written == [{"n": 4}, {"n": 1}]


def test_a_full_disk_stops_the_stage(tmp_path):
    with pytest.raises(OSError, match="No space"):
        run_tasks("x", [Task("x", {}, {}, full)], Store(tmp_path), quiet=True)


def test_progress_is_logged_without_a_terminal(tmp_path, capsys):
    run_tasks("squares", tasks(1, 2), Store(tmp_path))
    assert "squares: 2/2" in capsys.readouterr().err
