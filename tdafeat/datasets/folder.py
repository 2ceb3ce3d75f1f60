"""A folder of images, one sub-folder per class, and copies of it that come already corrupted."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from tdafeat.datasets.imageset import ImageSet, Split
from tdafeat.datasets.location import stamp
from tdafeat.datasets.picture import SUFFIXES, read_picture
from tdafeat.errors import DataUnavailable, Unpaired, UnreadableData

_SPLIT_FOLDERS: dict[Split, tuple[str, ...]] = {
    "train": ("train",),
    "test": ("test", "val", "valid", "validation"),
}


def load(detail: str, split: Split, root: Path | None, seed: int) -> ImageSet:
    """Open images of one's own that lie as PATH/CLASS/IMAGE: ``folder:PATH``.

    Where PATH has the sub-folders ``train`` and ``test`` (or ``val``), they are the splits.
    Otherwise each class is halved by a hash of the images' ids, the same way every time.
    A relative PATH is taken from the working folder, not from the data root.

    Raises
    ------
    DataUnavailable if PATH is no folder; UnreadableData if it holds fewer than two classes, a class
    without images, or one with a single image where it has to be halved.
    """
    if not detail:
        raise ValueError("a folder of images is named as 'folder:PATH'")
    path = Path(detail)
    if not path.is_dir():
        raise DataUnavailable(f"{path} is not a folder; put images there as CLASS/IMAGE")
    own = {key: _first_folder(path, names) for key, names in _SPLIT_FOLDERS.items()}
    if any(own.values()) and not all(own.values()):
        present = next(folder for folder in own.values() if folder)
        raise UnreadableData(
            f"{path} has {present.name}/ but not its partner; name the splits train/ and test/, or "
            "put the classes directly into the folder"
        )
    ready = own[split]
    images = _scan(ready or path, f"folder:{detail}", split)
    return images if ready else images.half()


def with_corrupted(images: ImageSet, root: Path) -> ImageSet:
    """The same images with their already corrupted copies as `severities`, paired by id.

    `root` holds ``SEVERITY/CLASS/IMAGE`` with severities 1, 2, ..., as ImageNet-C ships, or
    ``CLASS/IMAGE`` for severity 1 alone. Images that only `root` has are left out.

    Raises
    ------
    DataUnavailable if `root` is no folder; UnreadableData if it is laid out otherwise; Unpaired
    naming an image of `images` that has no copy.
    """
    if not root.is_dir():
        raise DataUnavailable(f"{root} is not a folder; corrupted images are looked for there")
    names = [folder.name for folder in _folders(root)]
    if set(images.classes) <= set(names):
        copies = {1: root}
    elif names and set(names) == {str(k + 1) for k in range(len(names))}:
        copies = {k + 1: root / str(k + 1) for k in range(len(names))}
    else:
        raise UnreadableData(
            f"{root} must hold the severities 1, 2, ... or the classes of {images.name} as "
            f"sub-folders; it holds {', '.join(names[:5]) or 'none'}"
        )
    severities = {severity: _paired(images, copy) for severity, copy in copies.items()}
    return replace(images, severities=severities)


def _folders(path: Path) -> list[Path]:
    return sorted(p for p in path.iterdir() if p.is_dir() and not p.name.startswith("."))


def _first_folder(path: Path, names: tuple[str, ...]) -> Path | None:
    return next((path / name for name in names if (path / name).is_dir()), None)


def _pictures(folder: Path) -> list[Path]:
    return sorted(
        p
        for p in folder.rglob("*")
        if p.suffix.lower() in SUFFIXES and not p.name.startswith(".") and p.is_file()
    )


def _scan(path: Path, name: str, split: Split) -> ImageSet:
    classes = _folders(path)
    if len(classes) < 2:
        raise UnreadableData(
            f"{path} must hold at least two class folders with images in them; it holds "
            f"{len(classes)}"
        )
    found = [_pictures(folder) for folder in classes]
    for folder, pictures in zip(classes, found, strict=True):
        if not pictures:
            raise UnreadableData(f"class folder {folder} holds no image")
    paths = [picture for pictures in found for picture in pictures]
    ids = tuple(picture.relative_to(path).as_posix() for picture in paths)
    return ImageSet(
        name=name,
        split=split,
        ids=ids,
        labels=np.repeat(np.arange(len(classes)), [len(pictures) for pictures in found]),
        classes=tuple(folder.name for folder in classes),
        version=stamp(paths, ids),
        read=partial(_read, tuple(paths)),
    )


def _paired(images: ImageSet, path: Path) -> ImageSet:
    paths = [path / i for i in images.ids]
    missing = [i for i, copy in zip(images.ids, paths, strict=True) if not copy.is_file()]
    if missing:
        raise Unpaired(
            f"{path} has no copy of {len(missing)} of the {len(images)} images of {images.name}, "
            f"for example {missing[0]}"
        )
    return replace(
        images,
        name=f"folder:{path}",
        version=stamp(paths, images.ids),
        read=partial(_read, tuple(paths)),
        severities={},
    )


def _read(paths: tuple[Path, ...], index: int) -> np.ndarray:
    return read_picture(paths[index])
