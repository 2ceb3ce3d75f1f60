import json
import warnings

import numpy as np
import pytest

from tdafeat.cli import main


@pytest.fixture
def files(tmp_path):
    rng = np.random.default_rng(0)
    labels = np.repeat(["x", "y", "z"], 16)
    base = rng.normal(size=(48, 5)) + 2 * np.eye(5)[np.repeat([0, 1, 2], 16)]
    np.save(tmp_path / "clean.npy", base)
    np.save(tmp_path / "noisy.npy", base + rng.normal(size=base.shape))
    (tmp_path / "labels.txt").write_text("\n".join(labels))
    return tmp_path


def run_own(files, *more):
    places = ["--out", f"{files}/run", "--store", f"{files}/store", "--jobs", "1"]
    clean = ["--features", f"{files}/clean.npy", "--labels", f"{files}/labels.txt"]
    return main(["run", *clean, "--noisy", f"1={files}/noisy.npy", *places, *more])


def test_own_features_end_in_a_report(files, capsys):
    assert run_own(files) == 0
    printed = capsys.readouterr().out.splitlines()
    assert [line.rsplit("/", 1)[1] for line in printed] == ["report.html", "report.pdf"]
    assert (files / "run" / "report.html").stat().st_size > 10_000
    assert (files / "run" / "report.pdf").read_bytes().startswith(b"%PDF")
    before = (files / "run" / "report.pdf").read_bytes()
    assert main(["report", f"{files}/run"]) == 0
    assert (files / "run" / "report.pdf").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--noisy", "x=none.npy"], "--noisy takes K=FILE"),
        (["--noisy", "2=none.npy"], "none.npy: there is no such file"),
        (["--primary", "probe_acuracy"], "did you mean 'probe_accuracy'"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(files, capsys, arguments, message):
    assert run_own(files, *arguments) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (files / "run").exists()


TEXTURES = ["run", "--data", "textures"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "--data", "texture"], "did you mean 'textures'"),
        ([*TEXTURES, "--encoder", "pixel"], "did you mean 'pixels'"),
        ([*TEXTURES, "--noise", "gausian"], "did you mean 'gaussian'"),
        ([*TEXTURES, "--levels", "-0.1"], "-0.1"),
        (
            [*TEXTURES, "--levels", "0.1", "0.2", "0.1"],
            "levels must differ from each other; 0.1 is",
        ),
        (
            [*TEXTURES, "--seed", "0", "--seed", "0"],
            "seeds must differ from each other; 0 is given",
        ),
        ([*TEXTURES, "--encoder", "pixels:8", "--encoder", "pixels:8"], "one is named twice"),
        ([*TEXTURES, "--analysis", "eigenimage"], "did you mean 'eigenimages'"),
        ([*TEXTURES, "--analysis", "centroids", "--encoder", "siamese:textures"], "are images"),
        (["run", "--data", "folder:/none"], "/none"),
        (["run", "none.py"], "none.py"),
        (["report", "/none"], "/none"),
        ([*TEXTURES, "--device", "cuda:99"], "cuda"),
    ],
)
def test_names_and_numbers_are_checked_first(tmp_path, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("encoders", "open_clip"),
        ("datasets", "textures"),
        ("datasets", "digits"),
        ("noises", "impulse"),
        ("metrics", "koleo"),
        ("analyses", "eigenimages"),
    ],
)
def test_list(capsys, kind, expected):
    assert main(["list", kind]) == 0
    printed = capsys.readouterr().out
    assert expected in printed
    assert "`" not in printed


def test_metrics_of_one_definition_are_told_apart(capsys):
    assert main(["list", "metrics"]) == 0
    lines = [line.split(None, 1) for line in capsys.readouterr().out.splitlines()]
    said = [said for _, said in lines]
    assert len(said) == len(set(said))
    distances = {name: said for name, said in lines if name.endswith("wasserstein_h0")}
    assert "distance to clean" in distances["wasserstein_h0"]
    assert "distance between classes" in distances["class_wasserstein_h0"]


def test_doctor_names_what_is_installed(capsys):
    assert main(["doctor"]) == 0
    printed = capsys.readouterr().out
    assert "ripser" in printed
    assert "fashion_mnist" in printed


def test_interrupt_is_exit_code_130(files, monkeypatch, capsys):
    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("tdafeat.study.run_tasks", stop)
    assert run_own(files) == 130
    assert "kept" in capsys.readouterr().err


def test_full_disk_is_one_sentence(files, monkeypatch, capsys):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tdafeat.files.os.fsync", full)
    assert run_own(files) == 2
    assert "disk is full" in capsys.readouterr().err
    assert not (files / "run" / "manifest.json").exists()


SCRIPT = """
from tdafeat import Study
FASHION = Study("second", "?", dataset="fashion_mnist", encoders=("pixels:28#grey",))
STUDY = Study("first", "?", dataset="digits", encoders=("pixels:8#grey",))
"""


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ([], "first"),
        (["--data", "digits"], "first"),
        (["--data", "fashion_mnist"], "second"),
        (["--data", "textures"], "first"),
    ],
)
def test_a_script_may_declare_its_question_of_several_data_sets(
    tmp_path, monkeypatch, options, name
):
    from tdafeat.study import Study

    started = []
    monkeypatch.setattr(Study, "run", lambda self, *_, **__: started.append(self) or 1 / 0)
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    assert main(["run", str(script), *options]) == 3
    (study,) = started
    assert study.name == name
    assert study.dataset == (options[1] if options else "digits")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = (", "script.py, line 1: SyntaxError: '(' was never closed"),
        ("\nimport nothing_at_all", "script.py, line 2: ModuleNotFoundError: No module named"),
        ("def f():\n    1 / 0\nf()", "script.py, line 2: ZeroDivisionError: division by zero"),
        ("STUDY = 3", "script.py: a study script must declare STUDY"),
    ],
)
def test_a_script_that_fails_is_one_sentence(tmp_path, monkeypatch, capsys, text, message):
    script = tmp_path / "script.py"
    script.write_text(text)
    assert main(["run", str(script)]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    monkeypatch.setenv("TDAFEAT_TRACEBACK", "1")
    assert main(["run", str(script)]) == 2
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--jobs", "two", "--log", "json"], "argument --jobs: invalid int value: 'two'"),
        (["--log=json", "--wat"], "unrecognized arguments: --wat"),
        (["--log", "json", "--log", "xml"], "argument --log: invalid choice: 'xml'"),
    ],
)
def test_options_that_cannot_be_are_a_line_of_json_too(capsys, arguments, message):
    with pytest.raises(SystemExit) as end:
        main(["run", *arguments])
    assert end.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    told = json.loads(line)
    assert told["event"] == "error"
    assert told["message"].startswith(message)


def test_a_run_of_nothing_is_refused(capsys):
    assert main(["run", "--encoder", "pixels:8"]) == 2
    assert "name a study script, --data or --features" in capsys.readouterr().err


def test_what_ends_a_run_is_a_line_of_json_too(monkeypatch, capsys):
    from tdafeat.study import Study

    def broken(*_, **__):
        warnings.warn("beware", stacklevel=1)
        return 1 / 0

    monkeypatch.setattr(Study, "run", broken)
    assert main(["run", "--data", "textures:16", "--log", "json"]) == 3
    warning, error = map(json.loads, capsys.readouterr().err.splitlines())
    assert (warning["event"], warning["message"]) == ("warning", "beware")
    assert (error["event"], error["message"]) == ("error", "ZeroDivisionError: division by zero")
    assert error["trace"].startswith("Traceback")
