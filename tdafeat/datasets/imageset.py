"""Labelled images: what every data set is to the rest of the suite."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Literal

import numpy as np

from tdafeat.errors import UnreadableData

Split = Literal["train", "test"]


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Images read one at a time, with a stable id and a class for each.

    Attributes
    ----------
    name : as given to `tdafeat.datasets.load`.
    split : ``"train"`` or ``"test"``.
    ids : one per image, unique, the same on every machine: a relative path or a number.
        Clean and noisy features are paired by it, and the noise of an image is drawn from it.
    labels : (n,) int64, positions in `classes`.
    classes : class names, as the data set spells them.
    version : changes whenever the pixels may have changed; goes into cache keys.
    read : position -> uint8 array of shape (height, width, 3), or (height, width) where grey.
    severities : for images that come already corrupted, one set per severity from 1,
        row by row the same ids as here; empty otherwise.
    remark : what must stand beside any number measured on it, such as that the split is not the
        published one; usually empty.
    """

    name: str
    split: str
    ids: tuple[str, ...]
    labels: np.ndarray
    classes: tuple[str, ...]
    version: str
    read: Callable[[int], np.ndarray]
    severities: Mapping[int, ImageSet] = field(default_factory=dict)
    remark: str = ""

    def __post_init__(self) -> None:
        labels = np.asarray(self.labels, dtype=np.int64)
        object.__setattr__(self, "labels", labels)
        if labels.shape != (len(self.ids),):
            raise ValueError(
                f"labels must have one entry per image: {len(self.ids)} ids, shape {labels.shape}"
            )
        if len(set(self.ids)) != len(self.ids):
            raise ValueError(f"ids of {self.name} must be unique")
        if len(labels) and not (labels.min() >= 0 and labels.max() < len(self.classes)):
            raise ValueError(f"labels must lie in 0..{len(self.classes) - 1}, one per class")

    def __len__(self) -> int:
        return len(self.ids)

    def subset(self, indices: Sequence[int] | np.ndarray) -> ImageSet:
        """Return the images at these positions, in this order; `classes` stays whole."""
        chosen = np.asarray(indices, dtype=np.int64)
        return replace(
            self,
            ids=tuple(self.ids[i] for i in chosen),
            labels=self.labels[chosen],
            read=partial(_read_at, self.read, chosen),
            severities={s: noisy.subset(chosen) for s, noisy in self.severities.items()},
        )

    def per_class(self, n: int, seed: int = 0) -> ImageSet:
        """At most `n` images of each class, the same number of each.

        The choice is by a hash of (seed, id), so that a larger `n` keeps what a smaller one
        took. Where a class has fewer than `n`, all classes are cut to the smallest one.

        Raises
        ------
        ValueError if `n` is not positive or a class has no image.
        """
        if n < 1:
            raise ValueError(f"limit must be at least 1 image per class; got {n}")
        counts = np.bincount(self.labels, minlength=len(self.classes))
        if not counts.all():
            empty = self.classes[int(np.argmin(counts))]
            raise ValueError(f"class {empty!r} of {self.name} has no {self.split} image")
        n = min(n, int(counts.min()))
        order = hash_order(self.ids, seed)
        taken = [order[self.labels[order] == label][:n] for label in range(len(self.classes))]
        return self.subset(np.sort(np.concatenate(taken)))

    def half(self) -> ImageSet:
        """The half of each class that belongs to `split`, for images that come without one.

        The choice is by a hash of the id; of an odd number train takes one more.

        Raises
        ------
        UnreadableData if a class has a single image.
        """
        order = hash_order(self.ids, seed=0)
        chosen: list[int] = []
        for label, name in enumerate(self.classes):
            members = order[self.labels[order] == label]
            if len(members) < 2:
                raise UnreadableData(
                    f"class {name!r} of {self.name} has 1 image; at least 2 are needed, "
                    f"so that train and test each get one"
                )
            first = (len(members) + 1) // 2
            chosen.extend(members[:first] if self.split == "train" else members[first:])
        return self.subset(sorted(chosen))


def hash_order(ids: Sequence[str], seed: int) -> np.ndarray:
    """Positions of `ids` in the order of a hash of (seed, id): random, yet fixed for each id.

    Examples
    --------
    >>> whole = [i for i in hash_order(["a", "b", "c", "d"], seed=0) if i < 3]
    >>> whole == hash_order(["a", "b", "c"], seed=0).tolist()
    True
    """
    digests = [hashlib.blake2b(f"{seed}/{i}".encode(), digest_size=16).digest() for i in ids]
    return np.array(sorted(range(len(digests)), key=digests.__getitem__), dtype=np.int64)


def _read_at(read: Callable[[int], np.ndarray], chosen: np.ndarray, index: int) -> np.ndarray:
    return read(int(chosen[index]))
