"""The same study from a shell: ``tdafeat run``, ``report``, ``list`` and ``doctor``.

Exit codes: 0 done, 1 finished with holes, 2 refused before starting, 3 stopped by an error that
is not the user's (its traceback is printed), 130 interrupted.
"""

from __future__ import annotations

import argparse
import errno
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tdafeat import __version__

if TYPE_CHECKING:
    from tdafeat.study import Study


def main(argv: Sequence[str] | None = None) -> int:
    """Run the ``tdafeat`` command and return its exit code."""
    parser = argparse.ArgumentParser(
        prog="tdafeat",
        allow_abbrev=False,
        description="Topology and geometry of feature spaces, and how they go with robustness.",
    )
    parser.add_argument("--version", action="version", version=f"tdafeat {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    run = commands.add_parser(
        "run", help="run a study, from a script or from options", allow_abbrev=False
    )
    run.add_argument("script", nargs="?", help="a study script, e.g. studies/quickstart.py")
    run.add_argument("--name", help="name of the study (default: of the data set)")
    run.add_argument("--question", help="the question the report opens with")
    _study_options(run)
    _feature_options(run)
    run.set_defaults(action=_run)

    report = commands.add_parser("report", help="write report.html and report.pdf of a run again")
    report.add_argument("run", metavar="RUN", help="folder of a run")
    report.set_defaults(action=_report)

    listing = commands.add_parser("list", help="what can be named in a study")
    listing.add_argument("kind", choices=("encoders", "datasets", "noises", "metrics", "analyses"))
    listing.set_defaults(action=_list)

    doctor = commands.add_parser("doctor", help="what is installed, and where data is looked for")
    doctor.set_defaults(action=_doctor)

    arguments = parser.parse_args(argv)
    return _guarded(lambda: arguments.action(arguments))


def study_main(study: Study, *others: Study, argv: Sequence[str] | None = None) -> int:
    """Command line of a study script: its declarations, changed by options.

    Parameters
    ----------
    study : what the script runs.
    others : the same question of other data sets: ``--data NAME`` takes the one declared for it.

    Examples
    --------
    A study script ends with ``sys.exit(study_main(STUDY))``.
    """
    parser = argparse.ArgumentParser(description=study.question, allow_abbrev=False)
    _study_options(parser)
    arguments = parser.parse_args(argv)
    chosen = _declared_for([study, *others], arguments.data)
    return _guarded(lambda: _run_study(chosen, arguments))


def _declared_for(studies: Sequence[Study], dataset: str | None) -> Study:
    """The declaration made for this data set, else the first."""
    return next((study for study in studies if study.dataset == dataset), studies[0])


def _study_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "--data", metavar="NAME", help="data set: textures, digits, dtd, fashion_mnist, folder:PATH"
    )
    add("--root", metavar="DIR", help="folder of the data sets (default: $TDAFEAT_DATA or data)")
    add("--out", metavar="DIR", help="folder of the run (default: reports/NAME)")
    add("--store", metavar="DIR", help="computed cells (default: $TDAFEAT_STORE or data/store)")
    add("--device", default="auto", help="auto, cpu, cuda or cuda:1 (default: auto)")
    add("--encoder", action="append", metavar="NAME", help="encoder; repeat for several")
    add("--noise", metavar="NAME", help="noise; see tdafeat list noises")
    add("--levels", nargs="+", type=float, metavar="X", help="noise parameter per severity")
    add("--corrupted", metavar="DIR", help="folder of already corrupted images, not a noise")
    add("--analysis", action="append", metavar="NAME", help="analysis; see tdafeat list analyses")
    add("--limit", type=int, metavar="N", help="at most N images per class")
    add("--seed", type=int, metavar="N", help="seed of noise and procedural images")
    add("--primary", metavar="METRIC", help="the accuracy the question is about")
    add("--batch-size", type=int, default=64, metavar="N", help="images per forward pass")
    add("--workers", type=int, default=0, metavar="N", help="threads that decode images")
    add("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="processes")
    add("--force", action="store_true", help="compute again what is stored")
    add("--no-report", action="store_true", help="stop after the tables")


def _feature_options(parser: argparse.ArgumentParser) -> None:
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


def _run(arguments: argparse.Namespace) -> int:
    from tdafeat.study import Study

    _refuse_mixtures(arguments)
    if arguments.script is not None:
        study = _declared_for(_load_script(Path(arguments.script)), arguments.data)
    elif arguments.features is not None:
        study = Study(
            name=arguments.name or "features",
            question="Does the shape of this feature space tell how robust its classifier is?",
            features={arguments.name or "features": _own_features(arguments)},
        )
    else:
        name = (arguments.data or "textures").split(":")[0]
        study = Study(
            name=name,
            question=f"Does the shape of a feature space of {name} tell how robust its "
            "classifier is?",
        )
    changes = {"name": arguments.name, "question": arguments.question}
    return _run_study(replace(study, **{k: v for k, v in changes.items() if v}), arguments)


def _refuse_mixtures(arguments: argparse.Namespace) -> None:
    """An option that would be ignored is an error, not a surprise in the report."""
    own = ("noisy", "train", "labels", "ids", "train_labels", "train_ids")
    images = ("data", "root", "encoder", "noise", "levels", "corrupted", "limit", "seed")
    given = {name for name in (*own, *images) if getattr(arguments, name) not in (None, [])}
    if arguments.features is None and given & set(own):
        raise ValueError(f"--{min(given & set(own)).replace('_', '-')} goes with --features")
    if arguments.features is not None and given & set(images):
        raise ValueError(f"--{min(given & set(images))} does not go with --features")
    if arguments.features is not None and arguments.script is not None:
        raise ValueError("give a study script or --features, not both")


def _run_study(study: Study, arguments: argparse.Namespace) -> int:
    changes: dict[str, Any] = {
        "dataset": arguments.data,
        "encoders": arguments.encoder,
        "optional": () if arguments.encoder else None,
        "noise": arguments.noise,
        "levels": arguments.levels,
        "corrupted": arguments.corrupted,
        "analyses": arguments.analysis,
        "limit": arguments.limit,
        "seeds": None if arguments.seed is None else (arguments.seed,),
        "primary": arguments.primary,
    }
    study = replace(study, **{name: value for name, value in changes.items() if value is not None})
    if arguments.noise is not None and arguments.levels is None:
        study = replace(study, levels=None)  # the declared levels were those of another noise
    out = Path(arguments.out or Path("reports") / study.name)
    run = study.run(
        out,
        root=arguments.root,
        store=arguments.store,
        device=arguments.device,
        batch_size=arguments.batch_size,
        workers=arguments.workers,
        jobs=arguments.jobs,
        force=arguments.force,
    )
    holes = run.manifest["holes"]
    for hole in holes:
        cell = hole["cell"]
        where = f"{cell['encoder']}, severity {cell['severity']}"
        print(f"failed: {hole['stage']} of {where}: {hole['error']}", file=sys.stderr)
    if arguments.no_report:
        print(out)
    else:
        from tdafeat.report import write

        print("writing the report", file=sys.stderr)
        for path in write(run):
            print(path)
    return 1 if holes else 0


def _load_script(path: Path) -> list[Study]:
    """The `STUDY` a script declares, and its others. Scripts are trusted Python and executed."""
    import runpy

    from tdafeat.errors import DataUnavailable, UnreadableData
    from tdafeat.study import Study

    if not path.is_file():
        raise DataUnavailable(f"{path}: there is no such study script")
    declared = runpy.run_path(str(path))
    if not isinstance(declared.get("STUDY"), Study):
        raise UnreadableData(f"{path}: a study script must declare STUDY = Study(...)")
    others = [value for value in declared.values() if isinstance(value, Study)]
    return [declared["STUDY"], *others]


def _own_features(arguments: argparse.Namespace) -> Any:
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


def _report(arguments: argparse.Namespace) -> int:
    from tdafeat.report import write
    from tdafeat.run import Run

    for path in write(Run.read(arguments.run)):
        print(path)
    return 0


def _list(arguments: argparse.Namespace) -> int:
    if arguments.kind == "metrics":
        from tdafeat.record import metrics

        for name, metric in metrics.items():
            arrow = {"higher": "up", "lower": "down", None: ""}[metric.better]
            print(f"{name:<28} {metric.room:<11} {arrow:<5} {metric.summary}")
    elif arguments.kind == "analyses":
        from tdafeat.record import analyses

        for name, analysis in analyses.items():
            print(f"{name:<16} {_first_line(analysis.function)}")
    elif arguments.kind == "noises":
        from tdafeat.noise import load, noises

        for name in noises:
            noise = load(name)
            levels = " ".join(f"{level:g}" for level in noise.levels)
            print(f"{name:<22} {noise.units:<11} {noise.parameter:<8} {levels}")
    elif arguments.kind == "datasets":
        from tdafeat.datasets import datasets

        for name, loader in datasets.items():
            print(f"{name:<16} {_first_line(loader)}")
    else:
        from tdafeat.encoders import encoders
        from tdafeat.encoders.catalogue import table

        for line in table():
            print(line)
        print("\nfamilies, for any other model by name")
        for name, family in encoders.items():
            print(f"  {name:<12} {_first_line(family)}")
    return 0


def _first_line(thing: Any) -> str:
    return (thing.__doc__ or "").strip().split("\n")[0]


def _doctor(arguments: argparse.Namespace) -> int:
    import torch

    from tdafeat.writing import versions

    print("packages")
    for name, version in versions().items():
        print(f"  {name:<16} {version}")
    print("device")
    cuda = torch.cuda.get_device_name(0) if torch.cuda.is_available() else "none; CPU is used"
    print(f"  {'CUDA':<16} {cuda}")
    print(f"  {'cores':<16} {os.cpu_count()}")
    print("data")
    root = Path(os.environ.get("TDAFEAT_DATA") or "data")
    for name, folder in (("dtd", "dtd"), ("fashion_mnist", "FashionMNIST")):
        found = "found" if (root / folder).is_dir() else "not here; downloaded when first used"
        print(f"  {name:<16} {root / folder}: {found}")
    return 0


def _guarded(action: Callable[[], int]) -> int:
    """Run, and turn what a user can mend into one sentence and an exit code."""
    from tdafeat.errors import TdafeatError

    try:
        return action()
    except KeyboardInterrupt:
        print("interrupted; what was finished is kept, run again to go on", file=sys.stderr)
        return 130
    except OSError as error:
        if error.errno == errno.ENOSPC:
            message = "the disk is full; what was finished is kept, make room and run again"
        else:
            message = str(error)
        print(f"tdafeat: {message}", file=sys.stderr)
        return 2
    except (TdafeatError, ValueError, TypeError) as error:
        if os.environ.get("TDAFEAT_TRACEBACK"):
            raise
        print(f"tdafeat: {error}", file=sys.stderr)
        return 2
    except Exception:
        traceback.print_exc()
        return 3
