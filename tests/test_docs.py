import re
from pathlib import Path

DISTANCES = Path(__file__).parent.parent / "docs" / "distances.md"
BLOCKS = re.findall(r"```python\n(.*?)```", DISTANCES.read_text(encoding="utf-8"), re.DOTALL)


def printed(code, capsys):
    exec(compile(code, DISTANCES.name, "exec"), {"__name__": "docs"})
    return capsys.readouterr().out.split("\n")


def test_the_examples_print_what_the_page_says(capsys):
    first, second = BLOCKS
    value, matching, _ = printed(first, capsys)
    assert value.startswith("1.75 1.27475")
    assert matching == "1.0 [[0, 0], [1, -1], [-1, 1]]"
    # What GUDHI prints after that is its own.
    assert printed(second, capsys)[0] == "3.0 1.5"
