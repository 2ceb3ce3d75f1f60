"""The same study on a real cluster: a scheduler and worker processes, on this machine."""

import os
import signal
import threading
import time

import pandas as pd
import pytest

from tdafeat.backends import computing
from tdafeat.cli import main
from tdafeat.cluster import check_seen, watch_workers
from tdafeat.errors import DataUnavailable
from tdafeat.log import Log
from tdafeat.run import Run
from tdafeat.store import Store
from tests import small_study

dask = pytest.importorskip("dask")
distributed = pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def cluster():
    with distributed.LocalCluster(
        n_workers=3, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        yield cluster


def assert_same(run, whole):
    for name, table in small_study.tables(whole).items():
        pd.testing.assert_frame_equal(getattr(run, name), table, check_exact=True, obj=name)
    assert run.manifest["holes"] == []


@pytest.mark.slow
def test_a_cluster_gives_the_same_bits(tmp_path, cluster):
    whole = small_study.run(tmp_path / "local")
    options = {"backend": "dask", "scheduler": cluster.scheduler_address}
    assert_same(small_study.run(tmp_path / "cluster", **options), whole)


def slowly(seconds, number):
    time.sleep(seconds)
    return os.getpid(), number


@pytest.mark.slow
def test_a_worker_killed_in_the_middle_costs_nothing_but_time(tmp_path, cluster):
    whole = small_study.run(tmp_path / "local")
    address = cluster.scheduler_address
    # Cells of a small study are over too soon to hit: first calls that last, then the study.
    with computing(backend="dask", scheduler=address) as work:
        victims, results = [], []
        for pid, number in work(slowly, [(0.5, k) for k in range(30)]):
            results.append(number)
            if not victims:
                victims.append(pid)
                os.kill(pid, signal.SIGKILL)
        assert sorted(results) == list(range(30))

    def kill_one():
        time.sleep(1.0)
        with distributed.Client(address) as client:
            os.kill(next(iter(client.run(os.getpid).values())), signal.SIGKILL)

    killer = threading.Thread(target=kill_one)
    killer.start()
    again = small_study.run(tmp_path / "cluster", backend="dask", scheduler=address)
    killer.join()
    assert_same(again, whole)


class Deadly(distributed.WorkerPlugin):
    """Every worker, and what takes its place, dies of the diagrams of the noisiest cloud."""

    def setup(self, worker):
        from tdafeat import stages

        original = stages.topology

        def topology(store, cloud, **options):
            if cloud.read(store).features.std() > 1.3:
                os.kill(os.getpid(), signal.SIGKILL)
            return original(store, cloud, **options)

        stages.topology = topology


@pytest.mark.slow
def test_a_cell_that_workers_die_of_is_a_hole_and_the_others_finish(tmp_path, capsys):
    """As where a cell takes more memory than a worker has: each that is given it is killed."""
    script = tmp_path / "script.py"
    script.write_text(
        "from tests.small_study import levels, study\n"
        "features = {'one': levels(spreads=(0.3, 0.6, 4.0)), 'two': levels(1)}\n"
        "STUDY = study(features=features)\n"
    )
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 1}),  # deaths are slow
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster.scheduler_address) as client,
    ):
        client.register_plugin(Deadly())
        places = ["--out", f"{tmp_path}/run", "--store", f"{tmp_path}/store"]
        where = ["--backend", "dask", "--scheduler", cluster.scheduler_address]
        assert main(["run", str(script), *places, *where]) == 1
    run = Run.read(tmp_path / "run")
    first, fallen = run.manifest["holes"]
    assert (first["stage"], first["cell"]["encoder"]) == ("topology", "one")
    assert first["cell"]["severity"] == 2
    assert "was killed" in first["error"]
    assert fallen["error"].startswith("2 fell away (measure, robustness)")  # these need it
    assert set(run.metrics.query("encoder == 'one'")["severity"]) == {0, 1}
    assert set(run.metrics.query("encoder == 'two'")["severity"]) == {0, 1, 2}
    assert "was killed" in (tmp_path / "run" / "report.html").read_text()
    assert "failed: topology of" in capsys.readouterr().err


@pytest.mark.slow
def test_a_cluster_that_would_not_give_the_same_bits_is_refused(cluster, monkeypatch):
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=2, processes=True, dashboard_address=None
    ) as other:
        options = {"backend": "dask", "scheduler": other.scheduler_address}
        with pytest.raises(DataUnavailable, match="one thread each"), computing(**options):
            pass
    from tdafeat import writing

    monkeypatch.setattr(writing, "version", lambda package: "0.1")
    options = {"backend": "dask", "scheduler": cluster.scheduler_address}
    refused = pytest.raises(DataUnavailable, match=r"has \S+ .* where this process")
    with refused, computing(**options):
        pass


def test_workers_that_see_another_store_are_refused_before_the_first_cell(tmp_path, monkeypatch):
    """A client whose workers answer as those of a machine where the folder is not mounted."""

    class Client:
        def __init__(self, folder):
            self.folder = folder

        def run(self, function, path, token, on_error):
            return {"tcp://a:1": function(self.folder / path.name, token)}

    store = Store(tmp_path / "store")
    check_seen(store, Client(tmp_path / "store"))
    with pytest.raises(DataUnavailable, match=f"tcp://a:1 does not see the store {tmp_path}"):
        check_seen(store, Client(tmp_path))
    assert list(store.root.iterdir()) == []


@pytest.mark.slow
def test_a_store_that_the_workers_share_is_seen(tmp_path, cluster):
    store = Store(tmp_path / "store")
    options = {"backend": "dask", "scheduler": cluster.scheduler_address}
    with computing(**options, store=store):
        assert list(store.root.iterdir()) == []


def test_a_cluster_whose_workers_are_gone_is_told_of_once(monkeypatch, capsys):
    monkeypatch.setattr("tdafeat.cluster.PATIENCE", 0.001)
    over = threading.Event()
    seen = iter([{"a": 1}, {}, {}, {"a": 1}, {}])

    class Scheduler:
        def nthreads(self):
            found = next(seen, None)
            if found is None:
                over.set()
            return found or {}

    watch_workers(Scheduler(), Log("json"), over)
    assert capsys.readouterr().err.count('"event": "waiting"') == 2  # a worker came in between


def test_no_scheduler_is_one_sentence(monkeypatch):
    monkeypatch.setattr("tdafeat.cluster.PATIENCE", 0.5)
    refused = pytest.raises(DataUnavailable, match="no Dask scheduler answers at tcp://127")
    with refused, computing(backend="dask", scheduler="tcp://127.0.0.1:9"):
        pass
