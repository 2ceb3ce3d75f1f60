"""The command line every trainer shares: its options, itself in words, its errors."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from tdafeat.encoders.checkpoint import EMBEDDED
from tdafeat.errors import TdafeatError
from tdafeat.training.loop import Settings


def options(description: str, epochs: int) -> argparse.ArgumentParser:
    """A parser with the options every trainer has."""
    parser = argparse.ArgumentParser(description=description.split("\n")[0])
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
    add("--epochs", type=int, default=epochs, metavar="N")
    add("--batch-size", type=int, default=Settings.batch_size, metavar="N")
    add("--images-per-epoch", type=int, metavar="N", help="a random part of them (default: all)")
    add("--precision", choices=("float32", "bfloat16"), default=Settings.precision)
    add("--seed", type=int, default=Settings.seed, metavar="N", help="of everything drawn")
    return parser


def settings(arguments: argparse.Namespace) -> Settings:
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
    >>> in_words("tdafeat.training.densenet", ["--data", "folder:my images", Path("/w/a.pt")])
    "python -m tdafeat.training.densenet --data 'folder:my images' a.pt"
    """
    words = (Path(word).name if _is_weights(word) else str(word) for word in argv)
    return shlex.join(["python", "-m", module, *words])


def guarded(action: Callable[[], None]) -> int:
    """Run, and turn what a user can mend into one sentence and exit code 2.

    Examples
    --------
    >>> guarded(lambda: None)
    0
    """
    try:
        action()
    except KeyboardInterrupt:
        print("interrupted; run again to go on from the last whole epoch", file=sys.stderr)
        return 130
    except (TdafeatError, ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _is_weights(word: str | Path) -> bool:
    return isinstance(word, Path) or word.endswith(".safetensors")


def _weights(text: str) -> Path:
    return Path(text) if Path(text).is_file() else EMBEDDED / text
