import subprocess
import sys

import pytest

from tdafeat import report
from tdafeat.cli import main
from tdafeat.report import document
from tests.report.synthetic import write_run, write_thumbnails


def test_the_same_run_gives_the_same_bytes(run, tmp_path):
    first, second = report.write(run, tmp_path / "a"), report.write(run, tmp_path / "b")
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes()


def test_a_failed_report_leaves_the_old_one(run, tmp_path, monkeypatch):
    page, pdf = report.write(run, tmp_path)
    before = page.read_bytes(), pdf.read_bytes()

    def fail(content):
        raise OSError("disk full")

    monkeypatch.setattr(document, "render", fail)
    with pytest.raises(OSError, match="disk full"):
        report.write(run, tmp_path)
    assert (page.read_bytes(), pdf.read_bytes()) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.html", "report.pdf"]


def test_a_report_of_a_self_describing_run_needs_no_torch(run, tmp_path):
    script = (
        "import sys; from tdafeat import report; from tdafeat.run import Run;"
        f"report.write(Run.read({str(run.folder)!r}), {str(tmp_path)!r});"
        "heavy = {'torch', 'sklearn', 'numba'} & set(sys.modules); assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_a_report_may_do_without_images(tmp_path):
    folder = str(write_thumbnails(write_run(tmp_path / "run", encoders=("pixels",))))
    page = tmp_path / "run" / "report.html"
    assert main(["report", folder]) == 0
    assert "data:image/webp" in page.read_text(encoding="utf-8")
    assert main(["report", folder, "--no-thumbnails"]) == 0
    assert "data:image/webp" not in page.read_text(encoding="utf-8")
