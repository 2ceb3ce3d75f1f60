"""Extraction part by part: what is stored is left; with cores to spare, decoding goes ahead."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tdafeat.cells import write_part
from tdafeat.holes import Hole
from tdafeat.progress import Progress
from tdafeat.store import Store
from tdafeat.watch import Watch

if TYPE_CHECKING:
    from tdafeat.datasets import ImageSet
    from tdafeat.encoders import Encoder
    from tdafeat.extraction import Compute, Decoded, Forward
    from tdafeat.noise import Noise

Specs = Mapping[int, Mapping[str, Any]]
"""By severity, the address of the features in the store."""


@dataclass(frozen=True)
class Part:
    """Some images of a study.

    Attributes
    ----------
    seed : of their noise.
    specs : by encoder, where their features belong.
    """

    seed: int
    images: ImageSet
    specs: Mapping[Encoder, Specs]


def extract_parts(
    parts: Sequence[Part],
    noise: Noise | None,
    compute: Compute,
    store: Store,
    force: bool,
    watch: Watch,
) -> list[Hole]:
    """Put every part through every encoder, at the severities it is specified for.

    An encoder that fails on one part is not asked for the others of that seed, since its cells
    need them all. Failures are told and returned, not raised, unless no encoder is left; a full
    disk or a store that fails ends it, as in `tdafeat.tasks.run_tasks`.
    """
    from tdafeat.extraction import Forward

    lacking = [(part, _lacking(part, store, force)) for part in parts]
    steps = _steps((part, list(part.specs)) for part in parts)
    ready: dict[Encoder, Forward] = {}
    holes: dict[tuple[int, Encoder], Hole] = {}
    asked = {(part.seed, encoder) for part in parts for encoder in part.specs}
    with watch.count("features", steps) as progress:
        progress.advance(steps - _steps(lacking), found=True)
        for part, encoders, decoded in _decoded_ahead(lacking, compute):
            for encoder in encoders:
                key, before = (part.seed, encoder), progress.done
                if key not in holes:
                    try:
                        if encoder not in ready:
                            ready[encoder] = Forward(encoder, compute)
                        specs = part.specs[encoder]
                        _extract(part, specs, decoded, ready[encoder], noise, store, progress)
                    except Exception as error:  # any failure of one encoder is a hole
                        holes[key] = Hole.of("features", _label(part, encoder), error)
                        if len(holes) == len(asked):
                            raise
                        holes[key].tell(watch.log)
                if key in holes:
                    progress.advance(before - progress.done)  # what it encoded is not kept
                    progress.advance(_steps([(part, [encoder])]), failed=True)
    return list(holes.values())


def _label(part: Part, encoder: Encoder) -> dict[str, Any]:
    about = {"dataset": part.images.name, "split": part.images.split}
    return {**about, "encoder": encoder.name, "layer": encoder.layer, "seed": part.seed}


def _steps(parts: Iterable[tuple[Part, Sequence[Encoder]]]) -> int:
    """Images to encode, over all severities."""
    return sum(len(part.images) * len(part.specs[e]) for part, encoders in parts for e in encoders)


def _lacking(part: Part, store: Store, force: bool) -> list[Encoder]:
    """The encoders of which features are missing."""
    if force:
        for specs in part.specs.values():
            for spec in specs.values():
                store.remove("features", spec)
    return [encoder for encoder, specs in part.specs.items() if not _complete(specs, store)]


def _complete(specs: Specs, store: Store) -> bool:
    return all(store.intact("features", spec) for spec in specs.values())


def _decoded_ahead(
    parts: Iterable[tuple[Part, Sequence[Encoder]]], compute: Compute
) -> Iterator[tuple[Part, Sequence[Encoder], Decoded]]:
    """The parts that lack something; the next is being decoded while one is encoded, if ahead."""
    from tdafeat.extraction import Decoded

    waiting: deque[tuple[Part, Sequence[Encoder], Decoded]] = deque()
    try:
        for part, encoders in parts:
            if encoders:
                views = [encoder.preprocessing for encoder in encoders]
                decoded = Decoded(part.images, views, compute.threads, compute.ahead)
                waiting.append((part, encoders, decoded))
            if len(waiting) == 2:
                yield waiting[0]
                waiting.popleft()[2].close()
        if waiting:
            yield waiting[0]
    finally:
        for _, _, decoded in waiting:
            decoded.close()


def _extract(
    part: Part,
    specs: Specs,
    decoded: Decoded,
    forward: Forward,
    noise: Noise | None,
    store: Store,
    progress: Progress,
) -> None:
    from tdafeat.extraction import extract_decoded

    before = progress.done

    def report(done: int, _total: int) -> None:
        progress.advance(before + done - progress.done)

    with store.claim_all("features", specs.values()):
        if _complete(specs, store):  # another run has just made them
            progress.advance(len(part.images) * len(specs), found=True)
            return
        noised = noise if len(specs) > 1 else None
        levels = extract_decoded(decoded, forward, noised, part.seed, report)
        for severity, spec in specs.items():
            write_part(store, spec, levels[severity])
