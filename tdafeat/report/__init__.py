"""Reports of a run, and of several side by side: one HTML page and one PDF, from one content."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tdafeat.files import at, make_folder, replace_all
from tdafeat.report.tables import write_tables
from tdafeat.run import Run

if TYPE_CHECKING:
    from tdafeat.report.model import Report

__all__ = ["compare", "write", "write_tables"]


def write(
    run: Run, folder: str | Path | None = None, *, thumbnails: bool = True
) -> tuple[Path, Path]:
    """Write ``report.html`` and ``report.pdf``; both are made before either is replaced.

    Parameters
    ----------
    run : as `Run.read` gives it; neither data nor encoders are needed.
    folder : where to write; the run's own folder if None.
    thumbnails : whether the page shows small pictures of the images, where the run has them.

    Returns
    -------
    Paths of the page and of the document.

    Raises
    ------
    OSError if they cannot be written; an older report then stays as it was.
    """
    from tdafeat.report import content

    made = content.build(run, thumbnails)
    return _put(made, at(folder) if folder is not None else run.folder, "report")


def compare(runs: Sequence[Run], folder: str | Path) -> tuple[Path, Path]:
    """Write ``comparison.html`` and ``comparison.pdf``: several runs side by side.

    A run goes by the name of its folder, with that of the folders above where names repeat.

    Parameters
    ----------
    runs : at least two, as `Run.read` gives them; of other encoders, seeds or data sets.
    folder : where to write; not the folder of one of the runs.

    Returns
    -------
    Paths of the page and of the document.

    Raises
    ------
    ValueError if there are fewer than two runs, one is given twice, or `folder` is one of them.

    Examples
    --------
    >>> compare([Run.read("reports/seed0"), Run.read("reports/seed1")], "reports/seeds")
    ... # doctest: +SKIP
    """
    from tdafeat.report import comparison

    place = at(folder)
    if place.resolve() in [run.folder.resolve() for run in runs]:
        raise ValueError(f"{folder} is one of the runs; a comparison needs a folder of its own")
    return _put(comparison.build(runs), place, "comparison")


def _put(report: Report, folder: Path, name: str) -> tuple[Path, Path]:
    from tdafeat.report import document, page

    with document.Document(report) as paper:  # its figures are drawn while the page is made
        files = {f"{name}.html": page.render(report).encode(), f"{name}.pdf": paper.render()}
    make_folder(folder)
    replace_all({folder / file: made for file, made in files.items()})
    return folder / f"{name}.html", folder / f"{name}.pdf"
