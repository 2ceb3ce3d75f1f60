import errno
import multiprocessing
import os
import stat
import sys
import zipfile

import fsspec
import numpy as np
import pandas as pd
import pytest

from tdafeat.artefact import CHECKSUM, meta, pack, unpack
from tdafeat.errors import DataUnavailable, StoreFailed, UnreadableData
from tdafeat.files import at, hold, make_folder
from tdafeat.store import Store, digest

SPEC = {"cloud": "abc", "version": 1}
TABLE = pd.DataFrame({"birth": [0.0, 0.5], "death": [1.0, np.inf]})


@pytest.fixture(params=["folder", "memory"])
def store(request, tmp_path):
    root = tmp_path / "store" if request.param == "folder" else f"memory://{tmp_path}"
    store = Store(root)
    store.write("topology", SPEC, tables={"diagrams": TABLE}, arrays={"x": np.eye(3)})
    return store


def test_what_is_written_is_read(store):
    artefact = store.read("topology", SPEC)
    pd.testing.assert_frame_equal(artefact.tables["diagrams"], TABLE)
    np.testing.assert_array_equal(artefact.arrays["x"], np.eye(3))


def test_a_file_url_is_a_path(tmp_path):
    assert Store(f"file://{tmp_path}").root == tmp_path


def test_a_url_nothing_reads_is_one_sentence():
    with pytest.raises(DataUnavailable, match="nowhere://x cannot be used"):
        Store("nowhere://x")


@pytest.mark.parametrize(
    ("stage", "spec"),
    [
        ("measure", SPEC),
        ("topology", {**SPEC, "version": 2}),
        ("topology", {**SPEC, "cloud": "abd"}),
        ("topology", {**SPEC, "extra": None}),
    ],
)
def test_any_other_address_is_empty(store, stage, spec):
    assert store.read(stage, spec) is None
    assert not store.intact(stage, spec)


def test_key_does_not_depend_on_the_order_of_fields():
    assert digest({"a": 1, "b": [1, 2]}) == digest({"b": [1, 2], "a": 1})
    assert digest({"a": [1, 2]}) != digest({"a": [2, 1]})


def test_nan_in_a_specification_is_refused():
    with pytest.raises(ValueError):
        digest({"sigma": float("nan")})


def test_every_flipped_bit_and_every_truncation_is_noticed(tmp_path):
    """One byte after the other, the names and sizes of the archive and its checksum included."""
    store = Store(tmp_path)
    store.write("text", SPEC, arrays={"x": np.arange(3.0)})
    path = store.path("text", SPEC)
    whole = path.read_bytes()
    for place in range(len(whole)):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << (place % 8)
        path.write_bytes(damaged)
        assert not store.intact("text", SPEC), place
        path.write_bytes(whole[:place])
        assert store.read("text", SPEC) is None, place
    store.write("text", SPEC, arrays={"x": np.arange(3.0)})
    assert path.read_bytes() == whole  # the same artefact is the same bytes


def test_an_artefact_opens_as_a_zip_archive(store, tmp_path):
    copy = tmp_path / "copy.zip"
    copy.write_bytes(store.path("topology", SPEC).read_bytes())
    with zipfile.ZipFile(copy) as archive:
        assert archive.namelist() == ["meta.json", "diagrams.parquet", "x.npy"]
        assert archive.testzip() is None


def forged(change):
    """An artefact whose checksum holds, and whose inside is not what `pack` makes."""
    import hashlib
    import io

    buffer = io.BytesIO(bytes(pack({"spec": {}}, {}, {"x": np.eye(2)})))
    with zipfile.ZipFile(buffer, "a") as archive:
        change(archive)
        archive.comment = bytes(CHECKSUM)
    content = buffer.getvalue()[:-CHECKSUM]
    return content + hashlib.sha256(content).hexdigest().encode()


@pytest.mark.parametrize(
    "change",
    [
        lambda archive: archive.writestr("bomb.npy", bytes(10**6), zipfile.ZIP_DEFLATED),
        lambda archive: archive.writestr("objects.npy", b"\x93NUMPY\x01\x00"),
        lambda archive: archive.writestr("table.parquet", b"PAR1"),
    ],
    ids=["compressed", "no array", "no table"],
)
def test_a_checksum_alone_is_not_trusted(change):
    with pytest.raises(UnreadableData, match="not one of tdafeat"):
        unpack(forged(change))


def test_names_in_an_archive_never_reach_a_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    content = forged(lambda archive: archive.writestr("../../escaped.txt", b"x"))
    assert set(unpack(content).arrays) == {"x"}
    assert list(tmp_path.iterdir()) == []


def test_failed_write_leaves_nothing(tmp_path, monkeypatch):
    store = Store(tmp_path)
    store.write("topology", SPEC, tables={"diagrams": TABLE})

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tdafeat.files.os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        store.write("topology", {**SPEC, "version": 2}, tables={"metrics": TABLE})
    (kept,) = (path for path in tmp_path.rglob("*") if path.is_file())
    assert kept == store.path("topology", SPEC)
    assert store.intact("topology", SPEC)


def test_second_writer_of_the_same_content_is_harmless(store):
    store.write("topology", SPEC, tables={"diagrams": TABLE}, arrays={"x": np.eye(3)})
    assert store.intact("topology", SPEC)


def test_objects_are_never_pickled(store):
    with pytest.raises(ValueError, match=r"pickle|Object arrays"):
        store.write("measure", SPEC, arrays={"x": np.array([object()])})


def test_meta_says_what_the_artefact_answers(store):
    found = meta(store.path("topology", SPEC).read_bytes())
    assert (found["stage"], found["spec"]) == ("topology", SPEC)


@pytest.mark.filterwarnings("ignore:UPath 'served' filesystem")
def test_a_url_whose_folders_must_be_made_is_written_to(tmp_path):
    """File systems of servers, unlike object stores and memory, make no folder by themselves."""
    import fsspec
    from fsspec.implementations.local import LocalFileSystem

    class Served(LocalFileSystem):
        protocol = "served"

        @classmethod
        def _strip_protocol(cls, path):
            return super()._strip_protocol(str(path).removeprefix("served://"))

    fsspec.register_implementation("served", Served, clobber=True)
    store = Store(f"served://{tmp_path}/store")
    for version in (1, 2):
        store.write("topology", SPEC | {"version": version}, tables={"diagrams": TABLE})
        assert store.intact("topology", SPEC | {"version": version})


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP])
def test_folders_that_cannot_be_flushed_are_left_to_their_file_system(
    tmp_path, monkeypatch, number
):
    flush = os.fsync

    def fsync(handle):
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(number, os.strerror(number))
        flush(handle)

    monkeypatch.setattr("tdafeat.files.os.fsync", fsync)
    store = Store(tmp_path)
    store.write("topology", SPEC, tables={"diagrams": TABLE})
    assert store.intact("topology", SPEC)


def test_no_bucket_is_made_of_a_name_that_was_misspelt(monkeypatch):
    made = []

    class NoSuchBucket(fsspec.AbstractFileSystem):
        """As s3fs answers where there is none; of a folder in it, it would make the bucket."""

        protocol = "s3"
        cachable = False

        def pipe_file(self, path, value, **_):
            raise FileNotFoundError(errno.ENOENT, "The specified bucket does not exist")

        def info(self, path, **_):
            raise FileNotFoundError(path)

        def mkdir(self, path, **_):
            made.append(path)

        makedirs = mkdir

    monkeypatch.setitem(sys.modules["fsspec.registry"]._registry, "s3", NoSuchBucket)
    with pytest.raises(StoreFailed, match="s3://misspelt/store/.* bucket does not exist"):
        Store("s3://misspelt/store").write("topology", SPEC)
    make_folder(at("s3://misspelt/run"))
    assert made == []


def test_unfinished_work_of_a_url_lies_in_the_users_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    store = Store(f"memory://{tmp_path}")
    with store.unfinished("training") as folder:
        assert tmp_path / "cache" in folder.parents
        (folder / "state").write_text("half")
        with hold(tmp_path / "cache" / "tdafeat" / ".locks" / "unfinished-training", False) as mine:
            assert mine is False
    with store.unfinished("training") as folder:
        assert (folder / "state").read_text() == "half"
        (folder / "state").unlink()
    assert not folder.exists()


def claimed_elsewhere(root, answer):
    with Store(root).claim("topology", SPEC, wait=False) as mine:
        answer.put(mine)


def test_one_process_at_a_time_holds_a_claim(tmp_path):
    spawn = multiprocessing.get_context("spawn")
    answer = spawn.Queue()

    def asked():
        other = spawn.Process(target=claimed_elsewhere, args=(tmp_path, answer))
        other.start()
        other.join()
        return answer.get(timeout=10)

    store = Store(tmp_path)
    with store.claim("topology", SPEC) as mine:
        assert mine
        assert not asked()
    assert asked()


@pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")
def test_a_store_that_cannot_be_written_to_is_read_without_locks(tmp_path, monkeypatch):
    store = Store(tmp_path)
    store.write("topology", SPEC, tables={"diagrams": TABLE})

    def refused(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("filelock.FileLock.acquire", refused)
    with store.claim("topology", SPEC) as mine:
        assert mine
        assert store.intact("topology", SPEC)
