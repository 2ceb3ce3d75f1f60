"""The command line every trainer shares: train weights and write their card, or measure them."""

from __future__ import annotations

import argparse
import shlex
import sys
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor

from tdafeat.cli.guard import guarded
from tdafeat.encoders.checkpoint import EMBEDDED
from tdafeat.extraction import resolve_device
from tdafeat.training.card import write_measured, write_weights
from tdafeat.training.loop import Settings

N = TypeVar("N")


@dataclass(frozen=True)
class Trained(Generic[N]):
    """What a training leaves behind.

    Attributes
    ----------
    network : what `Method.measure` takes.
    weights : to be written.
    description : of the network, for its card.
    data : description of what it was trained on.
    history : the course of training, an entry per epoch.
    about : further entries of the card about the training.
    header : texts to stand in the weights' own file.
    """

    network: N
    weights: Mapping[str, Tensor]
    description: str
    data: Mapping[str, Any]
    history: Sequence[Mapping[str, float]]
    about: Mapping[str, Any] = field(default_factory=dict)
    header: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Method(Generic[N]):
    """A way to train, as a command.

    Attributes
    ----------
    module : the module it is run as.
    description : what it does, in a sentence.
    train : (options, settings, device, file of the resumable state) -> what came of it.
    read : weights' file -> network, in evaluation mode.
    measure : (network, options, device) -> what it reaches on the test part, for the card;
        printed too.
    defaults : of the shared options, where they differ.
    fixed : settings of the loop that no option changes.
    extend : adds options of its own; those of `told` are repeated in the card's measuring command.
    """

    module: str
    description: str
    train: Callable[[Namespace, Settings, torch.device, Path], Trained[N]]
    read: Callable[[Namespace, Path], N]
    measure: Callable[[N, Namespace, torch.device], Mapping[str, Any]]
    defaults: Mapping[str, Any] = field(default_factory=dict)
    fixed: Mapping[str, Any] = field(default_factory=dict)
    extend: Callable[[argparse.ArgumentParser], object] = lambda parser: None
    told: Sequence[str] = ("data",)

    def main(self, argv: Sequence[str] | None = None) -> int:
        """Train and write weights with their card, or measure weights that are there.

        Returns
        -------
        Exit code, as `tdafeat.cli.guard` has them; after 130 it goes on from the last whole epoch.
        """
        words = list(sys.argv[1:] if argv is None else argv)
        parser = options(self.description)
        self.extend(parser)
        parser.set_defaults(**self.defaults)
        arguments = parser.parse_args(words)
        return guarded(lambda: self._run(arguments, words))

    def _run(self, arguments: Namespace, words: Sequence[str]) -> int:
        device = resolve_device(arguments.device)
        if arguments.evaluate is not None:
            network = self.read(arguments, arguments.evaluate)
            found = self._measured(network, arguments, device, arguments.evaluate)
            write_measured(arguments.evaluate, found)
            return 0
        chosen = replace(settings(arguments), **self.fixed)
        checkpoint = arguments.out.with_suffix(".checkpoint")
        trained = self.train(arguments, chosen, device, checkpoint)
        card = {
            "network": trained.description,
            "train": {
                "command": in_words(self.module, words),
                "data": trained.data,
                "settings": asdict(chosen),
                **trained.about,
                "history": trained.history,
            },
            "test": self._measured(trained.network, arguments, device, arguments.out),
        }
        write_weights(arguments.out, trained.weights, card, trained.header)
        return 0

    def _measured(
        self, network: N, arguments: Namespace, device: torch.device, path: Path
    ) -> dict[str, Any]:
        """What `measure` finds, and the command that finds it again."""
        told = [word for name in self.told for word in (f"--{name}", getattr(arguments, name))]
        command = in_words(self.module, [*told, "--evaluate", path])
        return {"command": command, **self.measure(network, arguments, device)}


def options(description: str) -> argparse.ArgumentParser:
    """A parser with the options every trainer has."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--data", default="fashion_mnist", metavar="NAME", help="as in a study")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:1")
    either = parser.add_mutually_exclusive_group(required=True)
    either.add_argument(
        "--out", type=Path, metavar="FILE", help="train, and write weights (safetensors) and card"
    )
    either.add_argument(
        "--evaluate",
        type=_weights,
        metavar="FILE",
        help="measure weights on the test part, for their card: a file, or an embedded one's name",
    )
    add = parser.add_argument_group("training").add_argument
    add("--seeds", type=int, nargs="+", default=[1], metavar="N", help="of procedural images")
    add("--epochs", type=int, default=30, metavar="N")
    add("--batch-size", type=int, default=Settings.batch_size, metavar="N")
    add("--images-per-epoch", type=int, metavar="N", help="a random part of them (default: all)")
    add("--precision", choices=("float32", "bfloat16"), default=Settings.precision)
    add("--seed", type=int, default=Settings.seed, metavar="N", help="of everything drawn")
    return parser


def settings(arguments: Namespace) -> Settings:
    """The settings of the shared loop that were asked for."""
    return Settings(
        epochs=arguments.epochs,
        batch_size=arguments.batch_size,
        images_per_epoch=arguments.images_per_epoch,
        precision=arguments.precision,
        seed=arguments.seed,
    )


def in_words(module: str, argv: Sequence[str | Path]) -> str:
    """A command as it would be typed where its weights lie, to stand in a card.

    Examples
    --------
    >>> in_words("tdafeat.training.classifier", ["--data", "folder:my images", Path("/w/a.pt")])
    "python -m tdafeat.training.classifier --data 'folder:my images' a.pt"
    >>> in_words("tdafeat.training.classifier", ["--out=/w/a.safetensors"])
    'python -m tdafeat.training.classifier --out=a.safetensors'
    """
    return shlex.join(["python", "-m", module, *map(_short, argv)])


def _short(word: str | Path) -> str:
    """The word, of a weights' file the name alone, with or without its option before it."""
    option, equals, file = str(word).rpartition("=")
    weights = isinstance(word, Path) or file.endswith(".safetensors")
    return option + equals + Path(file).name if weights else str(word)


def _weights(text: str) -> Path:
    return Path(text) if Path(text).is_file() else EMBEDDED / text
