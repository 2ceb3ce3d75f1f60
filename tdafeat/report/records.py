"""What is known of the metrics in a run: titles, directions, units, definitions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tdafeat.run import Run
from tdafeat.wording import wording

ARROWS = {"higher": " ↑", "lower": " ↓"}


@dataclass(frozen=True)
class Description:
    """A metric in words."""

    title: str
    room: str = ""
    better: str | None = None
    unit: str = ""
    summary: str = ""
    source: str = ""

    @property
    def arrow(self) -> str:
        """The title with an arrow in the better direction, if there is one."""
        return self.title + ARROWS.get(self.better or "", "")


class Records(Mapping[str, Description]):
    """Descriptions of the run's metrics by name.

    The manifest's own descriptions come first, so that an old run keeps its definitions; what
    it does not describe is looked up among the installed metrics.

    Attributes
    ----------
    words : for the run's levels, of a noise or of a training.
    """

    def __init__(self, run: Run) -> None:
        self.words = wording(str(run.manifest["noise"].get("name", "")))
        tables = (
            *(run.metrics, run.pairs, run.similarities, run.baselines),
            *(run.associations, run.prediction, run.added),
        )
        names = list(dict.fromkeys(name for table in tables for name in table["metric"]))
        described = run.manifest["metrics"]
        self._known = {n: _described(described[n]) for n in names if n in described}
        rest = [name for name in names if name not in self._known]
        self._known.update(_installed(rest) if rest else {})
        for name, about in self._known.items():
            self._known[name] = replace(about, title=self.words.titled(about.title))

    def __getitem__(self, name: str) -> Description:
        return self._known[name]

    def __iter__(self) -> Any:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)

    def titles(self, names: Iterable[str]) -> dict[str, str]:
        """Titles with arrows, by name; two metrics of one title keep their names beside it."""
        arrows = {name: self[name].arrow for name in names}
        shared = [title for title in arrows.values() if list(arrows.values()).count(title) > 1]
        return {n: f"{title} ({n})" if title in shared else title for n, title in arrows.items()}


def _described(entry: Mapping[str, Any]) -> Description:
    fields = Description.__dataclass_fields__
    return Description(**{key: entry[key] for key in fields if entry.get(key) is not None})


def _installed(names: Iterable[str]) -> dict[str, Description]:
    """From the registry; a metric that is not installed here goes by its name alone."""
    plain = {name: Description(name.replace("_", " ")) for name in names}
    try:
        from tdafeat.record import metrics

        known = {name: metrics[name] for name in plain if name in metrics}
    except ImportError:  # the metrics need more packages than a report does
        return plain
    return plain | {
        name: Description(m.title, m.room, m.better, m.unit, m.summary, m.source)
        for name, m in known.items()
    }
