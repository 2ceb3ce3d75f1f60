"""The page in a real browser: headless Chromium, skipped where there is none."""

import json
import os
import re
import shutil

import pytest

from tdafeat import report
from tdafeat.report import page
from tdafeat.report.content import build
from tdafeat.report.model import Figure
from tdafeat.run import Run
from tests.report.synthetic import write_run

BAD = "<script>window.hurt = 1</script>"
LONG = "a_class_with_a_name_that_goes_on_" * 5
QUOTES = "</script><img src=x onerror=hurt=1> \"quoted\" 'class' & more"


@pytest.fixture(scope="module")
def bad_run(tmp_path_factory):
    names = ("banded", BAD, LONG, QUOTES)
    return Run.read(write_run(tmp_path_factory.mktemp("bad"), classes=names, encoders=("a", BAD)))


def test_nothing_from_the_run_becomes_markup(bad_run):
    html = page.render(build(bad_run))
    assert BAD not in html
    assert "&lt;script&gt;window.hurt" in html
    assert "<img src=x" not in html


def test_specifications_survive_embedding(bad_run):
    content = build(bad_run)
    found = re.findall(
        r'<script type="application/json".*?>(.*?)</script>', page.render(content), flags=re.S
    )
    charts = [b.chart for s in content.sections for b in s.blocks if isinstance(b, Figure)]
    assert [json.loads(text) for text in found] == [chart.to_dict() for chart in charts]


def test_stays_under_five_megabytes_with_47_classes(tmp_path):
    names = tuple(f"a class of images {k}" for k in range(47))
    encoders = ("tiny:clip", "tiny:dino", "pixels")
    run = Run.read(write_run(tmp_path, classes=names, encoders=encoders, dimension=512))
    assert len(page.render(build(run)).encode()) < 5e6


@pytest.fixture(scope="module")
def chromium():
    playwright = pytest.importorskip("playwright.sync_api")
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        message = "no chromium on the PATH, nor named by CHROMIUM"
        if os.environ.get("TDAFEAT_REQUIRE_BROWSER"):
            pytest.fail(message)
        pytest.skip(message)
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module", params=["light", "dark"])
def view(request, chromium, bad_run):
    path, _ = report.write(bad_run)
    tab = chromium.new_page(color_scheme=request.param, viewport={"width": 1000, "height": 900})
    tab.said, tab.asked = [], []
    tab.on("console", lambda message: tab.said.append(message.text))
    tab.on("pageerror", lambda error: tab.said.append(str(error)))
    tab.on("request", lambda asked: tab.asked.append(asked.url))
    tab.goto(path.as_uri())
    tab.wait_for_function(
        "document.querySelectorAll('.chart.drawn').length == "
        "document.querySelectorAll('.chart').length",
        timeout=60_000,
    )
    yield tab
    tab.close()


def test_no_console_message_and_no_request_but_the_file_itself(view):
    assert view.said == []
    assert [url for url in view.asked if not url.startswith(("file:", "data:"))] == []
    assert view.evaluate("window.hurt") is None


def test_every_figure_is_drawn_and_described(view, bad_run):
    expected = sum(isinstance(b, Figure) for s in build(bad_run).sections for b in s.blocks)
    marks = view.eval_on_selector_all(
        ".chart", "charts => charts.map(c => c.querySelectorAll('svg path').length)"
    )
    assert len(marks) == expected
    assert min(marks) > 5
    captions = view.eval_on_selector_all(
        "figure",
        "all => all.map(f => document.getElementById(f.getAttribute('aria-labelledby')).innerText)",
    )
    assert captions[0].startswith("Figure 1. ")


def test_names_are_shown_as_text(view):
    assert BAD in view.inner_text("main")
    labels = view.eval_on_selector_all("svg text", "all => all.map(t => t.textContent)")
    assert any("<script>" in label for label in labels)


def test_the_page_is_no_wider_than_the_window(view):
    for width in (1000, 400):
        view.set_viewport_size({"width": width, "height": 900})
        assert view.evaluate("document.documentElement.scrollWidth") <= width


def test_text_in_figures_follows_the_colour_scheme(view):
    dark = view.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    colour = view.evaluate("getComputedStyle(document.querySelector('.chart svg text')).fill")
    lightness = sum(int(part) for part in re.findall(r"\d+", colour)[:3]) / 3
    assert lightness > 160 if dark else lightness < 90


def test_tables_sort_by_value_from_the_keyboard(view):
    column = """() => {
        const table = [...document.querySelectorAll('table')]
            .find(t => t.caption.innerText.includes('Accuracies'));
        return [...table.rows].slice(1).map(row => Number(row.cells[5].innerText));
    }"""
    button = view.locator("table", has_text="Accuracies").locator("th button").nth(5)
    button.focus()
    view.keyboard.press("Enter")
    assert view.evaluate(column) == sorted(view.evaluate(column))
    view.keyboard.press("Enter")
    assert view.evaluate(column) == sorted(view.evaluate(column), reverse=True)
