"""What a report is made of; the page and the document render it, neither adds to it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import altair as alt
import pandas as pd


@dataclass(frozen=True)
class Paragraph:
    """Plain text; or, where `typeset`, markup of the suite's own in Typst's notation."""

    text: str
    space: str = ""
    typeset: bool = False


@dataclass(frozen=True)
class Note:
    """Plain text a reader must not miss."""

    text: str
    space: str = ""


@dataclass(frozen=True)
class Figure:
    """A chart and the sentence that says what to see.

    Attributes
    ----------
    detail : whether it completes the argument rather than making it; a document may set it apart.
    """

    chart: alt.TopLevelMixin
    caption: str
    label: str
    space: str = ""
    detail: bool = False

    @cached_property
    def specification(self) -> dict[str, Any]:
        """What page and document both draw, made once; the figures' tests hold it to the schema."""
        return self.chart.to_dict(validate=False)


@dataclass(frozen=True)
class Interval:
    """A number and its interval in one cell of a table; a file of numbers has a column for each."""

    value: float
    low: float
    high: float
    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Table:
    """A frame and its caption.

    Attributes
    ----------
    frame : the values; column names are the headings.
    formats : format specification of the numeric columns; other columns are text.
    math : columns of formulas, of the suite's own in Typst's notation, never of a run.
    detail : as of a figure.
    """

    frame: pd.DataFrame
    caption: str
    label: str
    formats: Mapping[str, str] = field(default_factory=dict)
    space: str = ""
    math: tuple[str, ...] = ()
    detail: bool = False

    def rows(self) -> list[list[str]]:
        """Cells as text; a number that is missing is a dash."""
        columns = [str(name) for name in self.frame]
        return [
            [_cell(value, self.formats.get(name)) for name, value in zip(columns, row, strict=True)]
            for row in self.frame.itertuples(index=False, name=None)
        ]


@dataclass(frozen=True)
class References:
    """Publications, numbered from 1 in this order."""

    entries: tuple[str, ...]
    space: str = ""


# A block that is of one feature space alone names it; the same block is there of each of them.
Block = Paragraph | Note | Figure | Table | References


@dataclass(frozen=True)
class Section:
    """A heading and what stands below it."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Thumbnails:
    """Small pictures of the images in maps, in one sprite.

    Attributes
    ----------
    sprite : a WebP file of square tiles.
    places : column and row of the tile of each image, by its id.
    """

    sprite: bytes
    places: Mapping[str, tuple[int, int]]


@dataclass(frozen=True)
class Report:
    """The question, the answer in plain words, and the sections that support it.

    Attributes
    ----------
    classes, levels : what can be singled out in all figures, by name and in order.
    level_title : what the levels are.
    """

    title: str
    question: str
    answer: tuple[str, ...]
    facts: str
    sections: tuple[Section, ...]
    classes: tuple[str, ...] = ()
    levels: tuple[str, ...] = ()
    level_title: str = ""
    thumbnails: Thumbnails | None = None

    @property
    def spaces(self) -> tuple[str, ...]:
        """The feature spaces that have blocks of their own, in order."""
        blocks = (block for section in self.sections for block in section.blocks)
        return tuple(dict.fromkeys(block.space for block in blocks if block.space))


def _cell(value: Any, spec: str | None) -> str:
    if spec is None:
        return str(value)
    if value is None or math.isnan(value):
        return "–"
    return format(value, spec).replace("inf", "∞").replace("-", "−")
