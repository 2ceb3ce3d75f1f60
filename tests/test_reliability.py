"""What a week of compute must survive: kills, damage, full and read-only disks, races, age."""

import errno
import gc
import itertools
import multiprocessing
import os
import subprocess
import sys
import time
from pathlib import Path
from shutil import which

import numpy as np
import pandas as pd
import pytest

from tdafeat import tasks as module
from tdafeat.artefact import is_whole
from tdafeat.backends import computing
from tdafeat.cli import main
from tdafeat.cli.guard import guarded
from tdafeat.errors import StoreFailed
from tdafeat.files import ASIDE
from tdafeat.run import Run
from tdafeat.store import Store
from tdafeat.tasks import Task, run_tasks
from tdafeat.upkeep import damaged, garbage
from tdafeat.watch import Watch, status
from tests import small_study

KILLS = int(os.environ.get("TDAFEAT_KILLS", "10"))
RACERS = 2
SOAK = 4000
PLAIN_USER = ["env"]  # what runs a command as somebody who may not write anywhere
if hasattr(os, "geteuid") and os.geteuid() == 0:
    PLAIN_USER = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] * bool(which("setpriv"))


@pytest.fixture(scope="module")
def fork():
    """Processes that have everything imported, so that kills hit the study and not its start."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.small_study", "tdafeat.plan", "tdafeat.writing"])
    return context


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The uninterrupted run."""
    return small_study.run(tmp_path_factory.mktemp("whole"))


def assert_same(run, whole):
    for name, table in small_study.tables(whole).items():
        pd.testing.assert_frame_equal(getattr(run, name), table, check_exact=True, obj=name)
    assert run.manifest["holes"] == []


def read_names(folder):
    """Files of a run, without those that a kill left half-written, which nothing ever reads."""
    files = (p for p in folder.rglob("*") if p.is_file() and not p.name.startswith(ASIDE))
    return {p.relative_to(folder) for p in files}


def computed_by(monkeypatch):
    """Stages of the artefacts written from now on."""
    seen = []
    original = Store.write

    def noted(self, stage, *rest, **more):
        seen.append(stage)
        original(self, stage, *rest, **more)

    monkeypatch.setattr(Store, "write", noted)
    return seen


@pytest.mark.slow
def test_killed_at_random_moments_a_study_resumes_to_the_same_bits(tmp_path, fork, whole):
    rng = np.random.default_rng(0)
    small_study.run(tmp_path / "warm")
    began = time.monotonic()
    process = fork.Process(target=small_study.run, args=(tmp_path / "timed",))
    process.start()
    process.join()
    lasts = time.monotonic() - began
    killed = 0
    for attempt in itertools.count():
        place = tmp_path / str(attempt)
        process = fork.Process(target=small_study.run, args=(place,))
        process.start()
        process.join(rng.uniform(0.02, lasts))
        process.kill()
        process.join()
        if process.exitcode == 0:  # it was done before, since others no longer kept it waiting
            lasts *= 0.8
        else:
            killed += 1
        if (place / "store").exists():
            assert list(damaged(Store(place / "store"))) == []
        assert_same(small_study.run(place), whole)
        assert read_names(place / "run") == read_names(whole.folder)
        assert {d.reason for d in garbage(Store(place / "store"), fresh=0)} <= {"left half-written"}
        if killed == KILLS:
            break


SLOW_DAMAGES = [pytest.param(damage, marks=pytest.mark.slow) for damage in ("truncate", "empty")]


@pytest.mark.parametrize("damage", ["flip", *SLOW_DAMAGES])
def test_damage_in_any_artefact_costs_that_cell_alone(tmp_path, whole, monkeypatch, damage):
    small_study.run(tmp_path)
    paths = sorted((tmp_path / "store").rglob("*.zip"))
    rng = np.random.default_rng(1)
    computed = computed_by(monkeypatch)
    for path in paths:
        content = bytearray(path.read_bytes())
        place = int(rng.integers(len(content)))
        if damage == "flip":
            content[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(content if damage == "flip" else content[: place * (damage != "empty")])
        computed.clear()
        assert_same(small_study.run(tmp_path), whole)
        assert computed == [path.parent.name]
        assert is_whole(path.read_bytes())
    assert {path.parent.name for path in paths} >= {"features", "topology", "measure", "statistics"}


@pytest.mark.parametrize("scheme", ["memory", "file"])
def test_a_run_behind_urls_is_the_same(tmp_path, whole, monkeypatch, scheme):
    place = f"{scheme}://{tmp_path}"
    where = {"store": f"{place}/store", "quiet": True}
    assert_same(small_study.study().run(f"{place}/run", **where), whole)
    assert_same(Run.read(f"{place}/run"), whole)
    assert status(f"{place}/run").state == "finished"
    assert list(damaged(Store(f"{place}/store"))) == []
    assert (tmp_path / "store").exists() == (scheme == "file")
    computed = computed_by(monkeypatch)
    assert_same(small_study.study().run(f"{place}/again", **where), whole)
    assert computed == []


def test_an_object_store_that_refuses_is_one_sentence(tmp_path, monkeypatch, capsys):
    class ClientError(Exception):
        """As the clients of object stores raise them: no OSError."""

    def refused(*_, **__):
        raise ClientError("AccessDenied when calling the PutObject operation")

    monkeypatch.setattr("fsspec.implementations.memory.MemoryFileSystem.pipe_file", refused)
    store = Store(f"memory://{tmp_path}/store")
    with pytest.raises(StoreFailed, match="store/x/.* cannot be .* AccessDenied when calling"):
        store.write("x", {}, arrays={"x": np.eye(2)})
    assert guarded(lambda: store.write("x", {}, arrays={"x": np.eye(2)})) == 2
    error = capsys.readouterr().err
    assert "AccessDenied" in error
    assert error.count("\n") == 1


def test_a_file_system_without_locks_is_used_without(tmp_path, monkeypatch):
    def missing(*_, **__):
        raise NotImplementedError("FileSystem does not appear to support flock")

    monkeypatch.setattr("filelock.FileLock.acquire", missing)
    with Store(tmp_path).claim("x", {}) as mine:
        assert mine
    with Watch(tmp_path, name="x") as watch:
        watch.count("cells", 1).advance()
        assert status(tmp_path).state == "running"  # nothing tells that it was killed


def test_a_cell_that_fails_is_told_and_the_others_finish(tmp_path, monkeypatch, capsys):
    from tdafeat import stages

    original = stages.topology

    def fails(store, cloud, **options):
        if cloud.read(store).features.std() > 1.3:
            raise RuntimeError("no memory for this one")
        return original(store, cloud, **options)

    monkeypatch.setattr(stages, "topology", fails)
    features = {"one": small_study.levels(0, spreads=(0.3, 0.6, 4.0))}
    run = small_study.study(features=features).run(tmp_path / "run", store=tmp_path / "store")
    told = capsys.readouterr().err
    assert "failed: topology of" in told
    assert "no memory for this one" in told
    first = run.manifest["holes"][0]
    assert "Traceback" in first["trace"]
    assert first["cell"]["severity"] == 2
    assert set(run.metrics["severity"]) == {0, 1}
    assert status(tmp_path / "run").failed == 3  # diagrams, what is measured of them, robustness
    assert main(["report", str(tmp_path / "run")]) == 0
    assert "no memory for this one" in (tmp_path / "run" / "report.html").read_text()


def test_the_exit_code_of_a_run_with_holes_is_1(tmp_path, monkeypatch):
    from tdafeat import stages

    def fails(store, **options):
        raise RuntimeError("never")

    monkeypatch.setattr(stages, "projection", fails)
    script = tmp_path / "script.py"
    script.write_text("from tests.small_study import study\nSTUDY = study()\n")
    arguments = ["--out", f"{tmp_path}/run", "--store", f"{tmp_path}/store", "--no-report"]
    monkeypatch.setattr("tdafeat.study.computing", lambda *_: computing())
    assert main(["run", str(script), *arguments]) == 1


def script_of(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import sys\nfrom tdafeat.cli import study_main\nfrom tests.small_study import study\n"
        "sys.exit(study_main(study()))\n"
    )
    return script


def command(script, place, store, before=(), **options):
    places = ["--out", f"{place}/run", "--store", str(store), "--jobs", "1", "--no-report"]
    return subprocess.run(
        [*before, sys.executable, str(script), *places],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])},
        capture_output=True,
        text=True,
        check=False,
        **options,
    )


@pytest.mark.slow
def test_a_full_disk_ends_in_a_sentence_and_leaves_a_good_store(tmp_path, whole):
    """A file system of 100 kB where one can be mounted; else files of at most 4 kB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=100k", "tmpfs", str(disk)]
    try:
        mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        mounted = False

    def limited():
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

    try:
        limits = {} if mounted else {"preexec_fn": limited}
        done = command(script_of(tmp_path), tmp_path, disk / "store", **limits)
        assert done.returncode == 2, done.stderr
        assert "the disk is full; what was finished is kept" in done.stderr
        assert "Traceback" not in done.stderr
        assert list(damaged(Store(disk / "store"))) == []
        assert list(garbage(Store(disk / "store"), fresh=0)) == []
        if mounted:
            subprocess.run([*mount[:4], "remount,size=20m", *mount[5:]], check=True)
        assert command(script_of(tmp_path), tmp_path, disk / "store").returncode == 0
        assert_same(Run.read(tmp_path / "run"), whole)
    finally:
        if mounted:
            subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.slow
@pytest.mark.skipif(not PLAIN_USER, reason="root may write anywhere, and setpriv is missing")
def test_a_read_only_store_is_read_and_where_more_is_needed_says_so(tmp_path, whole):
    script, store = script_of(tmp_path), tmp_path / "store"
    assert command(script, tmp_path, store).returncode == 0
    folders = [store, *(p for p in store.rglob("*") if p.is_dir())]
    for folder in folders:
        folder.chmod(0o555)
    try:
        again = command(script, tmp_path / "other", store, PLAIN_USER)
        assert again.returncode == 0, again.stderr
        assert_same(Run.read(tmp_path / "other" / "run"), whole)
        store.joinpath("topology").chmod(0o755)
        next(store.joinpath("topology").glob("*.zip")).unlink()
        store.joinpath("topology").chmod(0o555)
        more = command(script, tmp_path / "other", store, PLAIN_USER)
        assert more.returncode == 2, more.stderr
        assert "Permission denied" in more.stderr
        assert "Traceback" not in more.stderr
    finally:
        for folder in folders:
            folder.chmod(0o755)


def racer(place, name, seen):
    original = Store.write

    def noted(self, stage, spec, *rest, **more):
        seen.put((stage, str(spec)))
        original(self, stage, spec, *rest, **more)

    Store.write = noted
    small_study.run(place, name)


@pytest.mark.slow
def test_runs_that_race_share_the_work_and_make_no_cell_twice(tmp_path, fork, whole):
    for attempt in range(3):
        place = tmp_path / str(attempt)
        seen = fork.Queue()
        racers = [fork.Process(target=racer, args=(place, f"run-{k}", seen)) for k in range(RACERS)]
        for process in racers:
            process.start()
        for process in racers:
            process.join()
            assert process.exitcode == 0
        written = []
        while not seen.empty():
            written.append(seen.get(timeout=10))
        assert {"features", "measure", "statistics"} <= {stage for stage, _ in written}
        assert len(set(written)) == len(written)
        for k in range(RACERS):
            assert_same(Run.read(place / f"run-{k}"), whole)


def test_a_clock_moved_backwards_changes_nothing(tmp_path, whole, monkeypatch):
    small_study.run(tmp_path)
    ahead = time.time() + 10**6
    for path in tmp_path.rglob("*"):
        os.utime(path, (ahead, ahead))
    computed = computed_by(monkeypatch)
    assert_same(small_study.run(tmp_path), whole)
    assert computed == []
    assert list(garbage(Store(tmp_path / "store"))) == []
    assert status(tmp_path / "run").state == "finished"


def cell(store, number):
    return {"values": pd.DataFrame({"value": [number]})}, {"array": np.full(16, number)}


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts files of Linux")
@pytest.mark.parametrize("jobs", [None, 2])
def test_thousands_of_cells_leak_neither_memory_nor_files(tmp_path, jobs):
    import psutil

    tasks = [Task("cell", {"n": n}, {"n": n}, cell, {"number": n}) for n in range(SOAK)]
    store, process = Store(tmp_path), psutil.Process()

    def held():
        """How many processes there are with the workers, their bytes, and their open files."""
        gc.collect()
        family = [process, *process.children(recursive=True)]
        memory = sum(member.memory_info().rss for member in family)
        return len(family), memory, sum(member.num_fds() for member in family)

    watch = Watch()
    with computing(jobs) as work, watch.count("cells", SOAK) as progress:
        run_tasks("warm", tasks[: SOAK // 4], store, work, watch, progress)
        family, memory, files = held()
        holes = run_tasks("cells", tasks, store, work, watch, progress)
        family_after, memory_after, files_after = held()
    assert holes == []
    assert family_after == family > (jobs or 0)
    assert all(store.intact("cell", {"n": n}) for n in range(SOAK))
    assert files_after <= files + 2
    assert memory_after - memory < 20e6


def test_an_error_of_the_disk_is_no_hole(tmp_path):
    def broken(store):
        raise OSError(errno.EDQUOT, "Disk quota exceeded")

    watch = Watch()
    with (
        computing() as work,
        watch.count("x", 1) as progress,
        pytest.raises(OSError, match="quota"),
    ):
        run_tasks("x", [module.Task("x", {}, {}, broken)], Store(tmp_path), work, watch, progress)
