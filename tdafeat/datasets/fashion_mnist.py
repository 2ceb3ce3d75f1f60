"""Fashion-MNIST (Xiao, Rasul, Vollgraf 2017): IDX files, gzipped or plain, of any length."""

from __future__ import annotations

import gzip
import hashlib
import math
import zlib
from functools import partial
from pathlib import Path

import numpy as np

from tdafeat.compat import import_torchvision
from tdafeat.datasets.imageset import ImageSet, Split
from tdafeat.datasets.location import data_root, download
from tdafeat.errors import UnreadableData

CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
_PREFIX: dict[Split, str] = {"train": "train", "test": "t10k"}
_MAX_BYTES = 1 << 30  # no IDX file of this data set comes near


PUBLISHED: dict[Split, int] = {"train": 60_000, "test": 10_000}
OTHER_SPLIT = (
    "These {:,} images are not the published {} split of Fashion-MNIST: accuracies do not compare "
    "with published ones."
)


def load(detail: str, split: Split, root: Path | None, seed: int) -> ImageSet:
    """Open Fashion-MNIST; images are (28, 28) grey, ``test`` is the t10k files.

    Raises
    ------
    DataUnavailable if the files are neither here nor can be downloaded; UnreadableData naming
    a file that is truncated, no IDX file, or disagrees with its companion.
    """
    if detail:
        raise ValueError(f"fashion_mnist takes nothing after its name; got {detail!r}")
    base = data_root(root)
    home = base / "FashionMNIST" / "raw"
    names = [f"{_PREFIX[split]}-images-idx3-ubyte", f"{_PREFIX[split]}-labels-idx1-ubyte"]
    if not all(_find(home, name) for name in names):
        download(
            lambda: import_torchvision().datasets.FashionMNIST(str(base), download=True),
            what="Fashion-MNIST",
            where=home,
            contents=f"{names[0]} and {names[1]}, plain or as .gz,",
        )
    pixels, labels = (read_idx(_find(home, name) or home / name) for name in names)
    if pixels.ndim != 3 or labels.shape != pixels.shape[:1]:
        raise UnreadableData(
            f"{home / names[0]} must hold one image per label of {names[1]}; "
            f"their shapes are {pixels.shape} and {labels.shape}"
        )
    if len(labels) and labels.max() >= len(CLASSES):
        raise UnreadableData(f"{home / names[1]} must hold labels 0 to 9; it has {labels.max()}")
    return ImageSet(
        name="fashion_mnist",
        split=split,
        ids=tuple(f"{split}-{k:05d}" for k in range(len(labels))),
        labels=labels.astype(np.int64),
        classes=CLASSES,
        version=hashlib.sha256(pixels.tobytes() + labels.tobytes()).hexdigest()[:16],
        read=partial(_row, pixels),
        remark="" if len(labels) == PUBLISHED[split] else OTHER_SPLIT.format(len(labels), split),
    )


def read_idx(path: Path) -> np.ndarray:
    """Array of unsigned bytes in an IDX file, plain or gzipped.

    The format: two zero bytes, the type (8 for unsigned byte), the number of axes, each length
    as a big-endian 32-bit integer, then the entries.

    Raises
    ------
    UnreadableData naming the file if it is anything else.
    """
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise UnreadableData(f"{path} cannot be read ({error})") from error
    if len(data) < 4 or data[:3] != b"\x00\x00\x08" or not 1 <= data[3] <= 3:
        raise UnreadableData(f"{path} is not an IDX file of unsigned bytes")
    start = 4 + 4 * data[3]
    shape = tuple(int(n) for n in np.frombuffer(data[4:start].ljust(start - 4), dtype=">u4"))
    if len(data) != start + math.prod(shape):
        raise UnreadableData(
            f"{path} is {len(data)} bytes long where its header, for an array of shape {shape}, "
            f"asks for {start + math.prod(shape)}"
        )
    try:
        return np.frombuffer(data, dtype=np.uint8, offset=start).reshape(shape)
    except ValueError as error:  # no entries, of axes that are too long together
        raise UnreadableData(f"{path} has an array of shape {shape}; {error}") from None


def _find(home: Path, name: str) -> Path | None:
    return next((p for p in (home / name, home / f"{name}.gz") if p.is_file()), None)


def _row(pixels: np.ndarray, index: int) -> np.ndarray:
    return pixels[index]
