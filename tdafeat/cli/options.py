"""Options of a study, and what the files of one's own features become."""

from __future__ import annotations

import argparse
from typing import Any


def add_study_options(parser: argparse.ArgumentParser) -> None:
    """Add what changes a declared study, and how it is run."""
    add = parser.add_argument
    add(
        "--data", metavar="NAME", help="data set: textures, digits, dtd, fashion_mnist, folder:PATH"
    )
    add("--root", metavar="DIR", help="folder of the data sets (default: $TDAFEAT_DATA or data)")
    add("--out", metavar="DIR", help="folder or URL of the run (default: reports/NAME)")
    add(
        "--store",
        metavar="DIR",
        help="folder or URL of computed cells (default: $TDAFEAT_STORE or data/store)",
    )
    add("--device", default="auto", help="auto, cpu, cuda or cuda:1 (default: auto)")
    add("--encoder", action="append", metavar="NAME", help="encoder; repeat for several")
    add("--noise", metavar="NAME", help="noise; see tdafeat list noises")
    add("--levels", nargs="+", type=float, metavar="X", help="noise parameter per severity")
    add("--corrupted", metavar="DIR", help="folder of already corrupted images, not a noise")
    add("--analysis", action="append", metavar="NAME", help="analysis; see tdafeat list analyses")
    add("--limit", type=int, metavar="N", help="at most N images per class")
    add(
        "--landmarks",
        type=int,
        metavar="N",
        help="thin clouds to N points for their topology (default: 2000)",
    )
    add(
        "--seed",
        type=int,
        action="append",
        metavar="N",
        help="seed of the noise; repeat for several",
    )
    add("--prompts", metavar="FILE", help="prompts for zero-shot, one per line, {} for the class")
    add("--primary", metavar="METRIC", help="the accuracy the question is about")
    add(
        "--precision",
        choices=("float32", "bfloat16", "float16"),
        default="float32",
        help="of the forward pass (default: float32); changes features",
    )
    add(
        "--batch-size",
        type=_number_or_auto,
        default="auto",
        metavar="N",
        help="images per forward pass, halved where memory runs out (default: auto)",
    )
    add("--compile", action="store_true", help="compile encoders with torch.compile")
    add(
        "--workers",
        type=_number_or_auto,
        default="auto",
        metavar="N",
        help="threads that decode images (default: auto, one per core)",
    )
    add("--jobs", type=int, default=-1, metavar="N", help="processes (default: one per core)")
    add(
        "--backend",
        choices=("joblib", "dask"),
        default="joblib",
        help="who computes the cells: processes of this machine, or a Dask cluster",
    )
    add("--scheduler", metavar="ADDRESS", help="of the Dask cluster, e.g. tcp://host:8786")
    add("--log", choices=("text", "json"), default="text", help="lines on standard error")
    add("--force", action="store_true", help="compute again what is stored")
    add("--dry-run", action="store_true", help="say what the study will take, and stop")
    add("--no-thumbnails", action="store_true", help="keep no small pictures of the images")
    add("--no-report", action="store_true", help="stop after the tables")


def _number_or_auto(text: str) -> int | str:
    if text != "auto" and not text.isdigit():
        raise argparse.ArgumentTypeError(f"takes a number or auto; got {text!r}")
    return text if text == "auto" else int(text)


def add_feature_options(parser: argparse.ArgumentParser) -> None:
    """Add the files of a study of one's own features."""
    own = parser.add_argument_group("your own features (.npy, .safetensors, .parquet)")
    own.add_argument("--features", metavar="FILE", help="features of the clean images")
    own.add_argument(
        "--noisy",
        action="append",
        default=[],
        metavar="K=FILE",
        help="features of the same images at severity K = 1, 2, ...; repeat",
    )
    own.add_argument("--train", metavar="FILE", help="clean features the predictors are fitted on")
    own.add_argument("--labels", metavar="FILE", help="labels of a .npy file: .npy or text")
    own.add_argument("--ids", metavar="FILE", help="ids of a .npy file: .npy or text")
    own.add_argument("--train-labels", metavar="FILE", help="labels of the train .npy file")
    own.add_argument("--train-ids", metavar="FILE", help="ids of the train .npy file")


def refuse_mixtures(arguments: argparse.Namespace) -> None:
    """An option that would be ignored is an error, not a surprise in the report."""
    own = ("noisy", "train", "labels", "ids", "train_labels", "train_ids")
    images = ("data", "root", "encoder", "noise", "levels", "corrupted", "limit", "seed", "prompts")
    given = {name for name in (*own, *images) if getattr(arguments, name) not in (None, [])}
    if arguments.features is None and given & set(own):
        raise ValueError(f"--{min(given & set(own)).replace('_', '-')} goes with --features")
    if arguments.features is not None and given & set(images):
        raise ValueError(f"--{min(given & set(images))} does not go with --features")
    if arguments.features is not None and arguments.script is not None:
        raise ValueError("give a study script or --features, not both")


def own_features(arguments: argparse.Namespace) -> Any:
    """Read the files named by the options of one's own features."""
    from tdafeat.features import FeatureSet
    from tdafeat.sources import Levels

    beside = {"labels": arguments.labels, "ids": arguments.ids}
    noisy = {}
    for pair in arguments.noisy:
        severity, _, file = pair.partition("=")
        if not severity.isdigit() or not file:
            raise ValueError(f"--noisy takes K=FILE with K = 1, 2, ...; got {pair!r}")
        if int(severity) in noisy:
            raise ValueError(f"--noisy {severity} is given twice")
        noisy[int(severity)] = FeatureSet.read(file, **beside)
    train = None
    if arguments.train is not None:
        train = FeatureSet.read(arguments.train, arguments.train_labels, arguments.train_ids)
    return Levels(FeatureSet.read(arguments.features, **beside), noisy, train)
