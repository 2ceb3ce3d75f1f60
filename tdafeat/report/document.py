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
            "widths": [_width(column) for column in zip(columns, *rows, strict=True)],
            "rows": rows,
        }
    return kind | {"text": block.text}


def _width(cells: tuple[str, ...]) -> float | None:
    """Share of the line for a column of long cells; None for one that is narrow anyway."""
    longest = max(len(cell) for cell in cells)
    return None if longest <= NARROW else min(longest, 60) ** 0.7


def _svg(figure: Figure) -> str:
    import vl_convert

    spec = figure.chart.to_dict()
    spec["config"] = spec.get("config", {}) | {"font": FONT, "background": "white"}
    return vl_convert.vegalite_to_svg(spec)
