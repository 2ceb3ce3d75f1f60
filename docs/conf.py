"""How the documentation site is built: guides in Markdown, the API from its docstrings."""

import re
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from gallery import gallery  # noqa: E402
from metric_guide import guide  # noqa: E402

from tdafeat import __version__  # noqa: E402

project = "tdafeat"
author = "The tdafeat developers"
release = version = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["build"]
html_theme = "furo"
html_title = f"tdafeat {version}"
html_static_path = ["static"]
html_css_files = ["site.css"]
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
suppress_warnings = ["myst.xref_missing"]  # the README names files that are no pages of the site

default_role = "code"  # `name` in a docstring is a name
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # shapes and units say more, and stand in the docstrings
autodoc_preserve_defaults = True
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True

BAR = re.compile(r"(?<!`)\|(?!`)")
PARAMETER = re.compile(r"^(\s*)([\w*]+(?:, [\w*]+)*) : (.*)$")
SECTIONS = ("Parameters", "Attributes", "Other Parameters")


def as_napoleon_reads(app, what, name, obj, options, lines):
    """Docstrings here say ``name : what it is``; napoleon takes what follows a colon for a type.

    And a norm, ``|x|``, is no substitution of reStructuredText.
    """
    section, heading_indent = "", 0
    rewritten = []
    for number, line in enumerate(lines):
        below = lines[number + 1].strip() if number + 1 < len(lines) else ""
        if below and set(below) == {"-"}:
            section, heading_indent = line.strip(), len(line) - len(line.lstrip())
        found = PARAMETER.match(line) if section in SECTIONS else None
        if found and len(found[1]) == heading_indent:
            rewritten += [found[1] + found[2], f"{found[1]}    {found[3]}"]
        else:
            rewritten.append(line if section == "Examples" else BAR.sub(r"\\|", line))
    lines[:] = rewritten


def write_pages(app):
    """Pages that are made from the code."""
    (HERE / "metrics.md").write_text(guide(), "utf-8")
    (HERE / "gallery.md").write_text(gallery(HERE / "gallery"), "utf-8")


def setup(app):
    app.connect("autodoc-process-docstring", as_napoleon_reads, priority=100)
    app.connect("builder-inited", write_pages)
