"""A study: one question, declared; its cells, run stage by stage; a run folder, written whole.

    images or features -> features -> topology, scores -> measure -> projection, statistics -> run

Every stage looks in the store first, so a second run computes nothing, a killed one goes on
where it stopped, and one more encoder or noise level costs only its own cells.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tdafeat.cells import Cell, Cloud
from tdafeat.store import Store, digest
from tdafeat.tasks import Task, run_tasks

if TYPE_CHECKING:
    from tdafeat.encoders import Encoder
    from tdafeat.features import FeatureSet
    from tdafeat.noise import Noise
    from tdafeat.run import Run


@dataclass(frozen=True)
class Levels:
    """Your own features of one encoder: clean, noisy by severity (1, 2, ...), and train.

    Without `train`, half of the images of each class (chosen by a hash of their ids) fit the
    predictors and the other half is measured.
    """

    clean: FeatureSet
    noisy: Mapping[int, FeatureSet]
    train: FeatureSet | None = None


@dataclass(frozen=True)
class Study:
    """A question, and the cells that answer it.

    Parameters
    ----------
    name : short, names the folder of the run.
    question, title : what the report opens with.
    dataset : name as `tdafeat.datasets.load` takes it.
    encoders : names as `tdafeat.encoders.load` takes them, or encoders of your own.
    noise : name as `tdafeat.noise.load` takes it, a `Noise`, or None for clean images alone.
    levels : parameter per severity, instead of the noise's own list.
    corrupted : folder of images already corrupted, instead of a noise.
    features : your own features by encoder name, instead of data set, encoders and noise.
    primary : the accuracy the question is about, chosen before looking.
    limit : at most so many test images per class (and as many train images).
    seeds : one run of the noise (and of procedural images) for each.
    maxdim : highest homology degree, at least 1.
    n_landmarks : clouds larger than this are thinned to so many farthest-point landmarks.
    projections : methods of `tdafeat.projection.project`.
    n_projected : images shown in projections, at most.

    Examples
    --------
    >>> study = Study("pixels", "Do raw pixels suffice?", encoders=("pixels",), limit=20)
    >>> study.run("reports/pixels")  # doctest: +SKIP
    """

    name: str
    question: str
    title: str = ""
    dataset: str = "textures"
    encoders: Sequence[str | Encoder] = ("pixels",)
    noise: str | Noise | None = "gaussian"
    levels: Sequence[float] | None = None
    corrupted: str | Path | None = None
    features: Mapping[str, Levels] | None = None
    primary: str = "probe_accuracy"
    limit: int | None = None
    seeds: Sequence[int] = (0,)
    maxdim: int = 1
    n_landmarks: int | None = 2000
    projections: Sequence[str] = ("pca", "tsne")
    n_projected: int = 400

    def but(self, **changes: Any) -> Study:
        """The same study with some fields changed."""
        return replace(self, **changes)

    def run(
        self,
        out: str | Path,
        *,
        root: str | Path | None = None,
        store: str | Path | None = None,
        device: str = "auto",
        batch_size: int = 64,
        workers: int = 0,
        jobs: int = 1,
        force: bool = False,
        quiet: bool = False,
    ) -> Run:
        """Compute what is missing and write the run folder.

        Parameters
        ----------
        out : folder of the run; its tables and manifest are replaced, other files stay.
        root : folder of the data sets; ``$TDAFEAT_DATA`` or ``data`` if None.
        store : folder of computed cells; ``$TDAFEAT_STORE`` or ``data/store`` if None.
        device : ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"cuda:1"``.
        batch_size, workers : images per forward pass, threads that decode images.
        jobs : processes that share the cells.
        force : compute again what is in the store.

        Returns
        -------
        Run. Cells that failed are its ``manifest["holes"]``.

        Raises
        ------
        ValueError or TdafeatError before anything is computed, if the study cannot run.
        """
        from tdafeat.sources import FeatureSource, ImageSource
        from tdafeat.writing import write_run

        started = time.monotonic()
        where = Store(store or os.environ.get("TDAFEAT_STORE") or Path("data") / "store")
        source: FeatureSource | ImageSource
        if self.features is not None:
            source = FeatureSource(self.features)
        else:
            source = ImageSource.load(self, root, device, batch_size, workers)
        self._check(source.has_text)
        plan = Plan(self, source.extract(where, force=force, quiet=quiet))
        holes, seconds = [], {"features": time.monotonic() - started}
        began = time.monotonic()
        for title, tasks in plan.stages(where):
            holes += run_tasks(title, tasks, where, jobs, force, quiet)
            seconds[title], began = time.monotonic() - began, time.monotonic()
        return write_run(self, source, plan, where, holes, seconds, Path(out))

    def _check(self, has_text: bool) -> None:
        from tdafeat.record import metrics

        if self.maxdim < 1:
            raise ValueError(
                f"maxdim must be at least 1: a study measures H0 and H1; got {self.maxdim}"
            )
        if metrics[self.primary].room != "evaluation":
            raise ValueError(f"primary must be an accuracy; {self.primary!r} is not")
        if self.primary.startswith("zero_shot") and not has_text:
            raise ValueError(
                f"primary {self.primary!r} needs an encoder with a text tower in every cell; "
                f"take an open_clip encoder, or another primary such as probe_accuracy"
            )


@dataclass(frozen=True)
class Group:
    """The cells of one encoder and seed: the same images at every severity.

    Attributes
    ----------
    cells, clouds : by severity; 0 (clean) is always there.
    train : clean features the predictors are fitted on.
    text : specification of the stored class directions of a text tower, if there is one.
    """

    cells: Mapping[int, Cell]
    clouds: Mapping[int, Cloud]
    train: Cloud
    text: Mapping[str, Any] | None = None


class Plan:
    """The artefacts of a study and what each is made of."""

    def __init__(self, study: Study, groups: Sequence[Group]) -> None:
        self.study = study
        self.groups = groups

    def stages(self, store: Store) -> Iterator[tuple[str, list[Task]]]:
        """Titles and tasks in the order they must run."""
        yield "topology", [task for group in self.groups for task in self.topology(group).values()]
        yield "scores", [self.scores(group) for group in self.groups]
        yield "measure", [task for group in self.groups for task in self.measure(group).values()]
        yield "projection", [task for group in self.groups for task in self.projections(group)]
        yield "statistics", [self.statistics(store)]

    def _task(self, stage: str, label: Cell, inputs: Mapping[str, Any], **arguments: Any) -> Task:
        from tdafeat import stages

        spec = {"version": stages.VERSIONS[stage], **inputs}
        return Task(stage, spec, label.columns(), getattr(stages, stage), arguments)

    def topology(self, group: Group) -> dict[int, Task]:
        """Diagrams, by severity."""
        options = {"maxdim": self.study.maxdim, "n_landmarks": self.study.n_landmarks}
        return {
            severity: self._task(
                "topology",
                group.cells[severity],
                {"cloud": cloud.key, **options},
                cloud=cloud,
                **options,
            )
            for severity, cloud in group.clouds.items()
        }

    def scores(self, group: Group) -> Task:
        """Class scores of the predictors, all severities at once."""
        inputs = {
            "train": group.train.key,
            "clouds": {str(s): cloud.key for s, cloud in group.clouds.items()},
            "text": digest(dict(group.text)) if group.text else None,
        }
        return self._task(
            "scores",
            group.cells[0],
            inputs,
            train=group.train,
            clouds=group.clouds,
            text=group.text,
        )

    def measure(self, group: Group) -> dict[int, Task]:
        """Metrics, pairs, spectra and predictions, by severity."""
        from tdafeat.record import metrics

        names = sorted(metrics)
        diagrams, scores = self.topology(group), self.scores(group)
        tasks = {}
        for severity, cloud in group.clouds.items():
            specs = (diagrams[severity].spec, diagrams[0].spec)
            inputs = {
                "cloud": cloud.key,
                "clean": group.clouds[0].key,
                "topology": [digest(spec) for spec in specs],
                "scores": digest(scores.spec),
                "metrics": names,
            }
            tasks[severity] = self._task(
                "measure",
                group.cells[severity],
                inputs,
                cell=group.cells[severity],
                names=names,
                cloud=cloud,
                clean=group.clouds[0],
                topology_specs=specs,
                scores_spec=scores.spec,
            )
        return tasks

    def projections(self, group: Group) -> list[Task]:
        """One joint map per method."""
        options = {"n_images": self.study.n_projected, "random_state": 0}
        clouds = {str(s): cloud.key for s, cloud in group.clouds.items()}
        return [
            self._task(
                "projection",
                group.cells[0],
                {"clouds": clouds, "method": method, **options},
                clouds=group.clouds,
                method=method,
                **options,
            )
            for method in self.study.projections
        ]

    def statistics(self, store: Store) -> Task:
        """Associations over the cells that were measured."""
        cells = {
            digest(task.spec): (group.cells[severity], task.spec)
            for group in self.groups
            for severity, task in self.measure(group).items()
            if store.intact("measure", task.spec)
        }
        return self._task(
            "statistics",
            self.groups[0].cells[0],
            {
                "cells": {key: cell.columns() for key, (cell, _) in cells.items()},
                "primary": self.study.primary,
            },
            cells=cells,
            primary=self.study.primary,
            random_state=0,
        )
