"""The artefacts of a study: what each is made of, and so under which key it is stored."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tdafeat import stages
from tdafeat.cells import Cell
from tdafeat.record import analyses, metrics
from tdafeat.sources import Group
from tdafeat.store import Store, digest
from tdafeat.tasks import Task
from tdafeat.wording import TRAINING

if TYPE_CHECKING:
    from tdafeat.study import Study


class Plan:
    """The artefacts of a study and what each is made of."""

    def __init__(self, study: Study, groups: Sequence[Group]) -> None:
        self.study = study
        self.groups = groups

    def stages(self, store: Store) -> Iterator[tuple[str, list[Task]]]:
        """Titles and tasks in the order they must run."""
        yield "topology", [task for group in self.groups for task in self.topology(group).values()]
        yield "probe", [task for group in self.groups for task in self.probes(group).values()]
        yield "scores", [task for group in self.groups for task in self.scores(group).values()]
        yield "measure", [task for group in self.groups for task in self.measure(group).values()]
        yield "robustness", [task for group in self.groups for task in self.robustness(group)]
        yield "projection", [task for group in self.groups for task in self.projections(group)]
        if pairs := self.pairs():
            yield "similarity", [self.similarity(*pair) for pair in pairs]
        if self.study.analyses:
            yield "analyses", [task for group in self.groups for task in self.analyses(group)]
        if self.has_baselines:
            yield "baselines", [self.baseline(group) for group in self.groups]
        yield "statistics", self.statistics(store)

    @property
    def has_baselines(self) -> bool:
        """Whether surrogates are measured: not of a training, which has no clean level."""
        return self.study.baselines > 0 and self.study.variants is None

    def _task(self, stage: str, label: Cell, inputs: Mapping[str, Any], **arguments: Any) -> Task:
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

    def probes(self, group: Group) -> dict[str, Task]:
        """Linear probes, by the key of the features they are fitted on."""
        tasks: dict[str, Task] = {}
        for severity, train in group.train.items():
            if train.key not in tasks:
                inputs, label = {"train": train.key}, group.cells[severity]
                tasks[train.key] = self._task("probe", label, inputs, train=train)
        return tasks

    def scores(self, group: Group) -> dict[int, Task]:
        """Class scores of the predictors, by severity."""
        probes, tasks = self.probes(group), {}
        for severity, cloud in group.clouds.items():
            train = group.train[severity]
            heads = {"probe": ("probe", probes[train.key].spec)}
            if group.head is not None:
                heads["head"] = ("head", group.head)
            inputs = {
                "cloud": cloud.key,
                "train": train.key,
                "heads": {name: digest(dict(spec)) for name, (_, spec) in heads.items()},
                "text": digest(dict(group.text)) if group.text else None,
            }
            arguments = {"cloud": cloud, "train": train, "heads": heads, "text": group.text}
            tasks[severity] = self._task("scores", group.cells[severity], inputs, **arguments)
        return tasks

    def measure(self, group: Group) -> dict[int, Task]:
        """Metrics, pairs, spectra and predictions, by severity."""
        chosen = tuple(metric for _, metric in sorted(metrics.items()))
        diagrams = self.topology(group)
        scores = self.scores(group)
        tasks = {}
        for severity, cloud in group.clouds.items():
            specs = (diagrams[severity].spec, diagrams[0].spec)
            inputs = {
                "cloud": cloud.key,
                "clean": group.clouds[0].key,
                "topology": [digest(spec) for spec in specs],
                "scores": digest(scores[severity].spec),
                "severity": severity,
                "metrics": [[metric.name, metric.version] for metric in chosen],
            }
            tasks[severity] = self._task(
                "measure",
                group.cells[severity],
                inputs,
                cell=group.cells[severity],
                chosen=chosen,
                cloud=cloud,
                clean=group.clouds[0],
                topology_specs=specs,
                scores_spec=scores[severity].spec,
            )
        return tasks

    def robustness(self, group: Group) -> list[Task]:
        """Summaries over all severities; none without noise, or of a training."""
        measured = {severity: task.spec for severity, task in self.measure(group).items()}
        if group.cells[0].noise == TRAINING or len(measured) < 2:
            return []
        inputs = {
            "measured": {str(s): digest(spec) for s, spec in measured.items()},
            "tokens": group.tokens,
            "random_state": 0,
        }
        arguments = {"measured": measured, "tokens": group.tokens, "random_state": 0}
        return [self._task("robustness", group.cells[0], inputs, **arguments)]

    def projections(self, group: Group) -> list[Task]:
        """The joint maps of each method."""
        options = {
            "n_images": self.study.n_projected,
            "n_classes": self.study.n_mapped_classes,
            "random_state": 0,
        }
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

    def pairs(self) -> list[tuple[Group, Group]]:
        """Feature spaces to compare with each other: those that share noise and seed."""
        cells = [group.cells[0] for group in self.groups]
        return [
            (self.groups[i], self.groups[j])
            for i, j in itertools.combinations(range(len(cells)), 2)
            if (cells[i].noise, cells[i].seed) == (cells[j].noise, cells[j].seed)
        ]

    def similarity(self, group: Group, other: Group) -> Task:
        """How alike two feature spaces are, at the severities that both have."""
        chosen = tuple(metric for _, metric in sorted(metrics.items()) if metric.across_spaces)
        clouds = {
            severity: (cloud, other.clouds[severity])
            for severity, cloud in group.clouds.items()
            if severity in other.clouds
        }
        task = self._task(
            "similarity",
            group.cells[0],
            {
                "clouds": {str(s): [cloud.key for cloud in both] for s, both in clouds.items()},
                "metrics": [[metric.name, metric.version] for metric in chosen],
            },
            chosen=chosen,
            clouds=clouds,
            names=(group.cells[0].encoder, other.cells[0].encoder),
        )
        second = {"encoder_b": other.cells[0].encoder, "layer_b": other.cells[0].layer}
        return replace(task, label={**task.label, **second})

    def analyses(self, group: Group) -> list[Task]:
        """What the study does with the clean features beside measuring them."""
        return [
            self._task(
                "analysis",
                group.cells[0],
                {
                    "analysis": [name, analyses[name].version],
                    "cloud": group.clouds[0].key,
                    "train": group.train[0].key,
                    "image_shape": group.image_shape,
                },
                chosen=analyses[name],
                cloud=group.clouds[0],
                train=group.train[0],
                image_shape=group.image_shape,
            )
            for name in self.study.analyses
        ]

    def baseline(self, group: Group) -> Task:
        """Metrics of surrogates of the clouds at all severities."""
        chosen = tuple(metric for _, metric in sorted(metrics.items()))
        options = {"maxdim": self.study.maxdim, "n_draws": self.study.baselines, "random_state": 0}
        return self._task(
            "baseline",
            group.cells[0],
            {
                "clouds": {str(s): cloud.key for s, cloud in group.clouds.items()},
                "metrics": [[metric.name, metric.version] for metric in chosen],
                **options,
            },
            clouds=group.clouds,
            chosen=chosen,
            **options,
        )

    def statistics(self, store: Store) -> list[Task]:
        """Associations, predictions and added value over the cells that were measured."""
        cells = [
            (group.cells[severity], task.spec)
            for group in self.groups
            for severity, task in self.measure(group).items()
            if store.intact("measure", task.spec)
        ]
        measured = [[cell.columns(), digest(spec)] for cell, spec in cells]
        primary = self.study.primary
        return [
            self._task(
                "statistics",
                self.groups[0].cells[0],
                {"cells": measured, "primary": primary, "table": table},
                cells=cells,
                primary=primary,
                table=table,
                random_state=0,
            )
            for table in stages.STATISTICS
        ]
