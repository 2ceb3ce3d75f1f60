import re
import shlex
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parent.parent


def blocks(page):
    return re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)


BLOCKS = blocks(ROOT / "README.md")
GUIDES = [*(ROOT / "docs").glob("*.md"), ROOT / "studies" / "README.md"]
PAGES = [
    pytest.param(page, marks=[pytest.mark.slow] * (page.stem == "cluster"), id=page.name)
    for page in sorted(GUIDES)
    if blocks(page)
]


@pytest.mark.parametrize("code", BLOCKS, ids=range(len(BLOCKS)))
def test_every_example_of_the_readme_runs(code):
    exec(compile(code, "README.md", "exec"), {"__name__": "readme"})


def test_the_command_for_features_of_ones_own_runs(tmp_path, monkeypatch):
    from tdafeat.cli import main

    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (command,) = re.findall(r"^tdafeat (run --features .*)$", text, re.MULTILINE)
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    labels = np.repeat(["a", "b"], 12)
    for spread, name in enumerate(("clean", "mild", "strong"), start=1):
        cloud = (labels == "b")[:, None] * [3.0, 0, 0] + spread * rng.normal(size=(24, 3))
        np.save(f"{name}.npy", cloud)
    Path("labels.txt").write_text("\n".join(labels))
    Path("ids.txt").write_text("\n".join(f"image-{i}" for i in range(24)))
    assert main([*shlex.split(command), "--no-report", "--jobs", "1"]) == 0
    assert Path("reports/mine/manifest.json").is_file()
    here = ("status reports/", "store ")  # what the guide does next, but for buckets
    for command in commands(ROOT / "docs" / "running.md"):
        if command.startswith(here) and "://" not in command:
            assert main(shlex.split(command)) == 0


def test_the_study_of_ones_own_images_and_encoder_runs_as_a_file(tmp_path, monkeypatch):
    from PIL import Image

    from tdafeat.cli import main
    from tdafeat.run import Run

    (code,) = (block for block in BLOCKS if block.startswith("# my_study.py\n"))
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for name in ("brick", "grass"):
        (Path("images") / name).mkdir(parents=True)
        for k in range(8):
            pixels = rng.integers(0, 128, size=(16, 16, 3)) + 127 * (name == "grass")
            Image.fromarray(pixels.astype(np.uint8)).save(f"images/{name}/{k}.png")
    Path("my_study.py").write_text(code.replace("/path/to/images", "images"))
    options = ["--levels", "30", "--jobs", "1", "--no-report"]
    assert main(["run", "my_study.py", "--store", "store", *options]) == 0
    metrics = Run.read("reports/my_study").metrics
    assert set(metrics["encoder"]) == {"mean-colour", "pixels"}
    found = metrics.query("metric == 'probe_accuracy' and scope == 'all' and severity == 0")
    assert (found["value"] == 1).all()  # one class is twice as bright as the other


def commands(page):
    text = page.read_text(encoding="utf-8")
    shell = "\n".join(re.findall(r"```sh\n(.*?)```", text, re.DOTALL))
    return re.findall(r"^tdafeat (.*)$", shell, re.MULTILINE)


WITH_COMMANDS = [page for page in [ROOT / "README.md", *GUIDES] if commands(page)]


@pytest.mark.parametrize("page", WITH_COMMANDS, ids=lambda page: page.name)
def test_the_commands_of_a_page_are_such_that_there_are(page, monkeypatch):
    from tdafeat import cli

    monkeypatch.setattr(cli, "guarded", lambda *_: 0)  # options are read, nothing is done
    for command in commands(page):
        assert cli.main(shlex.split(command)) == 0


def test_the_examples_are_found():
    assert len(BLOCKS) >= 3


@pytest.mark.parametrize("page", PAGES)
def test_the_examples_of_a_page_run_one_after_the_other(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # where runs are written
    names = {"__name__": "__main__"}
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
