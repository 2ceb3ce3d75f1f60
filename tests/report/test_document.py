import re
from io import BytesIO

import pytest
from pypdf import PdfReader

from tdafeat.report import document
from tdafeat.report.content import build
from tdafeat.report.model import Figure
from tdafeat.run import Run
from tests.report.synthetic import write_run


@pytest.fixture(scope="module")
def pages(run):
    return PdfReader(BytesIO(document.render(build(run)))).pages


def plain(pages):
    return " ".join(" ".join(page.extract_text().split()) for page in pages)


def test_opens_with_question_and_answer(run, pages):
    first = plain(pages[:1])
    for sentence in (run.manifest["title"], run.manifest["question"], *run.manifest["answer"]):
        assert sentence in first


def test_pages_are_numbered_and_not_too_many(pages):
    assert 5 <= len(pages) <= 15
    assert f"2 / {len(pages)}" in plain(pages[1:2])


def test_every_figure_is_numbered_in_order_and_drawn_with_its_text(run, pages):
    text = plain(pages)
    figures = [
        b for section in build(run).sections for b in section.blocks if isinstance(b, Figure)
    ]
    numbers = [int(number) for number in re.findall(r"Figure (\d+)\.", text)]
    assert numbers == list(range(1, len(figures) + 1))
    for words in ("noise severity (parameter)", "share of the variance", "predicted class"):
        assert words in text


def test_many_short_columns_leave_room_for_a_long_one():
    rows = [["a metric with a long title of its own", *["0.0643 (0.0424 to 0.1)"] * 6]]
    few, many = (document._widths(row, [row]) for row in (rows[0][:3], rows[0]))
    assert [width is None for width in few] == [False, True, True]
    assert None not in many
    assert many[0] > many[1]


def test_only_fonts_carried_by_typst_are_used_and_embedded(pages):
    names = set()
    for page in pages:
        for font in page["/Resources"].get("/Font", {}).values():
            inner = font.get_object()["/DescendantFonts"][0].get_object()
            names.add(str(inner["/BaseFont"]).split("+")[-1].split("-")[0])
    assert names <= {"LibertinusSerif", "DejaVuSansMono"}
    assert "LibertinusSerif" in names


def test_markup_in_names_stays_text(tmp_path):
    names = ("*bold* #panic()", "$x$ @ref", "<script>alert(1)</script>", "long" * 30)
    run = Run.read(write_run(tmp_path, classes=names, encoders=('#import "x"', "_e_")))
    text = plain(PdfReader(BytesIO(document.render(build(run)))).pages)
    assert '#import "x"' in text
    assert "*bold* #panic()" in text
    assert "<script>alert(1)</script>"[:12] in text
