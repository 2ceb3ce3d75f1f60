"""Sections of analyses: from the manifest and two tables alone, whoever made them."""

import json
import re
import zlib
from base64 import b64decode

import numpy as np
import pandas as pd
import pytest

from tdafeat import report
from tdafeat.analyses.picture import picture
from tdafeat.errors import UnreadableData
from tdafeat.report.content import build
from tdafeat.report.model import Figure, Paragraph, Table
from tdafeat.run import Run
from tests.report.synthetic import write_run

EXHIBITS = [
    {"form": "pictures", "shows": ["hits"], "caption": "What was found."},
    {"form": "pictures", "shows": ["hits"], "caption": "By class.", "scope": "class"},
    {"form": "pictures", "shows": ["hits"], "caption": "The first.", "sets": ["query 0"]},
    {"form": "curves", "shows": ["recall"], "caption": "Recall.", "x": "k", "spec": ".0%"},
    {"form": "numbers", "shows": ["recall"], "caption": "Recall again.", "x": "k =", "spec": ".2f"},
    {"form": "numbers", "shows": ["recall"], "caption": "By class.", "scope": "class"},
    {"form": "numbers", "shows": ["checks"], "caption": "Checks."},
]
PNG = picture(np.linspace(0, 1, 16), (1, 4, 4))


def searched(folder, encoders=("pixels",), n_sets=2):
    """A run without noise and with an analysis this package does not have."""
    write_run(folder, encoders=encoders, n_levels=1)
    cells = pd.read_parquet(folder / "tables" / "spectra.parquet").drop(
        columns=["scope", "rank", "value"]
    )
    pictures, curves = [], []
    for cell in cells.drop_duplicates().to_dict("records"):
        cell["analysis"] = "search"
        for scope in ("all", "banded", "grid"):
            for query in range(n_sets if scope == "all" else 1):
                shown = {"scope": scope, "kind": "hits", "set": f"query {query}", "png": PNG}
                pictures += [cell | shown | {"rank": r, "caption": f"{r}"} for r in range(3)]
            about = {"scope": scope, "series": "all queries"}
            rows = [("recall", 1.0, 0.25), ("recall", 5.0, 0.75), ("checks", np.nan, 1e-16)]
            curves += [
                cell | about | {"quantity": name, "x": x, "value": value} for name, x, value in rows
            ]
    pd.DataFrame(pictures).to_parquet(folder / "tables" / "pictures.parquet")
    pd.DataFrame(curves).to_parquet(folder / "tables" / "curves.parquet")
    describe(folder, {"title": "Search", "about": "Who is near whom.", "exhibits": EXHIBITS})
    return folder


def describe(folder, about):
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text()) | {"analyses": {"search": about}}
    path.write_text(json.dumps(manifest))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return Run.read(searched(tmp_path_factory.mktemp("search")))


def section(run):
    return next(s for s in build(run).sections if s.title == "Search")


def test_the_section_comes_first_and_shows_every_exhibit_in_order(run):
    assert build(run).sections[0].title == "Search"
    opening, *shown = section(run).blocks
    assert opening == Paragraph("Who is near whom.")
    assert [type(block) for block in shown] == [Figure] * 4 + [Table] * 3
    assert [block.caption for block in shown] == [entry["caption"] for entry in EXHIBITS]


def test_exhibits_choose_their_scope_and_sets(run):
    counts = []
    for block in section(run).blocks[1:4]:
        (cells,) = block.chart.to_dict()["datasets"].values()
        counts.append(sorted({cell["description"].split(",")[0] for cell in cells}))
    assert counts == [["query 0", "query 1"], ["banded", "grid"], ["query 0"]]


def test_numbers_have_a_column_for_each_x_and_a_row_for_each_series_or_class(run):
    whole, by_class, checks = (b for b in section(run).blocks if isinstance(b, Table))
    assert list(whole.frame) == ["what", "k = 1", "k = 5"]
    assert whole.rows() == [["all queries", "0.25", "0.75"]]
    assert [row[0] for row in by_class.rows()] == ["all", "banded", "grid"]
    assert checks.rows() == [["all queries", "1e−16"]]


def test_spaces_are_told_apart_where_there_are_several(tmp_path):
    shown = section(Run.read(searched(tmp_path, encoders=("a", "b")))).blocks[1:3]
    assert [block.caption for block in shown] == ["a: What was found.", "b: What was found."]
    assert len({block.label for block in shown}) == 2


def test_more_rows_of_pictures_than_fit_a_page_are_several_figures(tmp_path):
    captions = [b.caption for b in section(Run.read(searched(tmp_path, n_sets=20))).blocks[1:]]
    assert captions[:3] == ["What was found.", "What was found.", "By class."]


def test_page_and_document_show_the_pictures(run, tmp_path):
    page, document = report.write(run, tmp_path)
    packed = re.findall(r'class="spec" data-name="[^"]*">(.*?)</script>', page.read_text())
    drawn = [zlib.decompress(b64decode(text)).decode() for text in packed]
    assert sum(text.count("data:image/png;base64,") for text in drawn) >= 12
    assert document.read_bytes().startswith(b"%PDF")


def test_without_noise_no_caption_speaks_of_it(run):
    told = [
        block.text if isinstance(block, Paragraph) else getattr(block, "caption", "")
        for part in build(run).sections
        for block in part.blocks
    ]
    words = ("noise", "severity", "noisy", "every level", "each level", "per level")
    told = [text.replace("sampling noise", "") for text in told]
    assert [text for text in told for word in words if word in text] == []


def test_an_analysis_without_its_tables_has_no_section(tmp_path):
    searched(tmp_path)
    for name in ("pictures", "curves"):
        (tmp_path / "tables" / f"{name}.parquet").unlink()
    assert "Search" not in [part.title for part in build(Run.read(tmp_path)).sections]


@pytest.mark.parametrize(
    "about",
    [
        {"exhibits": [{"form": "film", "shows": ["hits"], "caption": "Moving."}]},
        {"exhibits": [{"form": "pictures"}]},
        {"exhibits": [{**EXHIBITS[0], "sound": "loud"}]},
        {"exhibits": 3},
        {},
        "nothing",
    ],
)
def test_exhibits_of_another_version_are_refused_by_name(tmp_path, about):
    describe(searched(tmp_path), about)
    with pytest.raises(UnreadableData, match=r"manifest\.json: analysis 'search'"):
        build(Run.read(tmp_path))
