"""The page in a real browser: headless Chromium, skipped where there is none."""

import json
import os
import re
import shutil
import zlib
from base64 import b64decode
from io import BytesIO

import numpy as np
import pandas as pd
import pytest

from tdafeat.report import page
from tdafeat.report.content import build
from tdafeat.report.model import Figure
from tdafeat.run import Run
from tests.report.synthetic import write_run, write_thumbnails

BAD = "<script>window.hurt = 1</script>"
LONG = "a_class_with_a_name_that_goes_on_" * 5
QUOTES = "</script><img src=x onerror=hurt=1> \"quoted\" 'class' & more"


@pytest.fixture(scope="module")
def bad_run(tmp_path_factory):
    names = ("banded", BAD, LONG, QUOTES)
    folder = write_run(tmp_path_factory.mktemp("bad"), classes=names, encoders=("a", BAD))
    return Run.read(write_thumbnails(folder))


@pytest.fixture(scope="module")
def content(bad_run):
    return build(bad_run)


def test_nothing_from_the_run_becomes_markup(content):
    html = page.render(content)
    assert BAD not in html
    assert "&lt;script&gt;window.hurt" in html
    assert "<img src=x" not in html


def test_specifications_survive_embedding(content):
    found = re.findall(
        r'<script type="application/octet-stream" class="spec".*?>(.*?)</script>',
        page.render(content),
        flags=re.S,
    )
    charts = [b.chart for s in content.sections for b in s.blocks if isinstance(b, Figure)]
    unpacked = [json.loads(zlib.decompress(b64decode(text))) for text in found]
    assert unpacked == [chart.to_dict() for chart in charts]


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


@pytest.fixture(scope="module")
def view(chromium, content, tmp_path_factory):
    """One load of one page, every test leaving it as it found it."""
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(page.render(content), encoding="utf-8")
    tab = chromium.new_page(color_scheme="light", viewport={"width": 1300, "height": 900})
    tab.said, tab.asked = [], []
    tab.on("console", lambda message: tab.said.append(message.text))
    tab.on("pageerror", lambda error: tab.said.append(str(error)))
    tab.on("request", lambda asked: tab.asked.append(asked.url))
    tab.goto(path.as_uri())
    tab.wait_for_function("document.querySelectorAll('.chart.drawn').length > 0")
    tab.drawn_at_first = tab.locator(".chart.drawn").count()
    tab.folded_at_first = tab.locator("main details:not([open])").count()
    waiting = tab.locator("main > section > figure:not(.aside)").last
    assert waiting.locator(".drawn").count() == 0
    with tab.expect_download() as download:
        waiting.locator("[data-save=svg]").evaluate("button => button.click()")
    tab.saved_undrawn = download.value.path().read_text()
    tab.evaluate("dispatchEvent(new Event('beforeprint'))")
    tab.wait_for_function(
        "document.querySelectorAll('.chart.drawn').length == "
        "document.querySelectorAll('.chart').length",
        timeout=60_000,
    )
    yield tab
    tab.close()


def chart(view, title):
    """The first visible figure whose caption holds these words, scrolled to."""
    figure = view.locator("figure:not(.aside)", has_text=title).first
    figure.evaluate("f => f.scrollIntoView({block: 'center'})")  # not below the controls
    return figure


def settled(view, figure, **choice):
    """Wait until a figure shows what was chosen."""
    view.wait_for_function(
        """([chart, choice]) => {
            const shows = JSON.parse(chart.dataset.shows ?? "{}");
            return Object.entries(choice).every(([name, value]) => shows[name] === value);
        }""",
        arg=[figure.locator(".chart").element_handle(), choice],
    )


def marks(figure):
    """Opacities of a figure's symbols, rounded."""
    return figure.locator(".mark-symbol.role-mark path").evaluate_all(
        "all => all.map(p => Math.round(100 * (p.getAttribute('opacity') ?? 1)) / 100)"
    )


def pick(view, name):
    view.fill("#class", name)
    view.locator("#class").press("Enter")


def test_no_console_message_and_no_request_but_the_file_itself(view):
    assert view.said == []
    assert [url for url in view.asked if not url.startswith(("file:", "data:", "blob:"))] == []
    assert view.evaluate("window.hurt") is None


def test_figures_far_away_wait_until_they_are_near(view):
    assert 0 < view.drawn_at_first < view.locator(".chart").count() / 2


def test_every_figure_is_drawn_and_described(view, content):
    expected = sum(isinstance(b, Figure) for s in content.sections for b in s.blocks)
    counts = view.eval_on_selector_all(
        ".chart", "charts => charts.map(c => c.querySelectorAll('svg path').length)"
    )
    assert len(counts) == expected
    assert min(counts) > 5
    described = view.eval_on_selector_all(
        ".chart[role=img]",
        "all => all.map(c => document.getElementById(c.getAttribute('aria-labelledby')).innerText)",
    )
    assert len(described) == expected
    assert described[0].startswith("Figure 1. ")


def test_numbers_follow_one_another_whichever_space_is_shown(view, content):
    for space in content.spaces:
        view.select_option("#space", space)
        for kind, whole in (("Figure", "figure"), ("Table", ".table")):
            shown = view.locator(f"main {whole}:not(.aside)").evaluate_all(
                "all => all.map(b => b.querySelector('figcaption, caption').textContent)"
            )
            assert [int(text.split()[1][:-1]) for text in shown] == list(range(1, len(shown) + 1))
            assert any(f"{kind} {n}. {space}: " in text for n, text in enumerate(shown, start=1))
    view.select_option("#space", content.spaces[0])
    ids = view.locator("[id]").evaluate_all("all => all.map(part => part.id)")
    assert len(ids) == len(set(ids))


def test_names_are_shown_as_text(view):
    assert BAD in view.inner_text("main")
    labels = view.eval_on_selector_all("svg text", "all => all.map(t => t.textContent)")
    assert any("<script>" in label for label in labels)
    options = view.eval_on_selector_all("#classes option", "all => all.map(o => o.value)")
    assert options == ["banded", BAD, LONG, QUOTES]


@pytest.mark.parametrize("name", ["banded", BAD, QUOTES])
def test_a_class_is_singled_out_in_every_figure_that_has_it(view, name):
    before = {}
    titles = (
        *("takes each class for", "for every pair of classes"),
        *("persistence diagrams", "PCA of", "of every class", "Accuracy on"),
    )
    for title in titles:
        before[title] = chart(view, title).locator(".chart").inner_html()
    pick(view, name)
    for title in titles:
        figure = chart(view, title)
        settled(view, figure, chosen_class=name)
        assert figure.locator(".chart").inner_html() != before[title]
    shown = marks(chart(view, "PCA of"))
    assert shown.count(0.8) == 4 * 12  # levels, images of the class
    assert shown.count(0.06) == 4 * 12 * 3
    view.fill("#class", "")
    for title in titles:
        settled(view, chart(view, title), chosen_class="")
    assert set(marks(chart(view, "PCA of"))) == {0.8}


def test_a_click_on_a_mark_chooses_its_class_and_a_second_lets_go(view):
    figure = chart(view, "PCA of")
    point = figure.locator(".mark-symbol.role-mark path").first
    for expected in ("banded", ""):
        point.dispatch_event("click")
        settled(view, figure, chosen_class=expected)
        assert view.input_value("#class") == expected


def test_a_legend_of_classes_chooses_for_every_figure(view):
    figure = chart(view, "PCA of")
    for expected in (QUOTES, ""):  # the first in the order of the alphabet
        figure.locator(".role-legend-symbol path").first.dispatch_event("click")
        settled(view, figure, chosen_class=expected)
        assert view.input_value("#class") == expected


def test_a_legend_filters_its_own_figure(view):
    figure = chart(view, "persistence diagrams")
    bands = """all => all.filter(l => l.getAttribute("stroke-dasharray"))
        .map(l => Number(l.getAttribute("opacity") ?? 1))"""
    assert set(marks(figure)) == {0.8}
    entry = figure.locator(".role-legend-symbol path").nth(1)  # H1; the bands are of H0
    for modifiers, expected, band in ({}, {0.8, 0.3}, 0.5), ({"shiftKey": True}, {0.8}, 1):
        entry.dispatch_event("click", modifiers)
        for _ in range(100):
            if set(marks(figure)) == expected:
                break
            view.wait_for_timeout(50)
        assert set(marks(figure)) == expected
        lines = figure.locator(".mark-rule.role-mark line").evaluate_all(bands)
        assert set(lines) == {band}


def test_half_a_name_finds_its_class_and_a_wrong_one_is_said_to_be(view):
    said = view.locator("#class-said")
    pick(view, "BAND")
    assert view.input_value("#class") == "banded"
    assert said.inner_text() == ""
    pick(view, "nothing like it")
    settled(view, chart(view, "PCA of"), chosen_class="")
    assert said.inner_text() == "No class is called so; all are shown."
    assert said.is_visible()
    assert view.get_attribute("#class", "aria-invalid") == "true"
    assert view.input_value("#class") == "nothing like it"
    pick(view, "")
    assert said.inner_text() == ""


def test_a_wrong_name_is_said_while_it_is_typed_and_as_often_as_it_is(view):
    pick(view, "banded")
    said = view.locator("#class-said")
    for _ in range(2):
        view.locator("#class").press("x")  # bandedx
        assert said.inner_text() == "No class is called so; all are shown."
        settled(view, chart(view, "PCA of"), chosen_class="")
        view.keyboard.press("Tab")
        assert said.is_visible()
        view.locator("#class").press("End")
        view.keyboard.press("Backspace")
        assert said.inner_text() == ""
        settled(view, chart(view, "PCA of"), chosen_class="banded")
    pick(view, "")


def test_a_figure_says_which_choice_does_not_change_it(view):
    pick(view, "banded")
    for title, told in (
        ("Share of the variance", "Not changed by the class chosen."),
        ("PCA of", ""),
    ):
        figure = chart(view, title)
        settled(view, figure, chosen_class="banded")
        assert figure.locator(".unmoved").inner_text() == told
    pick(view, "")


BY_LEVEL = {  # panels when all levels are shown, and when one is: of a space, or of both
    "persistence diagrams": (4, 1),
    "PCA of": (4, 1),
    "Barcodes": (8, 2),
    "Persistence landscapes": (8, 2),
    "Persistence images": (8, 2),
}
SIDE_BY_SIDE = ("for every pair of classes", "takes each class for")


def heads(figure):
    """What stands above the panels, without the heading over them all."""
    told = figure.locator(".role-title-text text").all_text_contents()
    return [text for text in told if "parameter" not in text]


def sides(figure):
    """Widths and heights of a figure's panels."""
    return figure.locator(".role-scope[class$=cell] > g > path.background").evaluate_all(
        "all => all.map(p => [p.getBBox().width, p.getBBox().height].map(Math.round))"
    )


def test_the_slider_moves_every_figure_that_has_levels(view):
    before = {title: sides(chart(view, title)) for title in BY_LEVEL}
    assert {title: len(found) for title, found in before.items()} == {
        title: several for title, (several, _) in BY_LEVEL.items()
    }
    axes = {
        title: chart(view, title).locator(".role-axis-label text").all_text_contents()
        for title in ("Persistence landscapes", "Barcodes")
    }
    slider = view.locator("#level")
    slider.focus()
    for _ in range(2):  # past the clean images
        slider.press("ArrowRight")
    assert view.inner_text("#level-name") == "1 (0.08)"
    assert slider.get_attribute("aria-valuetext") == "1 (0.08)"
    for title, (_, left) in BY_LEVEL.items():
        figure = chart(view, title)
        settled(view, figure, shown_level="1 (0.08)")
        assert len(sides(figure)) == left
        assert min(width for width, _ in sides(figure)) > max(w for w, _ in before[title])
    for title, labels in axes.items():  # wider, with more labels, but over the same values
        shown = chart(view, title).locator(".role-axis-label text").all_text_contents()
        assert {labels[0], labels[-1]} <= set(shown)
    for title in ("Share of the variance", "Betti curves"):
        figure = chart(view, title)
        settled(view, figure, shown_level="1 (0.08)")
        faint = figure.locator(".mark-line path").evaluate_all(
            "all => all.map(p => Number(p.getAttribute('opacity') ?? 1))"
        )
        assert sorted(set(faint)) == [0.1, 1]
    for title in SIDE_BY_SIDE:
        figure = chart(view, title)
        settled(view, figure, shown_level="1 (0.08)")
        assert heads(figure) == ["clean", "1 (0.08)"]
    slider.focus()
    slider.press("ArrowRight")
    figure = chart(view, "persistence diagrams")
    settled(view, figure, shown_level="2 (0.18)")
    grid = figure.locator(".role-axis-grid line").evaluate_all(
        "all => all.map(l => Math.round(l.getBBox().width)).filter(width => width > 1)"
    )
    assert set(grid) == {width for width, _ in sides(figure)}  # the new panel is filled, too
    slider.press("Home")
    for title in BY_LEVEL:
        settled(view, chart(view, title), shown_level="")
        assert sides(chart(view, title)) == before[title]
    for title in SIDE_BY_SIDE:
        settled(view, chart(view, title), shown_level="")
        assert heads(chart(view, title)) == ["clean", "3 (0.38)"]
    assert slider.input_value() == "0"
    assert view.inner_text("#level-name") == slider.get_attribute("aria-valuetext") == "all levels"


def test_details_are_folded_and_open_from_the_keyboard_and_on_paper(view, content):
    blocks = [b for s in content.sections for b in s.blocks]
    detailed = sum(getattr(b, "detail", False) for b in blocks)
    assert view.folded_at_first == view.locator("main details").count() == detailed > 3
    assert view.locator("main details:not([open])").count() == 0  # as printing left them
    view.evaluate("dispatchEvent(new Event('afterprint'))")
    assert view.locator("main details[open]").count() == 0
    fold = view.locator("details", has_text="Barcodes").first
    assert not fold.locator(".chart").is_visible()
    fold.locator("summary").focus()
    view.keyboard.press("Enter")
    assert fold.locator(".chart").is_visible()
    assert "Barcodes, against noise" in fold.locator("summary").inner_text()
    view.evaluate("dispatchEvent(new Event('beforeprint'))")


def test_one_feature_space_is_shown_at_a_time(view):
    shown = "all => all.map(f => f.dataset.space)"
    visible = "figure[data-space]:not(.aside)"
    assert set(view.eval_on_selector_all(visible, shown)) == {"a"}
    view.select_option("#space", BAD)
    assert set(view.eval_on_selector_all(visible, shown)) == {BAD}
    view.select_option("#space", "a")


def test_every_feature_space_has_the_same_figures_unfolded(view):
    unfolded = """all => all.filter(f => !f.closest("details"))
        .map(f => [f.querySelector(".spec").dataset.name, f.dataset.space])"""
    kinds = {"a": [], BAD: []}
    for name, space in view.eval_on_selector_all("figure[data-space]", unfolded):
        kinds[space].append(name.replace(f"-{space}", "", 1))
    assert kinds["a"] == kinds[BAD]
    assert any(kind.startswith("forest") for kind in kinds[BAD])


def test_a_mark_says_its_class_and_shows_its_image(view):
    figure = chart(view, "PCA of")
    figure.locator(".mark-symbol.role-mark path").first.hover(force=True)
    view.wait_for_selector("#tip:not([hidden])")
    told = view.eval_on_selector_all("#tip dt", "all => all.map(t => t.innerText)")
    assert told == ["class", "severity (parameter)", "image"]
    assert view.locator("#tip .tile").count() == 1
    background = view.eval_on_selector(
        "#tip .tile", "t => getComputedStyle(t).backgroundImage.slice(0, 40)"
    )
    assert background.startswith('url("data:image/webp;base64')
    view.mouse.move(2, 2)
    view.wait_for_selector("#tip", state="hidden")


def test_the_controls_stay_in_one_row(view):
    tops = "all => all.map(c => c.getBoundingClientRect()).map(r => (r.top + r.bottom) / 2)"
    for width in (900, 1216, 1250, 1300, 1600):
        view.set_viewport_size({"width": width, "height": 900})
        middles = view.eval_on_selector_all(".controls > :not(datalist)", tops)
        assert max(middles) - min(middles) < 8
        ends = view.eval_on_selector_all(
            ".controls > *", "all => all.map(c => c.getBoundingClientRect().right)"
        )
        bar = view.eval_on_selector(".controls", "c => c.getBoundingClientRect().right")
        assert max(ends) <= bar


def test_the_page_is_no_wider_than_the_window_and_folds_its_contents_where_that_is_narrow(view):
    for width, beside in ((400, False), (1200, False), (1300, True)):
        view.set_viewport_size({"width": width, "height": 900})
        assert view.evaluate("document.documentElement.scrollWidth") <= width
        assert view.locator(".contents ol").is_visible() == beside


def lightness(colour):
    return sum(int(part) for part in re.findall(r"\d+", colour)[:3]) / 3


def contrast(one, other):
    def luminance(colour):
        parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_colours_follow_the_reader_and_keep_their_contrast(view):
    text = "getComputedStyle(document.querySelector('.chart svg text')).fill"
    grounds = {}
    for scheme, clicks, name in (("dark", 0, "auto"), ("dark", 1, "light"), ("light", 1, "dark")):
        view.emulate_media(color_scheme=scheme)
        for _ in range(clicks):
            view.click("#theme")
        assert view.inner_text("#theme-name") == name
        ground = view.evaluate("getComputedStyle(document.body).backgroundColor")
        grounds[name] = lightness(ground)
        for colour in (
            view.evaluate(text),
            *(
                view.evaluate(f"getComputedStyle(document.querySelector('{part}')).color")
                for part in ("main p", "figcaption", ".save button", ".contents a")
            ),
        ):
            assert contrast(colour, ground) >= 4.5
    assert grounds["auto"] < 60 < 200 < grounds["light"]
    assert grounds["dark"] < 60
    view.click("#theme")
    assert view.inner_text("#theme-name") == "auto"


def accuracies(view):
    return view.locator(".table", has_text="Accuracies").first


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_an_edge_that_hides_more_has_a_shadow(view, theme):
    """Grey levels of both edges against the ground between, unscrolled and at the end."""
    from PIL import Image

    view.emulate_media(color_scheme=theme)
    view.set_viewport_size({"width": 390, "height": 900})
    room = accuracies(view).locator(".scroll")
    room.evaluate("room => room.scrollIntoView({block: 'center'})")
    assert room.evaluate("room => room.scrollWidth > room.clientWidth + 40")
    for end, shadows in ((0, (False, True)), (9999, (True, False))):
        room.evaluate(f"room => room.scrollTo({end}, 0)")
        line = np.asarray(Image.open(BytesIO(room.screenshot())).convert("L"), float)[1]
        ground = np.median(line)
        assert tuple(abs(line[edge] - ground) > 20 for edge in (0, -1)) == shadows
    room.evaluate("room => room.scrollTo(0, 0)")
    view.set_viewport_size({"width": 1300, "height": 900})
    view.emulate_media(color_scheme="light")


def test_tables_sort_by_value_from_the_keyboard(view):
    table = accuracies(view).locator("table")
    button = table.locator("th button").nth(5)
    column = "t => [...t.tBodies[0].rows].map(row => Number(row.cells[5].innerText))"
    button.focus()
    view.keyboard.press("Enter")
    assert table.evaluate(column) == sorted(table.evaluate(column))
    assert table.locator("th").nth(5).get_attribute("aria-sort") == "ascending"
    view.keyboard.press("Enter")
    assert table.evaluate(column) == sorted(table.evaluate(column), reverse=True)
    assert table.locator("th").nth(5).get_attribute("aria-sort") == "descending"


def test_a_table_is_saved_with_all_its_digits(view, content):
    with view.expect_download() as download:
        accuracies(view).locator("[data-save=csv]").click()
    assert download.value.suggested_filename == "table-1-accuracies.csv"
    saved = pd.read_csv(download.value.path())
    table = next(
        b for s in content.sections for b in s.blocks if getattr(b, "label", "") == "accuracies"
    )
    assert list(saved) == list(table.frame)
    assert set(saved["feature space"]) == {"a", BAD}
    assert sorted(saved["clean"]) == sorted(table.frame["clean"])


def test_numbers_with_intervals_are_saved_in_three_columns(view, content):
    table = view.locator("table[data-name=associations]")
    button = view.locator(".table", has=table).locator("[data-save=csv]")
    with view.expect_download() as download:
        button.evaluate("button => button.click()")  # it may lie in a fold
    saved = pd.read_csv(download.value.path(), float_precision="round_trip")
    cells = next(
        b for s in content.sections for b in s.blocks if getattr(b, "label", "") == "associations"
    ).frame["within level"]
    for name, part in (("", "value"), (" low", "low"), (" high", "high")):
        numbers = [getattr(cell, part) for cell in cells]
        assert sorted(saved[f"within level{name}"].dropna()) == sorted(
            np.array(numbers)[~np.isnan(numbers)]
        )


@pytest.mark.parametrize(("kind", "start"), [("svg", b"<svg"), ("png", b"\x89PNG")])
def test_a_figure_is_saved(view, kind, start):
    figure = chart(view, "PCA of")
    with view.expect_download() as download:
        figure.locator(f"[data-save={kind}]").click()
    number = figure.get_attribute("id")
    assert download.value.suggested_filename == f"{number}-pca-a.{kind}"
    told = figure.locator(f"[data-save={kind}]").get_attribute("aria-label")
    assert told == f"Save {number.replace('-', ' ')} as {kind.upper()}"
    assert download.value.path().read_bytes().startswith(start)


def test_a_figure_that_is_not_drawn_yet_is_saved(view):
    assert view.saved_undrawn.startswith("<svg")
    assert view.saved_undrawn.count("<path") > 10


def test_the_keyboard_reaches_every_part(view):
    assert view.locator("main, nav, header, footer").count() == 4
    view.keyboard.press("Tab")
    view.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
    view.locator(".skip").focus()
    assert view.evaluate("document.querySelector('.skip').getBoundingClientRect().left") > 0
    anchors = view.eval_on_selector_all(".contents a", "all => all.map(a => a.hash.slice(1))")
    assert all(view.locator(f"#{anchor}").count() == 1 for anchor in anchors)


def test_paper_has_the_figures_of_every_feature_space(view, tmp_path):
    from pypdf import PdfReader

    path = tmp_path / "page.pdf"
    path.write_bytes(view.pdf(format="A4"))
    text = " ".join(page.extract_text() for page in PdfReader(path).pages)
    assert "a: Persistence diagrams" in text
    assert "<script>" in text
    assert "Colours: auto" not in text  # the controls


def test_a_page_without_thumbnails_holds_no_image(bad_run):
    html = page.render(build(bad_run, thumbnails=False))
    assert "data:image/webp;base64," not in html
    assert "--sprite: none" in html
