"""The readers of what others wrote, and valid inputs for them."""

import contextlib
import gzip
import hashlib
import io
import json
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pandas as pd

from tdafeat import datasets
from tdafeat.artefact import CHECKSUM, META, meta, pack
from tdafeat.cells import Cloud
from tdafeat.datasets.fashion_mnist import read_idx
from tdafeat.encoders.checkpoint import fill, read_weights
from tdafeat.geometry import Moments, PairedMoments, load_moments, save_moments
from tdafeat.run import MANIFEST, _manifest, _table
from tdafeat.store import Store
from tdafeat.topology import interchange, load_diagrams, save_diagrams
from tdafeat.topology.diagrams import Diagrams
from tdafeat.upkeep import garbage
from tdafeat.watch import status
from tests.fuzz import mutation
from tests.fuzz.harness import Target

# ---- IDX files: images and labels of Fashion-MNIST -----------------------------------------------


def idx_files() -> list[bytes]:
    pixels = np.arange(2 * 3 * 4, dtype=np.uint8).tobytes()
    images = struct.pack(">I3I", 0x803, 2, 3, 4) + pixels
    labels = struct.pack(">II", 0x801, 2) + bytes([3, 9])
    return [images, labels, gzip.compress(images, mtime=0), gzip.compress(labels, mtime=0)]


def read_idx_file(content: bytes, place: Path) -> None:
    suffix = ".gz" * (content[:2] == b"\x1f\x8b")
    path = place / f"t10k-images-idx3-ubyte{suffix}"
    path.write_bytes(content)
    array = read_idx(path)
    assert array.dtype == np.uint8
    assert array.size <= 2**30


# ---- a folder of images: the tree as a ZIP archive of its files ----------------------------------


def folders() -> list[bytes]:
    from PIL import Image

    grey = np.arange(20, dtype=np.uint8).reshape(4, 5)
    forms = {
        **{kind: Image.fromarray(np.stack([grey] * 3, axis=2)) for kind in ("jpg", "bmp", "webp")},
        "png": Image.fromarray(np.stack([grey] * 4, axis=2)),
        "gif": Image.fromarray(grey).convert("P"),
        "tif": Image.fromarray(grey.astype(np.uint16)),
        "pgm": Image.fromarray(grey),
        "tiff": Image.fromarray(grey).convert("CMYK"),
    }
    files = {}
    for suffix, image in forms.items():
        buffer = io.BytesIO()
        image.save(buffer, {"jpg": "JPEG", "tif": "TIFF", "pgm": "PPM"}.get(suffix, suffix))
        files[suffix] = buffer.getvalue()
    pairs = [("png", "jpg"), ("gif", "bmp"), ("tif", "webp"), ("pgm", "tiff")]
    plain = [
        {f"{c}/{k}.{kind}": files[kind] for c in "ab" for k, kind in enumerate(pair)}
        for pair in pairs
    ]
    split = {f"{s}/{c}/1.png": files["png"] for s in ("train", "test") for c in "ab"}
    return [mutation.rezipped(tree) for tree in (*plain, split)]


def read_folder(content: bytes, place: Path) -> None:
    try:
        members = mutation.unzipped(content)
    except Exception:  # no tree to lay out
        return
    root = place / "tree"
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir()
    for name, body in members.items():
        parts = [part for part in name.split("/") if part not in ("", ".", "..")]
        with contextlib.suppress(OSError, ValueError):  # a name no file system takes
            path = root.joinpath(*parts)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(body)
    for part in ("train", "test"):
        images = datasets.load(f"folder:{root}", part)
        for k in range(len(images)):
            pixels = images.read(k)
            assert pixels.dtype == np.uint8
            assert pixels.ndim == 2 or pixels.shape[2] == 3


# ---- checkpoints ---------------------------------------------------------------------------------


def checkpoints() -> list[bytes]:
    import torch
    from safetensors.torch import save

    state = {"weight": torch.arange(6.0).reshape(2, 3), "bias": torch.ones(2)}
    files = [save(state, metadata={"format": "pt"})]
    half = {"state_dict": {f"module.{name}": t.half() for name, t in state.items()}, "epoch": 3}
    for held, new in ((state, True), (state, False), (half, True)):
        buffer = io.BytesIO()
        torch.save(held, buffer, _use_new_zipfile_serialization=new)
        files.append(buffer.getvalue())
    return files


def mutate_checkpoint(content: bytes, rng: Random) -> bytes:
    if content[:2] == b"PK":
        return mutation.zipped(lambda name: mutation.blob, compress=False)(content, rng)
    if content[8:9] == b"{":
        return mutation.safetensors(content, rng)
    return mutation.blob(content, rng)


def read_checkpoint(content: bytes, place: Path) -> None:
    import torch

    path = place / ("w.safetensors" if content[8:9] == b"{" else "w.pt")
    path.write_bytes(content)
    fill(torch.nn.Linear(3, 2), read_weights(path), path)


# ---- diagrams: files of them, and the forms of other libraries -----------------------------------


def diagram_files() -> list[bytes]:
    bars = ([[[0, 1.5], [0, np.inf]], [[0.5, 1.0]]], [[]])
    return _saved(save_diagrams, *(Diagrams(each, {"engine": "by hand", "n": 3}) for each in bars))


def _saved(save: Callable[[Path, Any], object], *things: Any) -> list[bytes]:
    """The files that a writer makes of things."""
    import tempfile

    files = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "d.npz"
        for thing in things:
            save(path, thing)
            files.append(path.read_bytes())
    return files


def read_diagrams(content: bytes, place: Path) -> None:
    path = place / "d.npz"
    path.write_bytes(content)
    found = load_diagrams(path)
    save_diagrams(path, found)
    again = load_diagrams(path)
    assert len(again) == len(found)
    assert all(np.array_equal(a, b) for a, b in zip(again, found, strict=True))


def foreign_diagrams() -> list[bytes]:
    inf = float("inf")
    forms = [
        {"ripser": {"dgms": [[[0, 1], [0, inf]], [[0.5, 0.75]]], "r_cover": 0.5}},
        {"ripser": [[[0, 1], [0, inf]], []]},
        {"gudhi": [[1, [1.0, 1.5]], [0, [0.0, inf]], [0, [0.0, 1.0]]]},
        {"gudhi": [[[0.0, 1.0], [0.0, inf]], [[1.0, 1.25]]]},
        {"giotto": [[[0, 1, 0], [0, 2, 0], [1, 2, 1]], [[0, 1, 0], [0, 0, 0], [1, 1, 1]]]},
    ]
    return [json.dumps(form).encode() for form in forms]


def read_foreign(content: bytes, place: Path) -> None:
    try:
        ((form, value),) = json.loads(content).items()
        convert = getattr(interchange, f"from_{form}")
    except (ValueError, AttributeError, RecursionError):
        return
    found = convert(value)
    for diagrams in found if form == "giotto" else [found]:
        for to in (interchange.to_ripser, interchange.to_persim, interchange.to_gudhi):
            to(diagrams)
        interchange.to_giotto([diagrams])


# ---- run folders: a manifest, a table, a progress file -------------------------------------------


def run_files() -> list[bytes]:
    cell = {"dataset": ["d"], "split": ["test"], "encoder": ["e"], "layer": [""], "noise": ["n"]}
    cell |= {"severity": [0], "parameter": [0.0], "seed": [0]}
    cell |= {"scope": ["all"], "metric": ["koleo"], "value": [0.5]}
    cell |= {"image": ["a"], "column": [0], "row": [0]}
    cell |= {"label": ["b"], "method": ["pca"], "x": [0.5], "y": [1.0]}
    buffer = io.BytesIO()
    pd.DataFrame(cell).to_parquet(buffer, index=False)
    manifest = {
        **{"schema": 1, "name": "n", "title": "t", "question": "?", "classes": ["a", "b"]},
        **{"encoders": [{"name": "e", "layer": ""}], "noise": {"name": "g", "levels": [0.1]}},
        **{"holes": [], "n_per_class": 3, "metrics": {"koleo": {"title": "KoLeo"}}},
    }
    progress = {
        **{"name": "n", "state": "running", "title": "cells", "stage": "probe", "done": 3},
        **{"found": 1, "failed": 0, "total": 9, "pace": 0.5, "to_go": None, "updated": "2024"},
    }
    return [buffer.getvalue(), json.dumps(manifest).encode(), json.dumps(progress).encode()]


def mutate_run(content: bytes, rng: Random) -> bytes:
    return (mutation.parquet if content[:4] == b"PAR1" else mutation.text)(content, rng)


def read_run(content: bytes, place: Path) -> None:
    """A parquet file as one of three tables, else the progress of a run, or its manifest.

    `Run.read` would make the other tables, all empty, every time.
    """
    name = ("metrics", "thumbnails", "projections")[len(content) % 3]
    path = place / "progress.json"
    path.write_bytes(content)
    if b'"state"' in content:
        status(place).lines()
    elif content[:4] == b"PAR1":
        assert isinstance(_table(path, name, content), pd.DataFrame)
    else:
        assert _manifest(path).keys() >= MANIFEST.keys()


# ---- the store: artefacts whose checksum holds ---------------------------------------------------

ROWS = {"version": 1, "content": "c"}


def artefacts() -> list[bytes]:
    rows = pd.DataFrame({"id": ["a", "b"], "label": [0, 1]})
    classes = pd.DataFrame({"name": ["x", "y"]})
    features = np.arange(6, dtype=np.float32).reshape(2, 3)
    about = {"schema": 2, "stage": "features", "spec": ROWS}
    return [bytes(pack(about, {"rows": rows, "classes": classes}, {"features": features}))]


def member_of_artefact(name: str) -> mutation.Mutator:
    if name == META:
        return mutation.text
    return mutation.npy if name.endswith(".npy") else mutation.parquet


def mutate_artefact(content: bytes, rng: Random) -> bytes:
    """Damage that a checksum does not tell of, or that it does."""
    changed = mutation.zipped(member_of_artefact)(content, rng)
    if rng.randrange(5) == 0:
        return changed
    if changed[-22:-20] == b"PK":  # no comment yet: room for a checksum
        changed = changed[:-2] + struct.pack("<H", CHECKSUM) + bytes(CHECKSUM)
    content = changed[:-CHECKSUM]
    return content + hashlib.sha256(content).hexdigest().encode()


def read_artefact(content: bytes, place: Path) -> None:
    store = Store(place / "store")
    path = store.path("features", ROWS)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    useless = {"damaged", "of an earlier version", "under another's name"}
    assert {dropping.reason for dropping in garbage(store)} <= useless
    if not store.intact("features", ROWS):
        assert store.read("features", ROWS) is None
        meta(content)
    with contextlib.suppress(FileNotFoundError):  # it is damaged
        Cloud((ROWS,)).read(store)


# ---- moments: artefacts too, of fewer forms ------------------------------------------------------


def moment_files() -> list[bytes]:
    rows = np.arange(12.0).reshape(4, 3) ** 2
    single = Moments.of(rows, [0, 1, 1, 0], scatters=True)
    return _saved(save_moments, single, PairedMoments.of(rows, rows[:, :2]))


def read_moments(content: bytes, place: Path) -> None:
    path = place / "part"
    path.write_bytes(content)
    found = load_moments(path)
    save_moments(path, found)
    assert type(load_moments(path)) is type(found)


TARGETS = {
    target.name: target
    for target in (
        Target("idx", read_idx_file, idx_files, mutation.gzipped(mutation.blob)),
        Target("folder", read_folder, folders, mutation.zipped(lambda name: mutation.png)),
        Target("checkpoint", read_checkpoint, checkpoints, mutate_checkpoint),
        Target(
            "diagrams",
            read_diagrams,
            diagram_files,
            mutation.zipped(lambda name: mutation.npy),
        ),
        Target(
            "interchange",
            read_foreign,
            foreign_diagrams,
            mutation.text,
            (ValueError, TypeError),
        ),
        Target("run", read_run, run_files, mutate_run),
        Target("store", read_artefact, artefacts, mutate_artefact),
        Target("moments", read_moments, moment_files, mutate_artefact),
    )
}
