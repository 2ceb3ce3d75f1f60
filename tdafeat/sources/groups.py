"""What a source hands to a study: the cells of one encoder, with where their features lie."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tdafeat.cells import Cell, Cloud


@dataclass(frozen=True)
class Group:
    """The cells of one encoder and seed: the same images at every severity.

    Attributes
    ----------
    cells, clouds : by severity; 0 (clean, or the start of a training) is always there.
    train : by severity, the features the predictors are fitted on: the same clean ones under
        noise, those of the same step in a training.
    text : specification of the stored class directions of a text tower, if there is one.
    image_shape : (channels, height, width) where the features are images.
    head : specification of the encoder's own stored classifier, if it knows these classes.
    tokens : whether several rows are of one image, named ``ID#POSITION``.
    """

    cells: Mapping[int, Cell]
    clouds: Mapping[int, Cloud]
    train: Mapping[int, Cloud]
    text: Mapping[str, Any] | None = None
    image_shape: tuple[int, int, int] | None = None
    head: Mapping[str, Any] | None = None
    tokens: bool = False


@dataclass(frozen=True)
class Size:
    """How large the cells of an encoder are, and how many.

    Attributes
    ----------
    rows, train_rows : measured, and fitted on.
    dimension : of the features.
    cells : of this encoder, over severities and seeds.
    """

    rows: int
    train_rows: int
    dimension: int
    classes: int
    cells: int = 1


def check_classes(labels: np.ndarray, classes: Sequence[str], where: str) -> None:
    """Refuse labels that no study can be made of.

    Raises
    ------
    ValueError for fewer than two classes, a class of fewer than two images, or one named "all".
    """
    if "all" in classes:
        raise ValueError(f"{where}: no class may be named 'all', which stands for the whole cell")
    counts = np.bincount(labels, minlength=len(classes))
    if len(classes) < 2:
        raise ValueError(f"{where}: needs images of at least two classes; got {list(classes)}")
    if counts.min() < 2:
        few = classes[int(counts.argmin())]
        raise ValueError(
            f"{where}: needs at least 2 test images of every class; {few!r} has {counts.min()}"
        )
