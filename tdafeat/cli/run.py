"""``tdafeat run``: a study from a script, from named data or from files of features."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tdafeat.cli.guard import guarded, parsed
from tdafeat.cli.options import (
    add_feature_options,
    add_study_options,
    own_features,
    refuse_mixtures,
)
from tdafeat.log import Log

if TYPE_CHECKING:
    from tdafeat.study import Study


def add(commands: Any) -> None:
    """Add the command to the ``tdafeat`` parser."""
    run = commands.add_parser(
        "run", help="run a study, from a script or from options", allow_abbrev=False
    )
    run.add_argument("script", nargs="?", help="a study script, e.g. studies/quickstart.py")
    run.add_argument("--name", help="name of the study (default: of the data set)")
    run.add_argument("--question", help="the question the report opens with")
    add_study_options(run)
    add_feature_options(run)
    run.set_defaults(action=_run)


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
    add_study_options(parser)
    arguments = parsed(parser, argv)
    chosen = _declared_for([study, *others], arguments.data)
    return guarded(lambda: _run_study(chosen, arguments), arguments.log)


def _declared_for(studies: Sequence[Study], dataset: str | None) -> Study:
    """The declaration made for this data set, else the first."""
    return next((study for study in studies if study.dataset == dataset), studies[0])


def _run(arguments: argparse.Namespace) -> int:
    from tdafeat.study import Study

    refuse_mixtures(arguments)
    if arguments.script is not None:
        study = _declared_for(_load_script(Path(arguments.script)), arguments.data)
    elif arguments.features is not None:
        study = Study(
            name=arguments.name or "features",
            question="Does the shape of this feature space tell how robust its classifier is?",
            features={arguments.name or "features": own_features(arguments)},
        )
    elif arguments.data is None:
        raise ValueError(
            "name a study script, --data or --features; `tdafeat list datasets` says what there is"
        )
    else:
        name = arguments.data.split(":")[0]
        study = Study(
            name=name,
            question=f"Does the shape of a feature space of {name} tell how robust its "
            "classifier is?",
        )
    changes = {"name": arguments.name, "question": arguments.question}
    return _run_study(replace(study, **{k: v for k, v in changes.items() if v}), arguments)


def _run_study(study: Study, arguments: argparse.Namespace) -> int:
    from tdafeat.checks import as_file_name
    from tdafeat.files import at

    changes: dict[str, Any] = {
        "dataset": arguments.data,
        "encoders": arguments.encoder,
        "optional": () if arguments.encoder else None,
        "noise": arguments.noise,
        "levels": arguments.levels,
        "corrupted": arguments.corrupted,
        "analyses": arguments.analysis,
        "limit": arguments.limit,
        "n_landmarks": arguments.landmarks,
        "prompts": arguments.prompts,
        "seeds": arguments.seed,
        "primary": arguments.primary,
        "thumbnails": False if arguments.no_thumbnails else None,
    }
    study = replace(study, **{name: value for name, value in changes.items() if value is not None})
    if arguments.noise is not None and arguments.levels is None:
        study = replace(study, levels=None)  # the declared levels were those of another noise
    out = at(arguments.out or Path("reports") / as_file_name(study.name, "name"))
    how: dict[str, Any] = {
        "root": arguments.root,
        "store": arguments.store,
        "device": arguments.device,
        "precision": arguments.precision,
        "batch_size": arguments.batch_size,
        "compile": arguments.compile,
        "workers": arguments.workers,
        "jobs": arguments.jobs,
    }
    how |= {"backend": arguments.backend, "scheduler": arguments.scheduler}
    if arguments.dry_run:
        print(study.forecast(out, **how, force=arguments.force))
        return 0
    run = study.run(out, **how, force=arguments.force, log=arguments.log)
    holes = run.manifest["holes"]
    if arguments.no_report:
        print(out)
    else:
        from tdafeat.report import write

        Log(arguments.log)("report", "writing the report")
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
    try:
        declared = runpy.run_path(str(path))
    except Exception as error:  # whatever the script stumbles over, it is the user's to mend
        raise UnreadableData(_stumbled(path, error)) from error
    if not isinstance(declared.get("STUDY"), Study):
        raise UnreadableData(f"{path}: a study script must declare STUDY = Study(...)")
    others = [value for value in declared.values() if isinstance(value, Study)]
    return [declared["STUDY"], *others]


def _stumbled(path: Path, error: Exception) -> str:
    """Where in a script an error arose, and what it says."""
    import traceback

    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == str(path)]
    said: object = error
    if isinstance(error, SyntaxError) and error.filename == str(path):
        lines, said = [error.lineno], error.msg
    where = f", line {lines[-1]}" if lines else ""
    return f"{path}{where}: {type(error).__name__}: {said}"
