"""Features along a training: every checkpoint is an encoder, every step a level.

A variant trains; its weights at the steps asked for go into the store, so that a study trains
once, whatever is asked of the networks afterwards.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from tdafeat.course import CRITERION
from tdafeat.holes import Hole
from tdafeat.sources.groups import Group, Size
from tdafeat.sources.images import ImageSource
from tdafeat.sources.sets import load_sets
from tdafeat.sources.variants import Variant, steps_of, variants_of
from tdafeat.store import Store, digest, stored
from tdafeat.watch import Watch
from tdafeat.wording import TRAINING

if TYPE_CHECKING:
    from torch import Tensor

    from tdafeat.datasets import ImageSet
    from tdafeat.encoders import Encoder
    from tdafeat.extraction import Compute
    from tdafeat.study import Study

REMEMBERED = 2**30  # bytes of decoded images kept for the next checkpoint
TRAINING_VERSION = 1  # raise it whenever the same variant is trained to other weights than before


@dataclass
class TrainingSource:
    """Variants of a training, and the images they are trained and measured on.

    Attributes
    ----------
    over : the images that every checkpoint encodes; its encoders are left out.
    whole : by seed, all train images: what the variants are trained on.
    encoders : the last checkpoint of each variant, once extracted.
    training : what was logged, once extracted.
    """

    variants: Mapping[str, Variant]
    steps: tuple[int, ...]
    over: ImageSource
    whole: Mapping[int, ImageSet]
    encoders: dict[str, Encoder] = field(default_factory=dict)
    training: pd.DataFrame = field(default_factory=pd.DataFrame)
    has_text: bool = False
    has_head: bool = False
    has_pixels: bool = False
    noise: None = None

    @classmethod
    def load(cls, study: Study, root: str | Path | None, compute: Compute) -> TrainingSource:
        """Everything the study names, or the first error in it, before anything is computed."""
        from tdafeat import datasets

        variants, steps = variants_of(study), steps_of(study.steps)
        tests, limited = load_sets(study, root)
        tests = {seed: remembering(images) for seed, images in tests.items()}
        whole = {
            seed: remembering(datasets.load(study.dataset, "train", root, seed=seed))
            for seed in limited
        }
        trains = {
            seed: images if study.limit is None else images.per_class(study.limit, seed)
            for seed, images in whole.items()
        }
        over = ImageSource(tests, trains, dict.fromkeys(tests, ()), (), (), None, compute)
        return cls(variants, steps, over, whole)

    @property
    def images(self) -> ImageSet:
        """Test images of the first seed: those the report shows."""
        return self.over.images

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names."""
        return self.over.classes

    @property
    def n_per_class(self) -> int:
        """Test images of each class: of all classes the same number."""
        return self.over.n_per_class

    def sizes(self) -> dict[tuple[str, str], Size]:
        """How large the clouds of every variant are; of how many features is not known yet."""
        test, train = self.images, next(iter(self.over.trains.values()))
        cells = len(self.steps) * len(self.whole)
        size = Size(len(test), len(train), 0, len(self.classes), cells)
        return {(name, ""): size for name in self.variants}

    def remarks(self) -> list[str]:
        """What a reader must know of these features, for the report."""
        n_images = len(next(iter(self.whole.values())))
        remarks = [
            *replace(
                self.over,
                encoders={seed: tuple(self.encoders.values()) for seed in self.whole},
                texts=("",) * len(self.encoders),
            ).remarks(),
            f"Every variant was given the {n_images} train images of {self.images.name}, of which "
            f"it may hold some out for a score of its own; predictors are fitted and asked anew "
            f"at every step.",
            CRITERION,
        ]
        if len(self.whole) == 1:
            seed = next(iter(self.whole))
            remarks.append(
                f"One training per variant (seed {seed}): another draw of weights and images may "
                "take another course, and how far courses spread is not shown."
            )
        return remarks

    def describe(self) -> list[dict[str, Any]]:
        """The variants, for the manifest."""
        return [
            {
                "name": name,
                "layer": encoder.layer,
                "dimension": encoder.dimension,
                "version": encoder.version,
                "preprocessing": asdict(encoder.preprocessing),
                "text": False,
                "training": dict(self.variants[name].spec),
            }
            for name, encoder in self.encoders.items()
        ]

    def extract(self, store: Store, force: bool, watch: Watch) -> tuple[list[Group], list[Hole]]:
        """Train what is missing, and put every image through every checkpoint.

        Returns
        -------
        The cells, and which trainings and checkpoints failed; the error where no training is left.
        """
        runs, holes = self._trained(store, force, watch)
        logged = [self._logged(store, name, seed) for name, seed in runs]
        self.training = pd.concat(logged, ignore_index=True)
        groups: list[Group] = []
        with watch.count("features", len(runs) * len(self.steps)) as progress:
            for name, seed in runs:
                made = {}
                for step in self.steps:
                    made[step], hole = self._encoded(store, name, seed, step, force)
                    if hole is not None:
                        hole.tell(watch.log)
                        holes.append(hole)
                    progress.advance(failed=hole is not None)
                groups.append(self._along(made))
        return groups, holes

    def _trained(
        self, store: Store, force: bool, watch: Watch
    ) -> tuple[list[tuple[str, int]], list[Hole]]:
        """Variant and seed of the trainings that are there now, and those that failed."""
        asked = [(name, seed) for name in self.variants for seed in self.whole]
        done, holes = [], []
        for number, (name, seed) in enumerate(asked, start=1):
            try:
                self._train(store, name, seed, force, watch, f"{number} of {len(asked)}")
                done.append((name, seed))
            except Exception as error:  # any failure of one training is a hole
                holes.append(Hole.of("training", self._label(name, seed), error))
                if len(holes) == len(asked):
                    raise
                holes[-1].tell(watch.log)
        return done, holes

    def _train(
        self, store: Store, name: str, seed: int, force: bool, watch: Watch, place: str
    ) -> None:
        spec = self._spec(name, seed)
        checkpoints = {step: spec | {"step": step} for step in self.steps}
        if force:
            with store.claim("training", spec, wait=False) as mine:
                if mine:  # what another run trains right now is as new as is asked for
                    store.remove("training", spec)
                    for checkpoint in checkpoints.values():
                        store.remove("checkpoint", checkpoint)

        def missing() -> list[int]:
            return [s for s, c in checkpoints.items() if not store.intact("checkpoint", c)]

        def observe(step: int, weights: Mapping[str, Tensor]) -> None:
            if step in checkpoints:  # one course: an earlier training's networks are replaced
                store.write("checkpoint", checkpoints[step], arrays={"weights": _packed(weights)})

        with contextlib.ExitStack() as held:
            held.enter_context(store.claim("training", spec))
            if not missing() and store.intact("training", spec):
                return
            unfinished = store.unfinished(digest(spec | {"steps": list(self.steps)}))
            folder = held.enter_context(unfinished)
            if not missing() and store.intact("training", spec):
                return  # behind a URL nothing is claimed, and another run may have made it
            if force:
                shutil.rmtree(folder)
                folder.mkdir()
            text = f"training {name} (seed {seed}), {place}"
            watch.log("training", text, variant=name, seed=seed)
            log = self.variants[name].train(
                self.whole[seed], self.steps, seed, self.over.compute.place, folder, observe
            )
            if behind := missing():
                raise ValueError(f"variant {name!r} showed no weights at step {behind[0]}")
            rows = pd.DataFrame([dict(row) for row in log] or {"step": []})
            long = rows.melt("step", var_name="quantity")
            store.write("training", spec, tables={"log": long.dropna()})
            shutil.rmtree(folder, ignore_errors=True)

    def _logged(self, store: Store, name: str, seed: int) -> pd.DataFrame:
        log = stored(store, "training", self._spec(name, seed)).tables["log"]
        return log.assign(variant=name, seed=seed)

    def _spec(self, name: str, seed: int) -> dict[str, Any]:
        """Everything that changes the course of this training."""
        images = self.whole[seed]
        return {
            "version": TRAINING_VERSION,
            "variant": dict(self.variants[name].spec),
            "dataset": {"name": images.name, "version": images.version, "split": images.split},
            "images": digest(list(images.ids)),
            "seed": seed,
        }

    def _encoded(
        self, store: Store, name: str, seed: int, step: int, force: bool
    ) -> tuple[Group, Hole | None]:
        """A checkpoint is an encoder: its features are those of a study without noise."""
        encoder = self.encoders[name] = self._encoder(store, name, seed, step)
        over, hole = self._over(seed, encoder), None
        try:
            over.extract(store, force, Watch())
        except Exception as error:  # any failure of one checkpoint is a hole
            hole = Hole.of("features", self._label(name, seed) | {"step": step}, error)
        return over.groups(store)[0], hole

    def _label(self, name: str, seed: int) -> dict[str, Any]:
        return {"dataset": self.images.name, "encoder": name, "seed": seed}

    def groups(self, store: Store, encoders: Mapping[tuple[str, int, int], Encoder]) -> list[Group]:
        """The cells of every variant and seed, given their encoders by name, seed and step."""
        return [
            self._along(
                {s: self._over(seed, encoders[name, seed, s]).groups(store)[0] for s in self.steps}
            )
            for name in self.variants
            for seed in self.whole
        ]

    def _over(self, seed: int, encoder: Encoder) -> ImageSource:
        """One checkpoint and the images of its seed."""
        return replace(
            self.over,
            tests={seed: self.over.tests[seed]},
            trains={seed: self.over.trains[seed]},
            encoders={seed: (encoder,)},
            texts=("a checkpoint has no text tower",),
        )

    def _along(self, made: Mapping[int, Group]) -> Group:
        """The groups of the checkpoints of one training as one."""
        cells, clouds, train = {}, {}, {}
        for level, (step, group) in enumerate(made.items()):
            cell = replace(group.cells[0], noise=TRAINING, severity=level, parameter=float(step))
            cells[level], clouds[level], train[level] = cell, group.clouds[0], group.train[0]
        return Group(cells, clouds, train)

    def stored_encoders(self, store: Store) -> dict[tuple[str, int, int], Encoder]:
        """The checkpoints that are in the store, by variant, seed and step."""
        return {
            (name, seed, step): self._encoder(store, name, seed, step)
            for name in self.variants
            for seed in self.whole
            for step in self.steps
            if store.intact("checkpoint", self._spec(name, seed) | {"step": step})
        }

    def _encoder(self, store: Store, name: str, seed: int, step: int) -> Encoder:
        from safetensors.torch import load

        spec = self._spec(name, seed) | {"step": step}
        packed = stored(store, "checkpoint", spec).arrays["weights"]
        return self.variants[name].encoder(name, load(packed.tobytes()))


def _packed(weights: Mapping[str, Tensor]) -> np.ndarray:
    """Named weights as the bytes of a safetensors file."""
    from safetensors.torch import save

    copies = {name: tensor.detach().cpu().clone() for name, tensor in weights.items()}
    return np.frombuffer(save(copies), dtype=np.uint8)


def remembering(images: ImageSet) -> ImageSet:
    """The same images, each read from its file (or painted) once and kept, memory allowing."""
    fitting = max(1, REMEMBERED // max(1, images.read(0).nbytes))
    return replace(images, read=lru_cache(maxsize=fitting)(images.read))
