import pytest

from tdafeat.encoders import read_prompts
from tdafeat.errors import DataUnavailable, UnreadableData


def test_the_eight_prompts_of_dtd():
    expected = {
        f"a photo of {article} {{}} {noun}."
        for article in ("a", "the")
        for noun in ("texture", "pattern", "thing", "object")
    }
    prompts = read_prompts("dtd")
    assert len(prompts) == 8
    assert set(prompts) == expected


@pytest.mark.parametrize("name", ["generic", "fashion_mnist"])
def test_embedded_lists_have_one_place_for_the_class(name):
    assert all(prompt.count("{}") == 1 for prompt in read_prompts(name))


def test_a_file_of_ones_own(tmp_path):
    path = tmp_path / "mine.txt"
    path.write_text("a scan of {}\n\n  an image of {}  \n", encoding="utf-8")
    assert read_prompts(path) == ["a scan of {}", "an image of {}"]


@pytest.mark.parametrize("text", ["a photo", "", "{} and {}"])
def test_a_file_without_a_place_for_the_class(text, tmp_path):
    path = tmp_path / "mine.txt"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UnreadableData, match="mine.txt"):
        read_prompts(path)


def test_a_missing_list_names_the_embedded_ones():
    with pytest.raises(DataUnavailable, match="dtd, fashion_mnist, generic"):
        read_prompts("nowhere")
