"""The report as one HTML file that needs no network."""

from __future__ import annotations

import json
import math
import re
import zlib
from base64 import b64encode
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from tdafeat import __version__
from tdafeat.report.formulas import html
from tdafeat.report.model import (
    Block,
    Figure,
    Interval,
    Paragraph,
    References,
    Report,
    Table,
    Thumbnails,
)

SHORT = 28  # characters; columns of shorter cells do not wrap
LONG = 18  # rows; longer tables scroll


def render(report: Report) -> str:
    """The page, with its style, scripts, figures and thumbnails inside."""
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined
    )
    template = environment.from_string(_template("page.html"))
    numbers = {Figure: _Numbers(report.spaces), Table: _Numbers(report.spaces)}
    sections = [
        {"title": section.title, "blocks": [_block(block, numbers) for block in section.blocks]}
        for section in report.sections
    ]
    return template.render(
        report=report,
        sections=sections,
        levels=_embedded(report.levels),
        places=_embedded(report.thumbnails.places if report.thumbnails else {}),
        sprite=_sprite(report.thumbnails),
        version=__version__,
        style=Markup(_template("page.css")),
        script=Markup(_template("page.js") + _template("tables.js")),
        bundle=_bundle(),
    )


class _Numbers:
    """Numbers of figures, or of tables.

    One feature space is shown at a time: what it has of its own is numbered on from what all
    share, as what the others have is, so that no number is missing whichever is shown.
    """

    def __init__(self, spaces: Sequence[str]) -> None:
        self.spaces = spaces
        self.shared = 0
        self.own: Counter[str] = Counter()

    def next(self, space: str) -> tuple[int, str]:
        """The number of the next block, and with its space what no other block is called."""
        if not space:
            self.shared += 1 + max(self.own.values(), default=0)
            self.own.clear()
            return self.shared, str(self.shared)
        self.own[space] += 1
        number, place = self.shared + self.own[space], 1 + self.spaces.index(space)
        return number, f"{number}-{place}" if place > 1 else str(number)


def _block(block: Block, numbers: Mapping[type, _Numbers]) -> dict[str, Any]:
    from markupsafe import Markup

    kind: dict[str, Any] = {"kind": type(block).__name__, "space": block.space}
    if isinstance(block, Figure | Table):
        heading = _heading(block.caption, block.space)
        kind |= {"caption": block.caption, "name": block.label}
        kind |= {"detail": block.detail, "heading": heading}
        kind["number"], kind["mark"] = numbers[type(block)].next(block.space)
    if isinstance(block, Figure):
        return kind | {"spec": _packed(_json(block.specification))}
    if isinstance(block, Table):
        rows = block.rows()
        columns = list(zip((str(name) for name in block.frame), *rows, strict=True))
        return kind | {
            "long": len(rows) > LONG,
            "columns": [column[0] for column in columns],
            "styles": [
                "number" if name in block.formats else "short" * (max(map(len, column)) < SHORT)
                for name, column in zip(block.frame, columns, strict=True)
            ],
            "rows": [
                [
                    (
                        Markup(html(f"${cell}$")) if cell and name in block.math else cell,
                        _exact(value),
                        _bounds(value),
                    )
                    for name, cell, value in zip(block.frame, shown, values, strict=True)
                ]
                for shown, values in zip(
                    rows, block.frame.itertuples(index=False, name=None), strict=True
                )
            ],
        }
    if isinstance(block, References):
        return kind | {"entries": block.entries}
    if isinstance(block, Paragraph) and block.typeset:
        return kind | {"text": Markup(html(block.text))}
    return kind | {"text": block.text}


def _heading(caption: str, space: str) -> str:
    """The first words of a caption, for what is folded.

    Examples
    --------
    >>> _heading("pixels: Barcodes, against noise: the 40 longest bars.", "pixels")
    'Barcodes, against noise'
    """
    return re.split(r"[:;.]\s|[:;.]$", caption.removeprefix(f"{space}: "))[0]


def _exact(value: Any) -> str:
    """A number in full, for sorting and downloads; nothing for text and what is missing."""
    if isinstance(value, Interval):
        value = value.value
    if isinstance(value, str) or not isinstance(value, int | float) or math.isnan(value):
        return ""
    return repr(value)


def _bounds(value: Any) -> tuple[str, ...]:
    """The ends of an interval in full; nothing for what has none."""
    return (_exact(value.low), _exact(value.high)) if isinstance(value, Interval) else ()


def _sprite(thumbnails: Thumbnails | None) -> Any:
    """The sprite as the value of a style; base64 has no character that could end it."""
    from markupsafe import Markup

    if thumbnails is None:
        return "none"
    return Markup(f"url(data:image/webp;base64,{b64encode(thumbnails.sprite).decode()})")


def _embedded(value: Any) -> Any:
    """JSON for a script element: no character in it can end the element or open a comment."""
    from markupsafe import Markup

    text = _json(value)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


def _packed(text: str) -> str:
    """Deflated, in base64: a fraction of its size, and no character that ends an element."""
    return b64encode(zlib.compress(text.encode(), 9)).decode()


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


@cache
def _bundle() -> str:
    """Vega, Vega-Lite and Vega-Embed, as vl-convert carries them."""
    import vl_convert

    return _packed(vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;"))


def _template(name: str) -> str:
    return files("tdafeat.report").joinpath("templates", name).read_text(encoding="utf-8")
