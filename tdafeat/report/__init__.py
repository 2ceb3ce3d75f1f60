"""Reports of a run: one HTML page and one PDF, from one content."""

from __future__ import annotations

from pathlib import Path

from tdafeat.files import at, replace_all
from tdafeat.report.tables import write_tables
from tdafeat.run import Run

__all__ = ["write", "write_tables"]


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
    from tdafeat.report import content, document, page

    report = content.build(run, thumbnails)
    files = {
        "report.html": page.render(report).encode(),
        "report.pdf": document.render(report),
    }
    folder = at(folder) if folder is not None else run.folder
    folder.mkdir(parents=True, exist_ok=True)
    replace_all({folder / name: made for name, made in files.items()})
    return folder / "report.html", folder / "report.pdf"
