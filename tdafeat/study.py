"""A study: one question, declared; its cells, run stage by stage; a run folder, written whole.

    images or features -> features -> topology, scores -> measure -> projection, statistics -> run

Every stage looks in the store first, so a second run computes nothing, a killed one goes on
where it stopped, and one more encoder costs only its own cells.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tdafeat.backends import Backend, check_shareable, computing
from tdafeat.checks import as_file_name, check_distinct
from tdafeat.files import asking, at
from tdafeat.holes import fold
from tdafeat.jobs import n_workers
from tdafeat.log import Form, Log
from tdafeat.store import store_at
from tdafeat.tasks import run_tasks
from tdafeat.watch import Watch

if TYPE_CHECKING:
    from tdafeat.encoders import Encoder
    from tdafeat.extraction.compute import Compute, Precision
    from tdafeat.noise import Noise
    from tdafeat.preflight import Forecast
    from tdafeat.run import Run
    from tdafeat.sources import Levels, Source, Variant


@dataclass(frozen=True)
class Study:
    """A question, and the cells that answer it.

    Parameters
    ----------
    name : short, names the folder of the run.
    question, title : what the report opens with.
    dataset : name as `tdafeat.datasets.load` takes it.
    encoders : names as `tdafeat.encoders.load` takes them, or encoders of your own.
    optional : further names, left out where their weights cannot be had; the report's notes say
        which, and how to get them.
    noise : name as `tdafeat.noise.load` takes it, a `Noise`, or None for clean images alone.
    levels : parameter per severity, instead of the noise's own list.
    corrupted : folder of images already corrupted, instead of a noise.
    features : your own features by encoder name, instead of data set, encoders and noise.
    variants : ways to train an encoder by name, instead of encoders and noise; each is trained on
        all train images of the data set.
    steps : of the training, at which the variants are measured, 0 being the untrained network.
    primary : the accuracy the question is about, chosen before looking.
    limit : at most so many test images per class (and as many train images).
    prompts : templates with ``{}`` for the class name, a text file of them, or the name of a list
        (`tdafeat.encoders.read_prompts`): what encoders with a text tower are asked with,
        instead of the prompts that suit the data set.
    seeds : one run of the noise or training (and of procedural images) for each.
    maxdim : highest homology degree, at least 1.
    n_landmarks : clouds larger than this are thinned to so many farthest-point landmarks.
    projections : methods of `tdafeat.projection.project`: ``"pca"``, ``"tsne"``, ``"umap"``,
        ``"pacmap"`` (extra ``[pacmap]``); each fitted once to the images of all levels.
    baselines : draws of the surrogate clouds that stand beside the metrics: halves of the clean
        cloud, and Gaussians with its moments; 0 for none.
    n_projected : images shown in projections, at most.
    n_mapped_classes : where there are more classes, a second map shows so many of them, evenly
        spread over the list and fitted on these alone; None for no such map.
    analyses : names of `tdafeat.record.analyses`: what is done with the clean features beside
        measuring them, each a section of the report.
    thumbnails : whether the run keeps small pictures of the images in maps, for its report to show.

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
    optional: Sequence[str] = ()
    noise: str | Noise | None = "gaussian"
    levels: Sequence[float] | None = None
    corrupted: str | Path | None = None
    features: Mapping[str, Levels] | None = None
    variants: Mapping[str, Variant] | None = None
    steps: Sequence[int] = ()
    primary: str = "probe_accuracy"
    limit: int | None = None
    prompts: Sequence[str] | str | Path | None = None
    seeds: Sequence[int] = (0,)
    maxdim: int = 1
    n_landmarks: int | None = 2000
    projections: Sequence[str] = ("pca", "tsne")
    baselines: int = 2
    n_projected: int = 400
    n_mapped_classes: int | None = None
    analyses: Sequence[str] = ()
    thumbnails: bool = True

    def run(
        self,
        out: str | Path,
        *,
        root: str | Path | None = None,
        store: str | Path | None = None,
        device: str = "auto",
        precision: Precision = "float32",
        batch_size: int | Literal["auto"] = "auto",
        compile: bool = False,
        workers: int | Literal["auto"] = "auto",
        jobs: int | None = None,
        backend: Backend = "joblib",
        scheduler: str | None = None,
        force: bool = False,
        quiet: bool = False,
        log: Form = "text",
    ) -> Run:
        """Compute what is missing and write the run folder.

        Parameters
        ----------
        out : folder of the run, or its URL; its tables and manifest are replaced, other files stay.
        root : folder of the data sets; ``$TDAFEAT_DATA`` or ``data`` if None.
        store : folder of computed cells, or its URL; ``$TDAFEAT_STORE`` or ``data/store`` if None.
        device, precision, batch_size, compile, workers : of the forward passes, as
            `tdafeat.extraction.Compute` explains them.
        jobs : processes that share the cells, -1 for all cores; None for this process itself, in
            which Ctrl-C waits for compiled code to return.
        backend, scheduler : ``"dask"`` and ``"tcp://HOST:8786"`` for a Dask cluster, whose workers
            see the same store; features are extracted here. Dask sends calls as pickles and asks
            nobody who they are: take a cluster of your own, in a network you trust.
        force : compute again what is in the store.
        quiet, log : tell nothing, or what goes on as ``"text"`` or as ``"json"`` lines.

        Returns
        -------
        Run. Encoders and cells that failed are its ``manifest["holes"]``.

        Raises
        ------
        ValueError or TdafeatError before anything is computed, if the study cannot run.
        """
        from tdafeat.extraction import Compute
        from tdafeat.plan import Plan
        from tdafeat.stages import compile_distances
        from tdafeat.writing import write_run

        started = time.monotonic()
        where = store_at(store)
        compute = Compute(device, precision, batch_size, compile, workers)
        source = self._source(root, compute)
        folder = at(out)
        # what a cluster's workers have of memory is not known here
        self._check(source, folder, 1 if backend == "dask" else n_workers(jobs, "jobs"))
        told = Log("quiet" if quiet else log)
        with (
            computing(jobs, backend, scheduler, where, told) as work,
            Watch(folder, told, self.name) as watch,
        ):
            groups, holes = source.extract(where, force, watch)
            plan = Plan(self, groups)
            seconds = {"features": time.monotonic() - started}
            made: dict[str, tuple[int, int]] = {}
            began = time.monotonic()
            total = sum(len(tasks) for _, tasks in plan.stages(where))
            with watch.count("cells", total) as progress:
                for title, tasks in plan.stages(where):
                    found = progress.found
                    # One worker compiles what measuring needs while the others compute diagrams.
                    first = title == "topology" and jobs is not None
                    ahead = compile_distances if first else None
                    holes += run_tasks(title, tasks, where, work, watch, progress, force, ahead)
                    seconds[title], began = time.monotonic() - began, time.monotonic()
                    made[title] = len(tasks) - (progress.found - found), len(tasks)
            holes = fold(holes, told)
            return write_run(self, source, plan, where, holes, seconds, made, folder)

    def forecast(
        self,
        out: str | Path | None = None,
        *,
        root: str | Path | None = None,
        store: str | Path | None = None,
        device: str = "auto",
        precision: Precision = "float32",
        batch_size: int | Literal["auto"] = "auto",
        compile: bool = False,
        workers: int | Literal["auto"] = "auto",
        jobs: int | None = None,
        backend: Backend = "joblib",
        scheduler: str | None = None,
        force: bool = False,
    ) -> Forecast:
        """What a run with these options would take, by small samples; nothing is kept.

        A cluster is looked at, and counted as one process: its workers share the time.

        Raises
        ------
        ValueError or TdafeatError where the study cannot run, or a cell would not fit into memory.
        """
        from tdafeat.extraction import Compute
        from tdafeat.preflight import forecast

        processes = 1 if backend == "dask" else n_workers(jobs, "jobs")
        where = store_at(store)
        if jobs is not None or backend == "dask":
            check_shareable(where)
        source = self._source(root, Compute(device, precision, batch_size, compile, workers))
        self._check(source, at(out or "."), processes)
        with computing(jobs, backend, scheduler):  # refuses what a run would be refused
            return forecast(self, source, where, processes, force)

    def _source(self, root: str | Path | None, compute: Compute) -> Source:
        """Where the features come from, or the first error in what the study names."""
        from tdafeat.sources import FeatureSource, ImageSource, TrainingSource

        for name in ("encoders", "optional", "projections", "analyses"):
            if isinstance(given := getattr(self, name), str):
                raise TypeError(f"{name} must be a sequence of names; got {given!r}")
        check_distinct(self.seeds, "seeds")
        check_distinct(() if self.levels is None else self.levels, "levels")
        if self.variants is not None:
            return TrainingSource.load(self, root, compute)
        if self.features is not None:
            if self.prompts is not None:
                raise ValueError("prompts are put to encoders: they cannot go with features")
            return FeatureSource(self.features)
        return ImageSource.load(self, root, compute)

    def _check(self, source: Source, out: Path, jobs: int) -> None:
        from tdafeat.capacity import check_memory, free_memory
        from tdafeat.projection import check_method
        from tdafeat.record import analyses, metrics

        as_file_name(self.name, "name")
        with asking(out):
            is_file = out.exists() and not out.is_dir()
        if is_file:
            raise ValueError(f"out must be a folder; {out} is a file")
        if self.steps and self.variants is None:
            raise ValueError("steps are those of a training: they need variants")
        if self.maxdim < 1:
            raise ValueError(f"maxdim must be at least 1, for H0 and H1; got {self.maxdim}")
        if self.n_landmarks is not None and self.n_landmarks < 2:
            raise ValueError(f"n_landmarks must be at least 2; got {self.n_landmarks}")
        if self.n_mapped_classes is not None and self.n_mapped_classes < 2:
            raise ValueError(
                f"n_mapped_classes must be at least 2, or None; got {self.n_mapped_classes}"
            )
        if self.baselines < 0:
            raise ValueError(f"baselines must be a number of draws, or 0; got {self.baselines}")
        for method in self.projections:
            check_method(method, "projections")
        check_distinct(self.projections, "projections")
        accuracies = [name for name in metrics if name.endswith("_accuracy")]
        if metrics[self.primary].name not in accuracies:
            raise ValueError(
                f"primary must be one of {', '.join(accuracies)}; got {self.primary!r}"
            )
        if self.primary.startswith("zero_shot") and not source.has_text:
            raise ValueError(
                f"primary {self.primary!r} needs an encoder with a text tower in every cell; "
                f"take an open_clip encoder, or another primary such as probe_accuracy"
            )
        if self.primary.startswith("head") and not source.has_head:
            raise ValueError(
                f"primary {self.primary!r} needs encoders with a classifier of their own that was "
                f"taught these classes, such as densenet:fashion-mnist on fashion_mnist"
            )
        check_distinct(self.analyses, "analyses")
        for name in self.analyses:
            if analyses[name].of_images and not source.has_pixels:
                raise ValueError(
                    f"analysis {name!r} needs encoders whose features are images, such as "
                    f"pixels:28#grey"
                )
        check_memory(self, source.sizes(), free_memory(), jobs)
