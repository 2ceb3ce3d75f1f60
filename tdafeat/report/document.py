"""The report as a PDF, typeset by Typst with the page's figures as vector graphics."""

from __future__ import annotations

import json
import re
import tempfile
import warnings
from collections.abc import Generator, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from tdafeat.figures.saving import on_paper
from tdafeat.report.model import Block, Figure, Note, Paragraph, References, Report, Section, Table

# Carried by Typst, so the same on every machine; text is measured by the serif font there is.
FONT = "Libertinus Serif, serif"
NARROW = 24  # characters; columns of shorter cells take their natural width
HALF = 78  # characters; a table of shorter rows fits a column of the appendix
WHOLE = 800  # characters; a table of fewer is not broken between pages
LONG = 20  # rows; longer tables go to the appendix
LONGEST = 120  # rows; still longer ones are left to the page
_SHAPE = re.compile(r"<(?:path|line) [^>]*>")
_ARROW = re.compile(" (?=[↑↓]$)")  # stays with its word
MOST_PROCESSES = 4  # that draw figures
SLIM = 700  # pixels; a figure as narrow keeps legible text in a column of the appendix
LINE = 96  # characters; if those columns take more together, they would squeeze out the long ones


class Document:
    """A report on paper: other processes draw its figures from its making to the end of `with`.

    First the argument, then an appendix of what completes it: details, long tables, and the figures
    of the further feature spaces, side by side. The longest tables, and the tables and details of
    the further spaces, are left to the page, and the appendix says so.
    """

    def __init__(self, report: Report) -> None:
        self.report = report
        self.argument, self.appendix, self.left = _split(report)
        figures = [
            block
            for section in (*self.argument, *self.appendix)
            for block in section.blocks
            if isinstance(block, Figure)
        ]
        self.drawings = _drawings(figures)

    def __enter__(self) -> Document:
        return self

    def __exit__(self, *failed: object) -> None:
        """End the drawing; what is drawn and not used is no surprise where the page failed."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of joblib, on calls that it cancels
            self.drawings.close()

    def render(self) -> bytes:
        """The document's bytes: the same for the same report, with fonts that Typst carries.

        Once: the drawings are not kept.
        """
        import typst

        report = self.report
        with tempfile.TemporaryDirectory() as folder:
            room = Path(folder)
            template = files("tdafeat.report").joinpath("templates", "document.typ")
            (room / "document.typ").write_bytes(template.read_bytes())
            content = {
                "title": report.title,
                "question": report.question,
                "answer": report.answer,
                "facts": report.facts,
                "argument": [
                    self._section(s, room, f"main-{i}") for i, s in enumerate(self.argument)
                ],
                "appendix": [
                    self._section(s, room, f"more-{i}") for i, s in enumerate(self.appendix)
                ],
                "left": self.left,
            }
            (room / "content.json").write_text(json.dumps(content), encoding="utf-8")
            # The page is the form for screen readers: tags would add half as much again.
            return typst.compile(
                str(room / "document.typ"),
                root=folder,
                ignore_system_fonts=True,
                timestamp=0,
                pdf_tags=False,
            )

    def _section(self, section: Section, room: Path, name: str) -> dict[str, Any]:
        blocks = []
        for k, block in enumerate(section.blocks):
            if isinstance(block, Figure):
                drawing = next(self.drawings)
                (room / f"{name}-{k}.svg").write_text(drawing, encoding="utf-8")
                blocks.append(_figure(block, f"{name}-{k}.svg", drawing))
            else:
                blocks.append(_block(block))
        return {"title": section.title, "blocks": blocks}


def _drawings(figures: Sequence[Figure]) -> Generator[str, None, None]:
    """SVG of every figure, in order, from as many processes as are worth their start."""
    from joblib import Parallel, delayed, effective_n_jobs

    drawn = (delayed(_drawing)(on_paper(figure.specification, FONT)) for figure in figures)
    n_jobs = max(1, min(effective_n_jobs(-1), MOST_PROCESSES, len(figures) // 4))
    return Parallel(n_jobs=n_jobs, return_as="generator", batch_size=1)(drawn)


def _drawing(spec: dict[str, Any]) -> str:
    import vl_convert

    return _SHAPE.sub(_of_one_paint, vl_convert.vegalite_to_svg(spec))


def _of_one_paint(shape: re.Match[str]) -> str:
    """A shape's opacity as that of its fill or stroke: of the whole it costs Typst 400 bytes."""
    paints = [paint for paint in ("fill", "stroke") if f' {paint}="' in shape[0]]
    if len(paints) != 1 or f"{paints[0]}-opacity" in shape[0]:
        return shape[0]
    return shape[0].replace(" opacity=", f" {paints[0]}-opacity=")


def _split(report: Report) -> tuple[list[Section], list[Section], int]:
    """Sections of the argument and of the appendix, and how many blocks stand in neither."""
    first = report.spaces[0] if report.spaces else ""
    argument: list[Section] = []
    appendix: list[Section] = []
    left = 0
    for section in report.sections:
        blocks = [block for block in section.blocks if not _left(block, first)]
        left += len(section.blocks) - len(blocks)
        apart = [
            block.space not in ("", first)
            or (isinstance(block, Figure | Table) and block.detail)
            or (isinstance(block, Table) and len(block.frame) > LONG)
            for block in blocks
        ]
        if all(a or not _shows(b) for b, a in zip(blocks, apart, strict=True)):
            apart = [any(apart)] * len(apart)  # text alone goes with what it introduces
        for part, kept in ((argument, False), (appendix, True)):
            own = tuple(b for b, a in zip(blocks, apart, strict=True) if a == kept)
            if own:
                part.append(Section(section.title, own))
    return argument, appendix, left


def _left(block: Block, first: str) -> bool:
    """Whether only the page has a block: a very long table, or a further space's detail."""
    further = block.space not in ("", first)
    if isinstance(block, Table):
        return further or len(block.frame) > LONGEST
    return further and isinstance(block, Figure) and block.detail


def _shows(block: Block) -> bool:
    return isinstance(block, Figure | Table | References)


def _figure(block: Figure, file: str, drawing: str) -> dict[str, Any]:
    size = re.search(r'width="([\d.]+)" height="([\d.]+)"', drawing)
    assert size is not None
    width, height = float(size[1]), float(size[2])
    return {
        "kind": "Figure",
        "caption": block.caption,
        "file": file,
        "width": width,
        "height": height,
        "narrow": width <= SLIM,
    }


def _block(block: Paragraph | Note | Table | References) -> dict[str, Any]:
    kind: dict[str, Any] = {"kind": type(block).__name__}
    if isinstance(block, Table):
        columns = [str(name) for name in block.frame]
        rows = [[_ARROW.sub("\u00a0", cell) for cell in row] for row in block.rows()]
        widths = _widths(columns, rows)
        longest = sum(max(map(len, cells)) for cells in zip(columns, *rows, strict=True))
        return kind | {
            "caption": block.caption,
            "columns": columns,
            "numeric": [name in block.formats for name in block.frame],
            "math": [name in block.math for name in block.frame],
            "widths": widths,
            "narrow": longest <= HALF,
            "whole": sum(len(cell) for row in rows for cell in row) <= WHOLE,
            "rows": rows,
        }
    if isinstance(block, References):
        return kind | {"entries": block.entries}
    typeset = isinstance(block, Paragraph) and block.typeset
    return kind | {"text": block.text, "typeset": typeset}


def _widths(columns: list[str], rows: list[list[str]]) -> list[float | None]:
    """Of each column its share of the line, or None for one that takes its natural width."""
    longest = [max(map(len, cells)) for cells in zip(columns, *rows, strict=True)]
    usual = [
        sorted(map(len, cells))[4 * len(rows) // 5] for cells in zip(columns, *rows, strict=True)
    ]
    shares: list[float | None] = [max(8, min(length, 60)) ** 0.7 for length in usual]
    if sum(length for length in longest if length <= NARROW) > LINE:
        return shares
    return [
        None if length <= NARROW else share for length, share in zip(longest, shares, strict=True)
    ]
