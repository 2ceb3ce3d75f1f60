"""The same study on a real cluster: a scheduler and worker processes, on this machine."""

import os
import signal
import threading
import time

import pandas as pd
import pytest

from tdafeat.backends import computing
from tdafeat.errors import DataUnavailable
from tests import small_study

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


def test_no_scheduler_is_one_sentence(monkeypatch):
    monkeypatch.setattr("tdafeat.backends.PATIENCE", 0.5)
    refused = pytest.raises(DataUnavailable, match="no Dask scheduler answers at tcp://127")
    with refused, computing(backend="dask", scheduler="tcp://127.0.0.1:9"):
        pass
