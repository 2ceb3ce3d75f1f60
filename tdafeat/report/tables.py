"""The tables of a report as files: CSV for further work, LaTeX for a paper."""

from __future__ import annotations

import re
from math import nan
from pathlib import Path
from typing import Any

import pandas as pd

from tdafeat.files import at, replace_all
from tdafeat.report.model import Interval, Table
from tdafeat.run import Run

LATEX = {
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    **{"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"},
    **{"<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", "[": "{[}", "]": "{]}"},
    **{"−": "$-$", "∞": r"$\infty$", "↑": r"$\uparrow$", "↓": r"$\downarrow$", "×": r"$\times$"},
    **{"–": "--", "…": r"\ldots{}", "≤": r"$\leq$", "≥": r"$\geq$", "\n": " "},
    **{"ρ": r"$\rho$", "τ": r"$\tau$", "α": r"$\alpha$", "²": "$^2$", "“": "``", "”": "''"},
}
"""What LaTeX would take for something else, or may have no letter for; brackets because one that
begins a row would be an argument of the line break before it."""

FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what begins a formula in a spreadsheet


def write_tables(run: Run, folder: str | Path) -> list[Path]:
    r"""Write every table of the report as ``LABEL.csv`` and ``LABEL.tex``.

    CSV holds the numbers with all their digits, LaTeX as the report shows them, in a ``table`` with
    the rules of the package booktabs, its caption, and the label ``tab:LABEL``. Columns of formulas
    are in Typst's notation and stand in CSV alone. A text that a spreadsheet would take for a
    formula, such as a class named ``=1+1``, has an apostrophe before it in CSV.

    Parameters
    ----------
    run : as `Run.read` gives it.
    folder : where to write; made if it is not there.

    Returns
    -------
    Paths of the files, in the order of the report.

    Raises
    ------
    OSError if they cannot be written; none is replaced then.
    """
    from tdafeat.report import content

    folder = at(folder)
    sections = content.build(run, thumbnails=False).sections
    tables = [block for part in sections for block in part.blocks if isinstance(block, Table)]
    files: dict[Path, bytes | memoryview] = {}
    for table in tables:
        name = file_name(table.label)
        while folder / f"{name}.csv" in files:  # labels that differ in signs alone
            name += "-"
        files[folder / f"{name}.csv"] = csv(table.frame).encode()
        files[folder / f"{name}.tex"] = latex(table, name).encode()
    folder.mkdir(parents=True, exist_ok=True)
    replace_all(files)
    return list(files)


def file_name(label: str) -> str:
    """A label as the name of a file on any system.

    Examples
    --------
    >>> file_name("classes-timm:vit/16 <b>")
    'classes-timm-vit-16-b'
    """
    return re.sub(r"[^A-Za-z0-9.]+", "-", label).strip("-.") or "table"


def csv(frame: pd.DataFrame) -> str:
    """A table whose texts no spreadsheet runs: one that would be a formula follows an apostrophe.

    A column of numbers with their intervals becomes three.

    Examples
    --------
    >>> import pandas as pd
    >>> print(csv(pd.DataFrame({"class": ["=1+1", "-3", "-x"], "F1": [-0.5, 1, 0]})), end="")
    class,F1
    '=1+1,-0.5
    -3,1.0
    '-x,0.0
    """
    columns: dict[str, list[Any]] = {}
    for name in map(str, frame):
        cells = frame[name].tolist()
        if any(isinstance(cell, Interval) for cell in cells):
            missing = Interval(nan, nan, nan, "")
            numbers = [cell if isinstance(cell, Interval) else missing for cell in cells]
            columns[name] = [cell.value for cell in numbers]
            columns[f"{name} low"] = [cell.low for cell in numbers]
            columns[f"{name} high"] = [cell.high for cell in numbers]
        else:
            columns[name] = [_no_formula(cell) for cell in cells]
    whole = pd.DataFrame({_no_formula(name): cells for name, cells in columns.items()})
    return whole.to_csv(index=False)


def _no_formula(cell: Any) -> Any:
    if not isinstance(cell, str) or not cell.startswith(FORMULA):
        return cell
    try:
        float(cell)
    except ValueError:
        return "'" + cell
    return cell


def latex(table: Table, label: str) -> str:
    r"""A table for a document with ``\usepackage{booktabs}``.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"class": ["a_b"], "F1": [0.5]})
    >>> print(latex(Table(frame, "F1 in %.", "f1", {"F1": ".2f"}), "f1"))
    \begin{table}
      \centering
      \caption{F1 in \%.}
      \label{tab:f1}
      \begin{tabular}{lr}
        \toprule
        class & F1 \\
        \midrule
        a\_b & 0.50 \\
        \bottomrule
      \end{tabular}
    \end{table}
    <BLANKLINE>
    """
    names = [str(name) for name in table.frame]
    kept = [place for place, name in enumerate(names) if name not in table.math]

    def line(cells: list[str]) -> str:
        return " & ".join(escaped(cells[place]) for place in kept) + r" \\"

    aligned = "".join("r" if names[place] in table.formats else "l" for place in kept)
    inner = [r"\toprule", line(names), r"\midrule", *map(line, table.rows()), r"\bottomrule"]
    return "\n".join(
        [
            r"\begin{table}",
            r"  \centering",
            rf"  \caption{{{escaped(table.caption)}}}",
            rf"  \label{{tab:{label}}}",
            rf"  \begin{{tabular}}{{{aligned}}}",
            *(f"    {text}" for text in inner),
            r"  \end{tabular}",
            "\\end{table}\n",
        ]
    )


def escaped(text: str) -> str:
    r"""Plain text that LaTeX shows as it is.

    Examples
    --------
    >>> escaped("50 % of a_b")
    '50 \\% of a\\_b'
    """
    return "".join(LATEX.get(sign, sign) for sign in text)
