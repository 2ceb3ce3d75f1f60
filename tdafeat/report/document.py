"""The report as a PDF, typeset by Typst with the page's figures as vector graphics."""

from __future__ import annotations

import json
import re
import tempfile
from importlib.resources import files
from pathlib import Path
from typing import Any

from tdafeat.report.model import Block, Figure, Report, Table

FONT = "Libertinus Serif"  # carried by Typst, so the same on every machine
NARROW = 24  # characters; columns of shorter cells take their natural width
LINE = 90  # characters; if those columns take more together, they would squeeze out the long ones


def render(report: Report) -> bytes:
    """The document's bytes: the same for the same report, with fonts that Typst carries."""
    import typst

    with tempfile.TemporaryDirectory() as folder:
        room = Path(folder)
        template = files("tdafeat.report").joinpath("templates", "document.typ")
        (room / "document.typ").write_bytes(template.read_bytes())
        sections = [
            {
                "title": section.title,
                "blocks": [
                    _block(block, room, f"{i}-{k}.svg") for k, block in enumerate(section.blocks)
                ],
            }
            for i, section in enumerate(report.sections)
        ]
        content = {
            "title": report.title,
            "question": report.question,
            "answer": report.answer,
            "facts": report.facts,
            "sections": sections,
        }
        (room / "content.json").write_text(json.dumps(content), encoding="utf-8")
        return typst.compile(
            str(room / "document.typ"), root=folder, ignore_system_fonts=True, timestamp=0
        )


def _block(block: Block, room: Path, file: str) -> dict[str, Any]:
    kind = {"kind": type(block).__name__}
    if isinstance(block, Figure):
        svg = _svg(block)
        (room / file).write_text(svg, encoding="utf-8")
        size = re.search(r'width="([\d.]+)" height="([\d.]+)"', svg)
        assert size is not None
        width, height = float(size[1]), float(size[2])
        return kind | {"caption": block.caption, "file": file, "width": width, "height": height}
    if isinstance(block, Table):
        columns = [str(name) for name in block.frame]
        rows = block.rows()
        return kind | {
            "caption": block.caption,
            "columns": columns,
            "numeric": [name in block.formats for name in block.frame],
            "widths": _widths(columns, rows),
            "rows": rows,
        }
    return kind | {"text": block.text}


def _widths(columns: list[str], rows: list[list[str]]) -> list[float | None]:
    """Of each column its share of the line, or None for one that takes its natural width."""
    longest = [max(map(len, cells)) for cells in zip(columns, *rows, strict=True)]
    shares: list[float | None] = [min(length, 60) ** 0.7 for length in longest]
    if sum(length for length in longest if length <= NARROW) > LINE:
        return shares
    return [
        None if length <= NARROW else share for length, share in zip(longest, shares, strict=True)
    ]


def _svg(figure: Figure) -> str:
    import vl_convert

    spec = figure.chart.to_dict()
    spec["config"] = spec.get("config", {}) | {"font": FONT, "background": "white"}
    return vl_convert.vegalite_to_svg(spec)
