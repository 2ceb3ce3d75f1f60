import math

import pytest

from tdafeat import capacity
from tdafeat.cgroups import memory_left


def group(folder, limit, used, entry, names=("memory.max", "memory.current")):
    folder.mkdir(parents=True, exist_ok=True)
    for name, value in zip(names, (limit, used), strict=True):
        (folder / name).write_text(f"{value}\n")
    (folder / "memory.stat").write_text(f"anon 5\n{entry}\n")


def placed(root, line):
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/cgroup").write_text(f"9:name=systemd:/x\n1:cpu,cpuacct:/y\n{line}\n")


def test_the_tightest_group_on_the_way_up_decides(tmp_path):
    placed(tmp_path, "0::/job/step")
    base = tmp_path / "sys/fs/cgroup"
    group(base / "job", 1000, 700, "inactive_file 200")  # 500 left, cache given back
    assert memory_left(tmp_path) == 500
    group(base / "job/step", "max", 300, "inactive_file 0")
    assert memory_left(tmp_path) == 500
    group(base / "job/step", 400, 300, "inactive_file 0")
    assert memory_left(tmp_path) == 100
    group(base / "job/step", 400, 500, "inactive_file 0")
    assert memory_left(tmp_path) == 0


@pytest.mark.parametrize("inside", ["slurm/job_1", ""])  # a container sees its group as the root
def test_groups_of_the_first_version(tmp_path, inside):
    placed(tmp_path, "4:memory:/slurm/job_1")
    names = ("memory.limit_in_bytes", "memory.usage_in_bytes")
    folder = tmp_path / "sys/fs/cgroup/memory" / inside
    group(folder, 900, 800, "inactive_file 1\ntotal_inactive_file 50", names)
    assert memory_left(tmp_path) == 150


def test_no_group_is_no_limit(tmp_path):
    assert memory_left(tmp_path) == math.inf
    placed(tmp_path, "0::/../elsewhere")
    assert memory_left(tmp_path) == math.inf


def test_free_memory_is_what_the_groups_leave(monkeypatch):
    monkeypatch.setattr(capacity, "memory_left", lambda: 7.0)
    assert capacity.free_memory() == 7.0
