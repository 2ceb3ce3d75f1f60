"""DINO as a variant of a study: what is trained is what is measured."""

from dataclasses import replace

import pytest
import torch

from tdafeat import datasets
from tdafeat.encoders.tiny_dino import Architecture
from tdafeat.sources import Variant
from tdafeat.store import digest
from tdafeat.training.student_teacher import Recipe
from tdafeat.training.variants import Dino

SMALL = Dino(
    Recipe(global_size=12, local_size=8, local_crops=1, prototypes=16),
    Architecture(size=16, patch=4, width=16, depth=1, heads=2),
    epochs=2,
    batch_size=16,
    warmup=2,
)


@pytest.fixture(scope="module")
def images():
    """48, of which one of each class is held out: two batches of 16."""
    return datasets.load("textures:16", "train").per_class(3)


def shown(variant, images, folder, steps=(0, 2, 4), seed=0):
    """The weights after each step, and the log."""
    weights = {}

    def observe(step, tensors):
        weights[step] = {name: tensor.clone() for name, tensor in tensors.items()}

    log = variant.train(images, steps, seed, torch.device("cpu"), folder, observe)
    return weights, log


def same(one, other):
    return all(torch.equal(one[name], other[name]) for name in one)


def test_it_is_a_variant_whose_spec_holds_all_that_changes_the_training():
    assert isinstance(SMALL, Variant)
    changed = [
        replace(SMALL, recipe=replace(SMALL.recipe, centring=False)),
        replace(SMALL, architecture=replace(SMALL.architecture, width=32)),
        replace(SMALL, epochs=3),
        replace(SMALL, batch_size=10),
        replace(SMALL, warmup=1),
    ]
    assert len({digest(dict(variant.spec)) for variant in [SMALL, *changed]}) == 6


def test_the_teacher_is_shown_at_every_step_and_learns(images, tmp_path):
    weights, log = shown(SMALL, images, tmp_path)
    assert sorted(weights) == [0, 2, 4]
    assert not same(weights[0], weights[2])
    assert not same(weights[2], weights[4])
    assert [entry["step"] for entry in log] == [2, 4]
    assert all(0 <= entry["held-out k-NN accuracy"] <= 1 for entry in log)


def test_a_training_killed_goes_on_to_the_same_networks(images, tmp_path):
    whole, _ = shown(SMALL, images, tmp_path / "whole")

    def killed(*arguments):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        SMALL.train(images, (0, 2, 4), 0, torch.device("cpu"), tmp_path / "half", killed)
    again, _ = shown(SMALL, images, tmp_path / "half")
    assert all(same(whole[step], again[step]) for step in whole)


def test_a_checkpoint_is_an_encoder_of_class_tokens(images, tmp_path):
    weights, _ = shown(SMALL, images, tmp_path)
    first, last = (SMALL.encoder("small", weights[step]) for step in (0, 4))
    assert first.dimension == 16
    assert first.layer == "cls"
    assert first.version != last.version
    batch = torch.rand(3, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    assert first.encode(batch).shape == (3, 16)
    assert not torch.allclose(first.encode(batch), last.encode(batch))


def test_a_step_beyond_the_training_is_refused(images, tmp_path):
    with pytest.raises(
        ValueError, match="steps must lie from 0 to 4, the length of the training; got"
    ):
        shown(SMALL, images, tmp_path, steps=(0, 5))


def test_seeds_take_their_own_course(images, tmp_path):
    one, other = (shown(SMALL, images, tmp_path / str(seed), (4,), seed)[0][4] for seed in (0, 1))
    assert not same(one, other)
