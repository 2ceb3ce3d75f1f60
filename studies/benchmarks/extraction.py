"""Images per second: the bare forward pass, extraction end to end, and the loop a user would write.

    python studies/benchmarks/extraction.py [--case NAME ...] [--device cuda] [--precision bfloat16]

Prints markdown. A rate counts images that went through the encoder: an image at five levels is
five. Needs the Describable Textures Dataset (``TDAFEAT_DATA``), unless another data set is named
(``--dataset textures:256``). Everything runs in one process in turns; a number is the median of
its turns.
"""

import argparse
import logging
import math
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset

from tdafeat import datasets, encoders, noise
from tdafeat.compat import import_torchvision
from tdafeat.datasets import ImageSet
from tdafeat.datasets.picture import read_picture
from tdafeat.encoders import Encoder
from tdafeat.extraction import Compute, Decoded, Forward, extract, extract_decoded

LEVELS = (0.08, 0.12, 0.18, 0.26)
WORKERS = 2  # processes of the plain loop


@dataclass
class Case:
    """An encoder, and images as files."""

    title: str
    encoder: Callable[[], Encoder]
    n_images: int
    turns: int
    photo: int | None = None  # side to which the textures are enlarged, as a camera's photographs


def vit() -> Encoder:
    """ViT-B/32 with random weights: its speed is that of the published one."""
    logging.disable(logging.WARNING)  # open_clip warns of random weights
    with tempfile.TemporaryDirectory() as folder:
        import_torchvision()
        import open_clip
        from safetensors.torch import save_file

        path = Path(folder) / "random.safetensors"
        save_file(open_clip.create_model("ViT-B-32").state_dict(), path)
        return encoders.load(f"open_clip:ViT-B-32@{path}")


CASES = {
    "vit": Case("ViT-B/32 at 224, DTD", vit, 32, 3),
    "tiny": Case("tiny:clip at 64, DTD", lambda: encoders.load("tiny:clip"), 300, 5),
    "photos": Case(
        "tiny:clip at 64, photographs of 2048 x 2048",
        lambda: encoders.load("tiny:clip"),
        24,
        2,
        2048,
    ),
}


@contextmanager
def files_of(case: Case, dataset: str) -> Iterator[tuple[ImageSet, list[Path]]]:
    """The images as a data set, and where their files lie."""
    with tempfile.TemporaryDirectory() as folder:
        textures = datasets.load(dataset, "test")
        paths = []
        for index in range(case.n_images):
            picture = Image.fromarray(textures.read(index))
            if case.photo:
                picture = picture.resize((case.photo, case.photo), Image.Resampling.BICUBIC)
            path = Path(folder) / textures.classes[textures.labels[index]] / f"{index:04}.jpg"
            path.parent.mkdir(exist_ok=True)
            picture.save(path, quality=90)
            paths.append(path)
        images = textures.subset(range(case.n_images))
        yield replace(images, read=lambda i: read_picture(paths[i])), paths


class Files(Dataset):
    """What a user writes for images in files."""

    def __init__(self, paths: list[Path], encoder: Encoder) -> None:
        transforms = import_torchvision().transforms
        view = encoder.preprocessing
        self.paths = paths
        self.transform = transforms.Compose(
            [
                transforms.Resize(view.resize, transforms.InterpolationMode(view.interpolation)),
                transforms.CenterCrop(view.crop),
                transforms.ToTensor(),
            ]
        )

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> torch.Tensor:
        with Image.open(self.paths[index]) as image:
            return self.transform(image.convert("RGB"))


def plain_loop(
    paths: list[Path], encoder: Encoder, batch_size: int, device: str
) -> list[np.ndarray]:
    """A loader per level, and pseudorandom noise of torch's own."""
    view = encoder.preprocessing
    batch_size = min(batch_size, math.ceil(len(paths) / WORKERS))  # or some would have nothing
    mean, std = (torch.tensor(v, device=device).view(1, -1, 1, 1) for v in (view.mean, view.std))
    tables = []
    with torch.inference_mode():
        for sigma in (0.0, *LEVELS):
            loader = DataLoader(
                Files(paths, encoder), batch_size, num_workers=WORKERS, pin_memory=device != "cpu"
            )
            rows = []
            for images in loader:
                images = images.to(device, non_blocking=True)
                noisy = (images + sigma * torch.randn_like(images)).clamp(0, 1)
                noisy = (noisy * 255).round() / 255
                rows.append(encoder.function((noisy - mean) / std).float().cpu())
            tables.append(torch.cat(rows).numpy())
    return tables


def seconds(work: Callable[[], object], device: str) -> float:
    """Of one run, the device's work included."""
    began = time.perf_counter()
    work()
    if device != "cpu":
        torch.cuda.synchronize()
    return time.perf_counter() - began


def measure(case: Case, dataset: str, compute: Compute) -> dict[str, float]:
    """Images per second, by what was done."""
    device = str(compute.place)
    with files_of(case, dataset) as (images, paths):
        n = len(images)
        plain, forward = case.encoder(), Forward(case.encoder(), compute)
        plain.to(device)
        view = forward.encoder.preprocessing
        one = noise.load("gaussian", levels=LEVELS[:1])
        four = noise.load("gaussian", levels=LEVELS)
        with Decoded(images, [view], compute.threads) as decoded:
            pixels = torch.from_numpy(np.concatenate(list(decoded.blocks(0, view, n))))
            inputs = view.normalise(pixels.to(device) / 255)
            inputs = inputs.contiguous(memory_format=torch.channels_last)

            def bare() -> None:
                with torch.inference_mode():
                    for start in range(0, n, forward.batch_size):
                        forward(inputs[start : start + forward.batch_size])

            def decode() -> None:
                with Decoded(images, [view], compute.threads) as again:
                    list(again.blocks(0, view, n))

            work: dict[str, tuple[Callable[[], object], int]] = {
                "bare forward pass": (bare, 1),
                "resident, 1 noise level": (lambda: extract_decoded(decoded, forward, one), 2),
                "resident, 4 noise levels": (lambda: extract_decoded(decoded, forward, four), 5),
                "decoding alone": (decode, 1),
                "from files, 4 noise levels": (
                    lambda: extract(
                        images, plain, four, device=device, precision=compute.precision
                    ),
                    5,
                ),
                "plain loop, 4 noise levels": (
                    lambda: plain_loop(paths, plain, forward.batch_size, device),
                    5,
                ),
            }
            taken: dict[str, list[float]] = {name: [] for name in work}
            for turn in range(case.turns + 1):  # the first warms up
                for name, (function, passes) in work.items():
                    rate = n * passes / seconds(function, device)
                    if turn:
                        taken[name].append(rate)
    return {name: statistics.median(rates) for name, rates in taken.items()}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--case", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--dataset", default="dtd")
    parser.add_argument("--images", type=int, help="so many, in place of the case's own number")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precision", default="float32")
    arguments = parser.parse_args()
    compute = Compute(arguments.device, arguments.precision)
    print(
        f"torch {torch.__version__}, {torch.get_num_threads()} threads, {compute.precision}\n",
        flush=True,
    )
    for name in arguments.case:
        case = CASES[name]
        case = replace(case, n_images=arguments.images or case.n_images)
        rates = measure(case, arguments.dataset, compute)
        bare, loop = rates["bare forward pass"], rates["plain loop, 4 noise levels"]
        print(f"| {case.title} | images/s | of bare | of the plain loop |")
        print("|---|---|---|---|")
        for what, rate in rates.items():
            shown = "" if what == "decoding alone" else f"{rate / bare:.2f} | {rate / loop:.2f}x"
            print(f"| {what} | {rate:.0f} | {shown or '|'} |")
        print(flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
