"""What failed of a run that went on: a hole each, but one for all that an encoder takes along."""

from __future__ import annotations

import traceback
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tdafeat.errors import Missing, StoreFailed, in_words
from tdafeat.files import FULL
from tdafeat.log import Log

SPACE = ("dataset", "encoder", "layer", "seed")


@dataclass(frozen=True)
class Hole:
    """A task, an extraction or a training that failed: the run goes on, the report shows it."""

    stage: str
    label: Mapping[str, Any]
    error: str
    trace: str

    @classmethod
    def of(cls, stage: str, label: Mapping[str, Any], error: Exception) -> Hole:
        """What a failure leaves; the error again where nothing made after it could be kept."""
        if isinstance(error, StoreFailed) or getattr(error, "errno", None) in FULL:
            raise error
        said = str(error).split("\n")[0]
        reason = in_words(error).split("\n")[0] if said else type(error).__name__
        kind = Fallen if isinstance(error, Missing) else cls
        return kind(stage, label, reason, "".join(traceback.format_exception(error)))

    def tell(self, log: Log) -> None:
        """Say it at once: a run may go on for days."""
        log("failed", f"failed: {self}", **asdict(self))

    def __str__(self) -> str:
        coordinates = ", ".join(str(value) for value in self.label.values() if value != "")
        return f"{self.stage} of {coordinates}: {self.error}"


class Fallen(Hole):
    """A task that lacks what another should have made: the hole of that one tells why."""


def fold(holes: Sequence[Hole], log: Log) -> list[Hole]:
    """The holes, with those that fell away as one for each encoder and seed, which is told.

    What two encoders are compared by falls away with the one that lacks the same for itself.
    """
    fallen = [hole for hole in holes if isinstance(hole, Fallen)]
    alone = {(_space(hole.label), hole.error) for hole in fallen if "encoder_b" not in hole.label}
    by_space: dict[tuple[Any, ...], list[Fallen]] = {}
    for hole in fallen:
        space = _space(hole.label)
        if "encoder_b" in hole.label and (space, hole.error) not in alone:
            space = _space(hole.label, "_b")
        by_space.setdefault(space, []).append(hole)
    folded = []
    for space, lost in by_space.items():
        stages = ", ".join(dict.fromkeys(hole.stage for hole in lost))
        error = f"{len(lost)} fell away ({stages}): {lost[0].error}"
        folded.append(Hole("cells", dict(zip(SPACE, space, strict=True)), error, ""))
    for one in folded:
        one.tell(log)
    return [hole for hole in holes if not isinstance(hole, Fallen)] + folded


def _space(label: Mapping[str, Any], which: str = "") -> tuple[Any, ...]:
    """The feature space that a task is about; of two that it compares, the second with ``"_b"``."""
    one = {**label, "encoder": label["encoder" + which], "layer": label["layer" + which]}
    return tuple(one[key] for key in SPACE)
