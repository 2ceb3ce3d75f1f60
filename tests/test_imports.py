import subprocess
import sys

import pytest

HEAVY = (
    "torch",
    "sklearn",
    "skimage",
    "transformers",
    "numba",
    "umap",
    "pacmap",
    "pandas",
    "altair",
)


@pytest.mark.parametrize(
    "code",
    ["import tdafeat", "from tdafeat.cli import main; main(['--help'])"],
    ids=["import", "help"],
)
def test_nothing_heavy_is_loaded(code):
    script = f"""
import sys
try:
    {code.replace(";", chr(10) + "   ")}
except SystemExit:
    pass
print("loaded:", [name for name in {HEAVY!r} if name in sys.modules])
"""
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert "loaded: []" in result.stdout, result.stdout + result.stderr


def test_every_public_name_resolves():
    import tdafeat

    assert tdafeat.geometry.koleo is not None  # rooms need no import of their own
    for name in tdafeat.__all__:
        assert getattr(tdafeat, name) is not None
    with pytest.raises(AttributeError, match="nothing_of_the_kind"):
        tdafeat.nothing_of_the_kind  # noqa: B018
