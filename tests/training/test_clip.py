import json

import pytest
import torch

from tdafeat import encoders
from tdafeat.datasets import textures
from tdafeat.encoders import read_prompts
from tdafeat.training import clip
from tdafeat.training.card import write_weights
from tdafeat.training.data import Batchable
from tdafeat.training.loop import Settings, seeded

LOOKS = {"ground": "red", "colour": "white", "scale": "fine", "orientation": "level"}


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_captions_say_the_class_and_sometimes_the_rest():
    captions = [clip.caption("grid", LOOKS, generator(seed)) for seed in range(400)]
    assert all(" grid " in caption for caption in captions)
    for said in ("fine", "level", "white on red"):
        share = sum(said in caption for caption in captions) / len(captions)
        assert 0.4 < share < 0.6
    assert {caption.split(" grid ")[1].split()[0] for caption in captions} == set(clip.NOUNS)


def test_the_vocabulary_reads_captions_and_prompts():
    words = clip.vocabulary()
    for look in clip.looks_of([0])[::97]:
        for name in textures.CLASSES:
            words([clip.caption(name, look, generator(1))])
            words([prompt.replace("{}", name) for prompt in read_prompts("dtd")])
            words([prompt.replace("{}", name) for prompt in read_prompts("generic")])


def test_looks_are_those_of_the_pictures_in_their_order():
    looks = clip.looks_of([3, 4])
    n = textures.PER_CLASS["train"]
    assert len(looks) == 2 * n * len(textures.CLASSES)
    images = textures.load("16", "train", None, seed=4)
    row = len(images) + 5 * n + 7
    assert images.ids[row - len(images)].startswith(textures.CLASSES[5])
    expected = textures.attributes(textures.CLASSES[5], 7, split="train", seed=4)
    assert looks[row] == expected


def blobs(n=40):
    """Two classes that differ in brightness."""
    labels = torch.arange(n) % 2
    pixels = torch.randint(0, 60, (n, 3, 64, 64), generator=generator(), dtype=torch.uint8)
    pixels[labels == 1] += 180
    return Batchable(pixels, labels, ("grid", "woven"))


def test_training_learns_and_is_the_same_twice(tmp_path):
    data, cpu = blobs(), torch.device("cpu")
    runs = [
        clip.train(data, [LOOKS] * 40, Settings(3, batch_size=12), cpu, tmp_path / name)
        for name in ("first", "second")
    ]
    (network, words, history), (other, _, again) = runs
    assert history == again
    state, same = network.state_dict(), other.state_dict()
    assert all(torch.equal(state[name], same[name]) for name in state)
    with seeded(0):
        untrained = clip.make_clip(words)
    assert not torch.equal(untrained.visual.conv1.weight, network.visual.conv1.weight)
    assert history[-1]["loss"] < history[0]["loss"]


def test_zero_shot_accuracy_is_the_encoders_own(tmp_path):
    with seeded(0):
        words = clip.vocabulary()
        network = clip.make_clip(words).eval()
    data = blobs(30)
    path = tmp_path / "clip.safetensors"
    header = {"vocabulary": json.dumps(words.words)}
    write_weights(path, network.state_dict(), {}, header)
    encoder = encoders.load(f"tiny:clip@{path}")
    features = encoder.encode(clip.normalised(data.pixels, torch.device("cpu")))
    rows = encoder.encode_text(data.classes, read_prompts("dtd"))
    expected = ((features @ rows.T).argmax(dim=1) == data.labels).float().mean()
    assert clip.zero_shot_accuracy(network, words, data, torch.device("cpu")) == expected


def test_captions_are_known_of_textures_alone(tmp_path, capsys):
    out = tmp_path / "clip.safetensors"
    assert clip.METHOD.main(["--data", "fashion_mnist", "--out", str(out)]) == 2
    assert "textures alone; got --data fashion_mnist" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["orientation", "scale"])
def test_attributes_have_words(kind):
    assert {look[kind] for look in clip.looks_of([0])} <= {*clip.SCALES, *clip.ORIENTATIONS}
