import gc
import shutil
import subprocess
import sys

import pytest

from tdafeat import report
from tdafeat.cli import main
from tdafeat.report import document, page
from tests.report.synthetic import write_run, write_thumbnails


def test_the_same_run_gives_the_same_bytes_and_needs_no_torch(run, written, tmp_path):
    script = (
        "import sys; from tdafeat import report; from tdafeat.run import Run;"
        f"report.write(Run.read({str(run.folder)!r}), {str(tmp_path)!r});"
        "heavy = {'torch', 'sklearn', 'numba'} & set(sys.modules); assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
    for path in written:
        assert (tmp_path / path.name).read_bytes() == path.read_bytes()


def test_a_failed_report_leaves_the_old_one(run, written, tmp_path, monkeypatch):
    for path in written:
        shutil.copy(path, tmp_path)

    def fail(content):
        raise OSError("disk full")

    monkeypatch.setattr(document.Document, "render", fail)
    with pytest.raises(OSError, match="disk full"):
        report.write(run, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.html", "report.pdf"]
    for path in written:
        assert (tmp_path / path.name).read_bytes() == path.read_bytes()


def test_a_page_that_fails_ends_the_drawing_without_a_word(run, tmp_path, monkeypatch, recwarn):
    """Else joblib warns of the calls that it cancels, once nobody waits for them."""

    def fail(content):
        raise MemoryError

    monkeypatch.setattr(page, "render", fail)
    with pytest.raises(MemoryError):
        report.write(run, tmp_path)
    gc.collect()
    assert [str(w.message) for w in recwarn if w.category is UserWarning] == []


def test_a_page_may_do_without_images(tmp_path, monkeypatch):
    monkeypatch.setattr(document.Document, "render", lambda self: b"%PDF")  # it never has any
    folder = str(write_thumbnails(write_run(tmp_path / "run", encoders=("pixels",), n_levels=1)))
    page = tmp_path / "run" / "report.html"
    assert main(["report", folder]) == 0
    assert "data:image/webp" in page.read_text(encoding="utf-8")
    assert main(["report", folder, "--no-thumbnails"]) == 0
    assert "data:image/webp" not in page.read_text(encoding="utf-8")
