import json
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
import torch

from tdafeat import noise
from tdafeat.datasets.imageset import ImageSet
from tdafeat.encoders import Encoder, Preprocessing, from_function
from tdafeat.errors import Unpaired, UnreadableData
from tdafeat.extraction import (
    TOKENS,
    Compute,
    Decoded,
    Forward,
    extract,
    extract_decoded,
    kept_tokens,
    resolve_device,
)
from tdafeat.extraction.forward import OutOfMemory


@dataclass(frozen=True)
class Halving:
    """Preprocessing with exact arithmetic: pixels in [0, 1] are centred and doubled."""

    crop: int = 6

    @property
    def shape(self):
        return 3, self.crop, self.crop

    @property
    def geometry(self):
        return self

    def prepare(self, image):
        return np.ascontiguousarray(image[: self.crop, : self.crop].transpose(2, 0, 1))

    def normalise(self, pixels):
        return (pixels - 0.5) * 2


@dataclass
class Flat:
    """An encoder that shows what it was given."""

    name: str = "flat"
    version: str = "7"
    layer: str = "all"
    preprocessing: Any = Halving()
    dimension: int | None = None
    encode_with: Any = None
    device: Any = None
    tokens: bool = False
    module: Any = None

    def to(self, device):
        self.device = device
        return self

    def encode(self, images):
        assert torch.is_inference_mode_enabled()
        return (self.encode_with or (lambda x: x.flatten(1)))(images)


def toy(n=10, value=0, reads=None):
    pixels = np.random.default_rng(value).integers(0, 256, (n, 8, 8, 3), dtype=np.uint8)

    def read(index):
        if reads is not None:
            reads[index] += 1
        return pixels[index]

    return ImageSet(
        "toy", "test", tuple(f"i{k}" for k in range(n)), np.arange(n) % 2, ("a", "b"), "v", read
    )


def pixels_of(images):
    rows = [images.read(i)[:6, :6].transpose(2, 0, 1) for i in range(len(images))]
    return torch.from_numpy(np.stack(rows)).float() / 255


def test_clean_features_are_the_normalised_pixels():
    images = toy()
    (cloud,) = extract(images, Flat(), batch_size=3).values()
    np.testing.assert_array_equal(cloud.features, ((pixels_of(images) - 0.5) * 2).flatten(1))
    assert cloud.features.dtype == np.float32
    assert cloud.ids == images.ids
    assert cloud.labels.tolist() == images.labels.tolist()
    assert cloud.classes == images.classes


@pytest.mark.parametrize("name", ["gaussian", "shot", "gaussian_normalised", "blur"])
@pytest.mark.parametrize(
    ("batch_size", "workers"), [(1, 1), (4, 1), (4, 3), (100, 2), ("auto", "auto")]
)
def test_noise_does_not_depend_on_batch_or_workers(name, batch_size, workers):
    images, chosen = toy(), noise.load(name)
    clouds = extract(images, Flat(), chosen, seed=4, batch_size=batch_size, workers=workers)
    assert list(clouds) == list(range(len(chosen.levels) + 1))
    clean = pixels_of(images)
    for severity, cloud in clouds.items():
        if chosen.units == "pixel":
            expected = (chosen.apply(clean, images.ids, severity, seed=4) - 0.5) * 2
        else:
            expected = chosen.apply((clean - 0.5) * 2, images.ids, severity, seed=4)
        np.testing.assert_allclose(cloud.features, expected.flatten(1), atol=1e-5)


def test_a_part_gets_the_noise_it_has_in_the_whole():
    images, chosen = toy(), noise.load("gaussian")
    whole = extract(images, Flat(), chosen)[3].features
    part = extract(images.subset([8, 1]), Flat(), chosen)[3].features
    np.testing.assert_array_equal(part, whole[[8, 1]])


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_a_gpu_gives_the_features_of_the_cpu():
    chosen = noise.load("gaussian", levels=(0.1,))
    here, there = (
        extract(toy(), Flat(), chosen, device=device, batch_size=3) for device in ("cpu", "cuda")
    )
    for level, cloud in here.items():
        np.testing.assert_allclose(there[level].features, cloud.features, atol=1e-5)


@pytest.mark.parametrize("workers", [1, 2])
def test_an_image_is_read_once_for_all_levels(workers):
    reads = Counter()
    extract(toy(reads=reads), Flat(), noise.load("gaussian"), batch_size=3, workers=workers)
    assert reads == Counter(dict.fromkeys(range(10), 1))


def test_images_that_come_corrupted_are_read_from_their_own_files():
    images = replace(toy(), severities={1: toy(value=1), 2: toy(value=2)})
    clouds = extract(images, Flat(), batch_size=4)
    assert list(clouds) == [0, 1, 2]
    for severity, source in ((0, images), (1, images.severities[1]), (2, images.severities[2])):
        expected = ((pixels_of(source) - 0.5) * 2).flatten(1)
        np.testing.assert_array_equal(clouds[severity].features, expected)
        assert clouds[severity].provenance["severity"] == severity


def patches(images):
    """36 tokens of an image: its pixels, one by one."""
    return images.flatten(2).transpose(1, 2)


def test_sixteen_tokens_of_an_image_named_by_their_positions():
    images = toy()
    clouds = extract(images, Flat(encode_with=patches, tokens=True), noise.load("gaussian"))
    clean = ((pixels_of(images) - 0.5) * 2).flatten(2)
    for cloud in clouds.values():
        assert cloud.ids == clouds[0].ids
        assert len(cloud) == 10 * TOKENS
        assert cloud.labels.tolist() == np.repeat(images.labels, TOKENS).tolist()
    for row, name in enumerate(clouds[0].ids):
        image, position = name.split("#")
        expected = clean[int(image[1:]), :, int(position)]
        np.testing.assert_array_equal(clouds[0].features[row], expected)
    positions = [{name for name in clouds[0].ids if name.startswith(f"i{k}#")} for k in range(10)]
    assert {len(own) for own in positions} == {TOKENS}
    assert len({frozenset(p.split("#")[1] for p in own) for own in positions}) > 5


@pytest.mark.parametrize("batch_size", [1, 3, 100])
def test_tokens_depend_on_the_image_alone(batch_size):
    encoder = Flat(encode_with=patches, tokens=True)
    whole = extract(toy(), encoder)[0]
    part = extract(toy().subset([8, 1]), encoder, batch_size=batch_size)[0]
    again = extract(toy(), encoder, batch_size=batch_size)[0]
    assert again.ids == whole.ids
    rows = [whole.ids.index(name) for name in part.ids]
    assert [name.split("#")[0] for name in part.ids] == ["i8"] * TOKENS + ["i1"] * TOKENS
    np.testing.assert_array_equal(part.features, whole.features[rows])


def test_every_position_is_kept_equally_often():
    counts = np.bincount(
        np.concatenate([kept_tokens(f"image-{k}", 64) for k in range(2000)]), minlength=64
    )
    assert counts.sum() == 2000 * TOKENS
    assert counts.min() > 400
    assert counts.max() < 600


def test_images_of_few_tokens_keep_them_all():
    cloud = extract(toy(), Flat(encode_with=lambda x: patches(x)[:, :5], tokens=True))[0]
    assert len(cloud) == 50
    assert cloud.ids[:6] == ("i0#0", "i0#1", "i0#2", "i0#3", "i0#4", "i1#0")


def test_tokens_where_none_are_expected_and_the_reverse():
    with pytest.raises(ValueError, match=r"must return shape \(10, D\) .* got \(10, 36, 3\)"):
        extract(toy(), Flat(encode_with=patches))
    with pytest.raises(ValueError, match=r"must return shape \(10, T, D\) .* got \(10, 108\)"):
        extract(toy(), Flat(tokens=True))


def test_provenance_is_complete_and_plain():
    clouds = extract(toy(), Flat(), noise.load("gaussian"), seed=3, batch_size=5)
    known = json.loads(json.dumps(dict(clouds[2].provenance)))
    assert known == {
        "dataset": "toy",
        "dataset_version": "v",
        "split": "test",
        "encoder": "flat",
        "encoder_version": "7",
        "layer": "all",
        "preprocessing": {"crop": 6},
        "noise": {"name": "gaussian", "version": "2", "units": "pixel"},
        "severity": 2,
        "parameter": 0.12,
        "seed": 3,
        "batch_size": 5,
        "precision": "float32",
        "device": "cpu",
    }
    assert clouds[0].provenance["parameter"] == 0


def test_progress_counts_images_over_all_levels():
    calls = []
    extract(
        toy(), Flat(), noise.load("gaussian"), batch_size=4, progress=lambda *c: calls.append(c)
    )
    assert calls[-1] == (60, 60)
    assert [done for done, _ in calls] == sorted(done for done, _ in calls)
    assert len(calls) == 3


def test_half_precision_becomes_float32():
    cloud = extract(toy(), Flat(encode_with=lambda x: x.flatten(1).half()))[0]
    assert cloud.features.dtype == np.float32


@pytest.mark.parametrize(
    ("encode", "words"),
    [
        (lambda x: x.flatten(1) / 0, "encoder flat gave NaN or infinite features for image i0"),
        (lambda x: x, r"encoder flat must return shape \(4, D\)"),
        (lambda x: x.flatten(1)[:1], r"got \(1, 108\)"),
        (lambda x: x.flatten(1)[:, : 100 + len(x)], r"same shape; got \(104,\) and \(102,\)"),
    ],
)
def test_encoders_that_misbehave(encode, words):
    with pytest.raises(ValueError, match=words):
        extract(toy(), Flat(encode_with=encode), batch_size=4)


def test_the_image_with_a_nan_is_named():
    def encode(x):
        rows = x.flatten(1).clone()
        rows[2, 5] = float("nan")
        return rows

    with pytest.raises(ValueError, match="for image i2"):
        extract(toy(), Flat(encode_with=encode))


@pytest.mark.parametrize("workers", [1, 2])
def test_an_unreadable_image_stops_with_its_own_sentence(workers):
    images = toy()

    def read(index):
        if index == 7:
            raise UnreadableData("x/7.png cannot be read as an image")
        return images.read(index)

    with pytest.raises(UnreadableData, match=r"x/7\.png"):
        extract(replace(images, read=read), Flat(), batch_size=2, workers=workers)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"batch_size": 0}, "batch_size must be at least 1"),
        ({"batch_size": "all"}, "batch_size must be at least 1, or 'auto'; got 'all'"),
        ({"workers": 0}, "workers must be at least 1, or 'auto'; got 0"),
        ({"precision": "half"}, "precision must be one of float32, bfloat16, float16"),
        ({"device": "tpu"}, "device must be"),
        ({"device": "meta"}, "device must be"),
        ({"device": "cuda:99"}, "torch sees . CUDA devices"),
        ({"seed": -1, "noise": noise.load("gaussian")}, "seed must not be negative"),
    ],
)
def test_arguments_that_make_no_sense(arguments, words):
    with pytest.raises(ValueError, match=words):
        extract(toy(), Flat(), **arguments)


def test_sets_that_cannot_be_extracted():
    with pytest.raises(ValueError, match="toy has no test image"):
        extract(toy().subset([]), Flat())
    corrupted = replace(toy(), severities={1: toy(value=1)})
    with pytest.raises(ValueError, match="noise must be None"):
        extract(corrupted, Flat(), noise.load("gaussian"))
    shuffled = replace(toy(), severities={1: toy(value=1).subset(range(9, -1, -1))})
    with pytest.raises(Unpaired, match="does not have the images of toy"):
        extract(shuffled, Flat())


def test_auto_is_the_gpu_where_there_is_one(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert resolve_device("auto") == torch.device("cuda")
    assert resolve_device("cuda:1") == torch.device("cuda:1")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    assert resolve_device("auto") == torch.device("cpu")
    with pytest.raises(ValueError, match="torch sees 0 CUDA devices; use 'cpu' or 'auto'"):
        resolve_device("cuda")


def limited_to(most, seen, error=torch.OutOfMemoryError):
    """An encoder for which memory runs out above so many images."""

    def encode(x):
        seen.append(len(x))
        if len(x) > most:
            raise error("CUDA out of memory. Tried to allocate 20.00 GiB")
        return x.flatten(1)

    return Flat(encode_with=encode)


def test_the_batch_is_halved_until_it_fits_and_nothing_else_changes():
    seen, calls = [], []
    chosen = noise.load("gaussian", levels=(0.1,))
    found = extract(
        toy(), limited_to(3, seen), chosen, batch_size=8, progress=lambda *c: calls.append(c)
    )
    expected = extract(toy(), Flat(), chosen, batch_size=2)
    assert seen == [8, 4, *[2] * 8, 2, 2]  # what failed; 8 images at two levels; the last 2
    for severity, cloud in expected.items():
        np.testing.assert_array_equal(found[severity].features, cloud.features)
    assert found[0].provenance["batch_size"] == 2
    assert calls[-1] == (20, 20)


def test_a_batch_that_was_found_is_kept_for_the_next_images():
    seen = []
    forward = Forward(limited_to(3, seen), Compute("cpu", batch_size=8))
    for _ in range(2):
        with Decoded(toy(), [forward.encoder.preprocessing]) as decoded:
            extract_decoded(decoded, forward)
    assert seen == [8, 4, 2, 2, 2, 2, 2, *[2] * 5]


def test_the_cpu_out_of_memory_is_a_runtime_error_of_no_class_of_its_own():
    def refuse(_words):
        return RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: tried 1 PB")

    seen = []
    extract(toy(), limited_to(5, seen, error=refuse), batch_size=8)
    assert max(seen[1:]) == 4


def test_not_even_one_image_fits():
    with pytest.raises(OutOfMemory, match="encoder flat has not enough memory on cpu for one"):
        extract(toy(), limited_to(0, []))


def test_other_failures_are_not_taken_for_it():
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        extract(
            toy(), limited_to(5, [], error=lambda _: RuntimeError("shapes cannot be multiplied"))
        )


def test_half_precision_is_of_the_products_alone():
    def encode(x):
        product = x.flatten(1) @ torch.eye(108)
        return torch.cat([product, x.flatten(1).sum(dim=1, keepdim=True)], dim=1)

    encoder = Flat(encode_with=encode)
    full = extract(toy(), encoder)[0].features
    half = extract(toy(), encoder, precision="bfloat16")[0]
    # an identity matrix rounds its argument: bfloat16 keeps 8 bits, an error of 2^-9 at most
    exact = torch.from_numpy(full[:, :108])
    np.testing.assert_array_equal(half.features[:, :108], exact.bfloat16().float())
    assert not np.array_equal(half.features[:, :108], full[:, :108])
    np.testing.assert_array_equal(half.features[:, 108], full[:, 108])
    assert half.features.dtype == np.float32
    assert half.provenance["precision"] == "bfloat16"


def test_numbers_too_large_for_float16_name_it():
    def encode(x):
        return 1e6 * torch.ones(len(x), 2) @ torch.eye(2)

    with pytest.raises(ValueError, match="for image i0, in float16"):
        extract(toy(), Flat(encode_with=encode), precision="float16")


def test_a_module_of_ones_own_is_left_as_it_was():
    module = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4)).eval()
    before = {name: (value.clone(), value.stride()) for name, value in module.state_dict().items()}
    view = Preprocessing(6, 6)
    own = Encoder("own", "1", "output", None, view, lambda x: module(x).flatten(1), module)
    found = extract(toy(), own, noise.load("gaussian"))[0].features
    for name, value in module.state_dict().items():
        assert torch.equal(value, before[name][0])
        assert value.stride() == before[name][1]
    assert not module.training
    assert all(parameter.requires_grad for parameter in module.parameters())
    assert all(parameter.grad is None for parameter in module.parameters())
    images = torch.from_numpy(np.stack([view.prepare(toy().read(k)) for k in range(10)]))
    expected = module(view.normalise(images / 255)).flatten(1).detach()
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.slow
def test_a_compiled_encoder_gives_the_same_features():
    weights = torch.randn(108, 5, generator=torch.Generator().manual_seed(0))
    encoder = from_function(lambda x: torch.tanh(x.flatten(1) @ weights), "own", "1", size=6)
    plain = extract(toy(), encoder, batch_size=4)[0].features
    compiled = extract(toy(), encoder, batch_size=4, compile=True)[0].features
    np.testing.assert_allclose(compiled, plain, rtol=1e-5, atol=1e-6)
