"""What docs/security.md claims: of the sources as a whole, and that its tests exist."""

import ast
import re
from pathlib import Path

import pytest

import tdafeat
from tests import small_study

ROOT = Path(__file__).parents[1]
FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__"}
FORBIDDEN_NAMES = {"extractall", "unpack_archive", "run_path", "system", "popen"}
PICKLES = {"pickle", "cPickle", "dill", "cloudpickle", "marshal", "shelve"}
ALLOWED = {
    ("cli/run.py", "run_path"),  # study scripts, which are trusted
    ("encoders/checkpoint.py", "UnpicklingError"),  # told apart, never unpickled
}


def calls():
    """Every call in the package: file, name of what is called, keyword arguments."""
    for path in sorted(Path(tdafeat.__file__).parent.rglob("*.py")):
        name = path.relative_to(Path(tdafeat.__file__).parent).as_posix()
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                plain = isinstance(node.func, ast.Name)
                called = node.func.id if plain else getattr(node.func, "attr", "")
                yield name, called, plain, {k.arg: k.value for k in node.keywords}, node.func
            elif isinstance(node, ast.ImportFrom) and node.module in PICKLES:
                yield from ((name, alias.name, False, {}, node) for alias in node.names)
            elif isinstance(node, ast.Import):
                yield from ((name, a.name, False, {}, node) for a in node.names)


def is_constant(node, value):
    return isinstance(node, ast.Constant) and node.value is value


def test_no_source_reads_code_from_data():
    found = set()
    for file, called, plain, keywords, node in calls():
        owner = getattr(getattr(node, "value", None), "id", "")
        if (
            (plain and called in FORBIDDEN_CALLS)
            or called in FORBIDDEN_NAMES | PICKLES
            or isinstance(node, ast.ImportFrom)
        ):
            found.add((file, called))
        elif (owner, called) == ("torch", "load"):
            assert is_constant(keywords.get("weights_only"), True), file
        elif (owner, called) == ("np", "load"):
            assert is_constant(keywords.get("allow_pickle"), False), file
        elif owner in ("joblib", "yaml") and called == "load":
            found.add((file, f"{owner}.load"))
    assert found == ALLOWED


@pytest.mark.parametrize("name", ["../elsewhere", "a/b", "", ".hidden", "c:\\x", "a\n"])
def test_no_study_is_named_out_of_its_folder(name, tmp_path):
    with pytest.raises(ValueError, match="name must be usable"):
        small_study.study(name=name).run(tmp_path / "run", store=tmp_path / "store", quiet=True)
    assert list(tmp_path.iterdir()) == []


def test_every_claim_names_a_test_that_exists():
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", (ROOT / "docs" / "security.md").read_text())
    assert len(named) > 15
    for file, test in named:
        assert f"def {test}(" in (ROOT / file).read_text(), (file, test)
