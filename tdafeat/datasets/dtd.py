"""The Describable Textures Dataset (Cimpoi et al. 2014), laid out as torchvision lays it out."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from tdafeat.compat import import_torchvision
from tdafeat.datasets.imageset import ImageSet, Split
from tdafeat.datasets.location import data_root, download, stamp
from tdafeat.datasets.picture import read_picture
from tdafeat.errors import DataUnavailable, UnreadableData

_SPLIT_FILES: dict[Split, tuple[str, ...]] = {
    "train": ("train1.txt", "val1.txt"),
    "test": ("test1.txt",),
}


PUBLISHED: dict[Split, int] = {"train": 3760, "test": 1880}
OTHER_SPLIT = (
    "These {:,} images are not the published {} split of DTD: accuracies do not compare with "
    "published ones."
)


def load(detail: str, split: Split, root: Path | None, seed: int) -> ImageSet:
    """Open DTD: its first partition, ``train`` being train1 and val1 together, ``test`` test1.

    The classes are those the three files name: any number of the 47 may be present.

    Raises
    ------
    DataUnavailable if the images are neither here nor can be downloaded; UnreadableData if a
    split file is damaged or names an image that is missing.
    """
    if detail:
        raise ValueError(f"dtd takes nothing after its name; got {detail!r}")
    base = data_root(root)
    home = base / "dtd" / "dtd"
    if not home.is_dir():
        download(
            lambda: import_torchvision().datasets.DTD(str(base), download=True),
            what="DTD",
            where=home,
            contents="its folders images/ and labels/",
        )
    listed = {name: _listed(home, name) for names in _SPLIT_FILES.values() for name in names}
    classes = sorted({entry.split("/")[0] for entries in listed.values() for entry in entries})
    ids = tuple(entry for name in _SPLIT_FILES[split] for entry in listed[name])
    paths = tuple(home / "images" / entry for entry in ids)
    for path in paths:
        if not path.is_file():
            raise UnreadableData(
                f"{path} is listed in {home / 'labels'} but is not there; put it there, or delete "
                f"{home} to have it downloaded anew"
            )
    return ImageSet(
        name="dtd",
        split=split,
        ids=ids,
        labels=np.array([classes.index(entry.split("/")[0]) for entry in ids]),
        classes=tuple(classes),
        version=stamp(paths, ids),
        read=partial(_read, paths),
        remark="" if len(ids) == PUBLISHED[split] else OTHER_SPLIT.format(len(ids), split),
    )


def _listed(home: Path, name: str) -> list[str]:
    path = home / "labels" / name
    if not path.is_file():
        raise DataUnavailable(f"{path} is missing; DTD's split files belong there")
    entries = path.read_text(encoding="utf-8", errors="replace").split()
    for entry in entries:
        if len(entry.split("/")) != 2 or ".." in entry:
            raise UnreadableData(f"{path} must list images as CLASS/IMAGE; it has {entry!r}")
    if not entries:
        raise UnreadableData(f"{path} lists no image")
    return entries


def _read(paths: tuple[Path, ...], index: int) -> np.ndarray:
    return read_picture(paths[index])
