import json

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from tdafeat import datasets
from tdafeat.encoders import load, prompts_for
from tdafeat.encoders.checkpoint import EMBEDDED
from tdafeat.encoders.tiny import CONTEXT, Vocabulary, make_clip
from tdafeat.errors import UnknownName, UnreadableData

WORDS = ["a", "banded", "grid", "of", "photo", "polka-dotted", "texture"]


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """Path of an untrained network, and the network."""
    torch.manual_seed(0)
    network = make_clip(Vocabulary(WORDS)).eval()
    path = tmp_path_factory.mktemp("clip") / "clip.safetensors"
    save_file(network.state_dict(), path, metadata={"vocabulary": json.dumps(WORDS)})
    return path, network


def test_pictures_and_words_share_a_space(clip):
    path, network = clip
    encoder = load(f"tiny:clip@{path}")
    images = torch.randn(3, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    features = encoder.encode(images)
    rows = encoder.encode_text(["banded", "grid"], ["a photo of a {}.", "a {} texture."])
    with torch.inference_mode():
        torch.testing.assert_close(features, network.encode_image(images))
    assert features.shape == (3, encoder.dimension) == (3, 128)
    assert rows.shape == (2, 128)
    assert torch.allclose(rows.norm(dim=1), torch.ones(2), atol=1e-6)
    assert encoder.name == "tiny:clip@clip.safetensors"


def test_a_sentence_begins_and_ends_and_is_padded():
    tokens = Vocabulary(WORDS)(["A photo of a polka-dotted texture!", "grid"])
    start, end = len(WORDS) + 1, len(WORDS) + 2
    assert tokens[0].tolist() == [start, 1, 5, 4, 1, 6, 7, end] + [0] * (CONTEXT - 8)
    assert tokens[1].tolist() == [start, 3, end] + [0] * (CONTEXT - 3)
    assert len(Vocabulary(WORDS)) == end + 1


def test_meaning_does_not_depend_on_what_else_is_in_the_batch(clip):
    _, network = clip
    vocabulary = Vocabulary(WORDS)
    with torch.inference_mode():
        alone = network.encode_text(vocabulary(["a grid texture"]))
        beside = network.encode_text(vocabulary(["a grid texture", "a photo of a banded texture"]))
    assert torch.allclose(alone, beside[:1], atol=1e-6)


@pytest.mark.parametrize(
    ("sentence", "error", "message"),
    [
        ("a photo of a cat", UnknownName, "no word 'cat'"),
        ("a " * (CONTEXT - 1), ValueError, f"at most {CONTEXT - 2} words"),
    ],
)
def test_sentences_it_cannot_read(sentence, error, message):
    with pytest.raises(error, match=message):
        Vocabulary(WORDS)([sentence])


@pytest.mark.parametrize(
    "header", [None, {"other": "[]"}, {"vocabulary": "7"}, {"vocabulary": "["}]
)
def test_weights_without_a_vocabulary(header, clip, tmp_path):
    save_file(clip[1].state_dict(), tmp_path / "bare.safetensors", metadata=header)
    with pytest.raises(UnreadableData, match=r"bare\.safetensors: .*no vocabulary"):
        load(f"tiny:clip@{tmp_path / 'bare.safetensors'}")


def test_a_vocabulary_of_another_size(clip, tmp_path):
    words = json.dumps([*WORDS, "zigzagged"])
    save_file(clip[1].state_dict(), tmp_path / "other.safetensors", metadata={"vocabulary": words})
    with pytest.raises(UnreadableData, match="token_embedding"):
        load(f"tiny:clip@{tmp_path / 'other.safetensors'}")


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("tiny:clop", UnknownName, "there are tiny:clip and tiny:dino"),
        ("tiny:clip#cls", ValueError, "must be 'proj'; got 'cls'"),
    ],
)
def test_names_that_make_no_sense(name, error, message):
    with pytest.raises(error, match=message):
        load(name)


def test_the_embedded_one_names_fresh_textures():
    images = datasets.load("textures", "test", limit=6, seed=7)
    encoder = load("tiny:clip")
    pixels = np.stack([encoder.preprocessing.prepare(images.read(i)) for i in range(len(images))])
    features = encoder.encode(encoder.preprocessing.normalise(torch.from_numpy(pixels) / 255))
    rows = encoder.encode_text(images.classes, prompts_for("textures"))
    named = (features @ rows.T).argmax(dim=1).numpy()
    assert (named == images.labels).mean() > 0.7


def test_its_card():
    path = EMBEDDED / "tiny-clip.safetensors"
    card = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    assert card["version"] == load("tiny:clip").version
    assert card["test"]["zero_shot_accuracy"] > 0.8
    assert card["train"]["command"].startswith("python -m tdafeat.training.clip ")
    assert card["test"]["command"] == (
        "python -m tdafeat.training.clip --evaluate tiny-clip.safetensors"
    )
    assert path.stat().st_size < 6_000_000
