"""Prompt templates for zero-shot classification, one per line with ``{}`` for the class."""

from __future__ import annotations

from pathlib import Path

from tdafeat.errors import DataUnavailable, UnreadableData

EMBEDDED = Path(__file__).parent / "prompts"


def read_prompts(name: str | Path) -> list[str]:
    """Templates of an embedded list (``generic``, ``dtd``, ``fashion_mnist``) or of a text file.

    Raises
    ------
    DataUnavailable if there is neither; UnreadableData if a line has no single ``{}``.

    Examples
    --------
    >>> read_prompts("dtd")[0].format("banded")
    'a photo of a banded texture.'
    """
    path = EMBEDDED / f"{name}.txt"
    if not path.is_file():
        path = Path(name)
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in EMBEDDED.glob("*.txt")))
        raise DataUnavailable(f"{name}: no such list of prompts ({known}) and no such file")
    templates = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    templates = [line for line in templates if line]
    bad = [line for line in templates if line.replace("{}", "", 1).count("{") or "{}" not in line]
    if bad or not templates:
        raise UnreadableData(
            f"{path}: every line must hold one {{}} for the class name"
            + (f"; {bad[0]!r} does not" if bad else "; the file is empty")
        )
    return templates
