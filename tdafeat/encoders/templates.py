"""Prompt templates for zero-shot classification, one per line with ``{}`` for the class."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tdafeat.errors import DataUnavailable, UnreadableData

EMBEDDED = Path(__file__).parent / "prompts"
GENERIC = "generic"
BORROWED = {"textures": "dtd"}  # data sets whose classes another list describes


def prompts_for(dataset: str) -> list[str]:
    """Templates that suit a data set's classes: its own, or the generic ones.

    Parameters
    ----------
    dataset : name as a study takes it; what stands after a colon does not matter.

    Examples
    --------
    >>> prompts_for("textures:64") == prompts_for("dtd"), len(prompts_for("dtd"))
    (True, 8)
    >>> prompts_for("folder:/pictures") == read_prompts("generic")
    True
    """
    kind = dataset.partition(":")[0]
    name = BORROWED.get(kind, kind)
    return read_prompts(name if name in embedded_prompts() else GENERIC)


def embedded_prompts() -> list[str]:
    """Names of the lists that come with the package.

    Examples
    --------
    >>> embedded_prompts()
    ['dtd', 'fashion_mnist', 'generic']
    """
    return sorted(path.stem for path in EMBEDDED.glob("*.txt"))


def read_prompts(name: str | Path) -> list[str]:
    """Templates of an embedded list (``generic``, ``dtd``, ``fashion_mnist``) or of a text file.

    Raises
    ------
    DataUnavailable if there is neither; UnreadableData if a line has no single ``{}``, or the
    file is not UTF-8 text.

    Examples
    --------
    >>> read_prompts("dtd")[0].format("banded")
    'a photo of a banded texture.'
    """
    path = EMBEDDED / f"{name}.txt" if name in embedded_prompts() else Path(name)
    if not path.is_file():
        known = ", ".join(embedded_prompts())
        raise DataUnavailable(f"{name}: no such list of prompts ({known}) and no such file")
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        raise UnreadableData(f"{path}: prompts must be UTF-8 text") from None
    templates = [line.strip() for line in lines if line.strip()]
    try:
        check_templates(templates, str(path))
    except ValueError as error:
        raise UnreadableData(str(error)) from None
    return templates


def check_templates(templates: Sequence[str], name: str) -> None:
    """Refuse templates that are not each a text with one ``{}``, with a ValueError naming them.

    Examples
    --------
    >>> check_templates(["a photo."], "prompts")
    Traceback (most recent call last):
    ValueError: prompts: every template must hold one {} for the class name; 'a photo.' does not
    """
    if isinstance(templates, str) or not templates:
        raise ValueError(f"{name}: a list of at least one template is expected")
    for template in templates:
        if template.count("{}") != 1 or set("{}") & set(template.replace("{}", "")):
            raise ValueError(
                f"{name}: every template must hold one {{}} for the class name; "
                f"{template!r} does not"
            )
