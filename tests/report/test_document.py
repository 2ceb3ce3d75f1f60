import json
import re
from io import BytesIO

import altair as alt
import pandas as pd
import pytest
from pypdf import PdfReader

from tdafeat.report import document
from tdafeat.report.content import build
from tdafeat.report.model import Figure, Paragraph, Report, Section, Table
from tdafeat.run import Run
from tests.report.synthetic import write_run


@pytest.fixture(scope="module")
def pages(written):
    return PdfReader(written[1]).pages


def plain(pages):
    return " ".join(" ".join(page.extract_text().split()) for page in pages)


def test_opens_with_question_and_answer(run, pages):
    first = plain(pages[:1])
    for sentence in (run.manifest["title"], run.manifest["question"], *run.manifest["answer"]):
        assert sentence in first


def test_pages_are_numbered_and_not_too_many(pages):
    assert 5 <= len(pages) <= 16
    assert f"2 / {len(pages)}" in plain(pages[1:2])


def test_every_figure_is_numbered_in_order_and_drawn_with_its_text(content, pages):
    text = plain(pages)
    parts = document._split(content)[:2]
    figures = [b for part in parts for s in part for b in s.blocks if isinstance(b, Figure)]
    numbers = [int(number) for number in re.findall(r"Figure (\d+)\.", text)]
    assert numbers == list(range(1, len(figures) + 1))
    for words in ("noise severity (parameter)", "share of the variance", "predicted class"):
        assert words in text


def test_contents_list_every_section_and_headers_name_the_current_one(run, content, pages):
    first = plain(pages[:1])
    argument, appendix, _ = document._split(content)
    for number, section in enumerate(argument, start=1):
        assert f"{number} {section.title}" in first
    for letter, section in zip("ABCDEFGHIJ", appendix, strict=False):
        assert f"{letter} {section.title}" in first
    for page in pages[1:]:
        header = plain([page]).removeprefix(run.manifest["title"]).lstrip()
        assert any(header.startswith(s.title) for s in argument + appendix)


def test_the_appendix_holds_repeats_and_details_and_what_is_left_is_the_pages(run, content, pages):
    argument, appendix = (
        {b.label for s in part for b in s.blocks if isinstance(b, Figure | Table)}
        for part in document._split(content)[:2]
    )
    first, second = (str(encoder["name"]) for encoder in run.manifest["encoders"])
    assert f"diagrams-{first}" in argument
    assert {f"diagrams-{second}", "barcodes", "definitions", "provenance"} <= appendix
    assert not argument & appendix
    blocks = [b for s in content.sections for b in s.blocks if isinstance(b, Figure | Table)]
    left = {b.label for b in blocks} - argument - appendix
    assert {f"measurements-{second}", f"pca-{second}"} <= left
    assert not any(b.space in ("", first) for b in blocks if b.label in left)
    assert f"has {len(left)} more figures and tables" in plain(pages)


def test_very_long_tables_are_left_to_the_page():
    def table(rows):
        return Table(pd.DataFrame({"x": range(rows)}), "Numbers.", "numbers")

    sections = tuple(Section("Long", (table(rows),)) for rows in (10, 30, 200))
    argument, appendix, left = document._split(Report("", "", (), "", sections))
    assert [len(part) for part in (argument, appendix)] == [1, 1]
    assert left == 1


def test_two_tall_figures_share_a_page_with_a_heading():
    tall = alt.Chart(pd.DataFrame({"x": [0]})).mark_point().properties(width=500, height=700)
    one, two, three = (Figure(tall, "What to see, in two lines. " * 8, str(k)) for k in range(3))
    sections = (Section("First", (one,)), Section("Second", (Paragraph("So."), two, three)))
    pages = PdfReader(BytesIO(document.Document(Report("", "", (), "", sections)).render())).pages
    assert [len(re.findall(r"Figure \d", page.extract_text())) for page in pages] == [1, 2]


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """What the document says of a run whose names look like markup, with sources to cite."""
    names = ("*bold* #panic()", "$x$ @ref", "<script>alert(1)</script>", "long" * 30)
    folder = tmp_path_factory.mktemp("hostile")
    write_run(folder, classes=names, encoders=('#import "x"', "_e_"), n_levels=2, n_images=4)
    manifest = json.loads((folder / "manifest.json").read_text())
    for name, source in (("koleo", "Sablayrolles et al. 2019"), ("rankme", "Nobody 1999")):
        manifest["metrics"][name]["source"] = source
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return plain(PdfReader(BytesIO(document.Document(build(Run.read(folder))).render())).pages)


def test_definitions_are_typeset_and_cite_the_bibliography(hostile):
    assert "[1] Nobody 1999" in hostile
    assert "[2] A. Sablayrolles, M. Douze" in hostile
    koleo = hostile[hostile.index("What KoLeo measures") :]
    assert "$" not in koleo[:80]
    assert "ln" in koleo[:60]
    assert koleo.index("[2]") < 80


def test_markup_in_names_stays_text(hostile):
    assert '#import "x"' in hostile
    assert "*bold* #panic()" in hostile
    assert "<script>" in hostile  # labels of axes may be cut, and broken when they are read back


def test_many_short_columns_leave_room_for_a_long_one():
    rows = [["a metric with a long title of its own", *["0.0643 (0.0424 to 0.1)"] * 6]]
    few, many = (document._widths(row, [row]) for row in (rows[0][:3], rows[0]))
    assert [width is None for width in few] == [False, True, True]
    assert None not in many
    assert many[0] > many[1]


def test_an_arrow_stays_with_its_word_and_a_small_table_on_its_page():
    small = Table(pd.DataFrame({"metric": ["KoLeo ↓"]}), "Metrics.", "metrics")
    wordy = Table(pd.DataFrame({"error": ["it failed " * 100]}), "Errors.", "errors")
    assert document._block(small)["rows"] == [["KoLeo\u00a0↓"]]
    assert [document._block(table)["whole"] for table in (small, wordy)] == [True, False]


def test_only_fonts_carried_by_typst_are_used_and_embedded(pages):
    names = set()
    for page in pages:
        for font in page["/Resources"].get("/Font", {}).values():
            inner = font.get_object()["/DescendantFonts"][0].get_object()
            names.add(str(inner["/BaseFont"]).split("+")[-1].split("-")[0])
    assert names <= {"LibertinusSerif", "DejaVuSansMono", "NewCMMath"}
    assert "LibertinusSerif" in names


@pytest.mark.parametrize(
    ("drawn", "kept"),
    [
        ('<path fill="red" opacity="0.5"/>', '<path fill="red" fill-opacity="0.5"/>'),
        ('<line stroke="red" opacity="0.5"/>', '<line stroke="red" stroke-opacity="0.5"/>'),
        # Where both overlap, or two opacities multiply, the result would be another picture.
        ('<path fill="a" stroke="b" opacity="0.5"/>',) * 2,
        ('<path fill="a" fill-opacity="0.5" opacity="0.5"/>',) * 2,
        ('<g fill="a" opacity="0.5">',) * 2,
    ],
)
def test_opacity_of_a_shape_of_one_paint_is_that_of_the_paint(drawn, kept):
    assert document._SHAPE.sub(document._of_one_paint, drawn) == kept
