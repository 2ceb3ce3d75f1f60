import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def blocks(page):
    return re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)


BLOCKS = blocks(ROOT / "README.md")
PAGES = sorted(page for page in (ROOT / "docs").glob("*.md") if blocks(page))


@pytest.mark.parametrize("code", BLOCKS, ids=range(len(BLOCKS)))
def test_every_example_of_the_readme_runs(code):
    exec(compile(code, "README.md", "exec"), {"__name__": "readme"})


def test_the_examples_are_found():
    assert len(BLOCKS) >= 3


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_examples_of_a_page_run_one_after_the_other(page):
    names = {"__name__": page.stem}
    for code in blocks(page):
        exec(compile(code, page.name, "exec"), names)


def printed(code, page, capsys):
    exec(compile(code, page.name, "exec"), {"__name__": "docs"})
    return capsys.readouterr().out.split("\n")


def test_the_examples_on_distances_print_what_the_page_says(capsys):
    page = ROOT / "docs" / "distances.md"
    first, second = blocks(page)
    value, matching, _ = printed(first, page, capsys)
    assert value.startswith("1.75 1.27475")
    assert matching == "1.0 [[0, 0], [1, -1], [-1, 1]]"
    # What GUDHI prints after that is its own.
    assert printed(second, page, capsys)[0] == "3.0 1.5"
