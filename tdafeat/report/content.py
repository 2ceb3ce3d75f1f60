"""The content of a report, from a run: which sections there are and what each says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from tdafeat.errors import UnreadableData
from tdafeat.figures import frames
from tdafeat.report import (
    accuracy,
    analyses,
    background,
    beyond,
    correlations,
    diagrams,
    geometry,
    likeness,
    maps,
)
from tdafeat.report.model import Block, Report, Section, Thumbnails
from tdafeat.report.records import Records
from tdafeat.run import SPRITE, Run
from tdafeat.wording import printed

ORDER: tuple[tuple[str, Callable[[Run, Records], Iterator[Block]]], ...] = (
    ("Accuracy {along}", accuracy.accuracy),
    ("Persistence diagrams", diagrams.diagrams),
    ("Distances between diagrams", diagrams.distances),
    ("Angles between classes", geometry.angles),
    ("Spectra and geometry", geometry.spectra),
    ("Feature spaces side by side", likeness.similarities),
    ("Maps of the features", maps.projections),
    ("Null baselines", beyond.baselines),
    ("What goes with accuracy", correlations.associations),
    ("What topology adds", beyond.added),
    ("What clean features foretell", beyond.prediction),
    ("Training", accuracy.training),
    ("Methods", background.methods),
    ("Definitions", background.definitions),
    ("All measurements", background.measurements),
    ("What failed", background.holes),
    ("Provenance", background.provenance),
    ("References", background.references),
)


def build(run: Run, thumbnails: bool = True) -> Report:
    """Everything the page and the document say; a section without data is left out.

    Parameters
    ----------
    run : what is reported.
    thumbnails : whether the report may hold small pictures of the images.
    """
    if not thumbnails:
        run = replace(run, pictures=run.pictures[run.pictures["analysis"] != ""])
    records = Records(run)
    sections = list(analyses.sections(run))
    for title, blocks_of in ORDER:
        blocks = tuple(blocks_of(run, records))
        if blocks:
            named = title.format(along=records.words.along).rstrip()
            sections.append(Section(named, blocks))
    manifest = run.manifest
    title = str(manifest["title"] or manifest["name"] or "Report")
    answer = tuple(printed(str(sentence)) for sentence in manifest["answer"])
    levels = run.metrics[["severity", "parameter", "noise", "encoder", "layer"]].drop_duplicates()
    return Report(
        title,
        str(manifest["question"]),
        answer,
        _facts(run, records),
        tuple(sections),
        classes=tuple(map(str, manifest["classes"])),
        levels=tuple(frames.levels(frames.with_names(levels))),
        level_title=records.words.fixed,
        thumbnails=_thumbnails(run) if thumbnails else None,
    )


def _thumbnails(run: Run) -> Thumbnails | None:
    """The sprite of the run folder, where it has one."""
    sprite = run.sprite
    if sprite is None or run.thumbnails.empty:
        return None
    if sprite[:4] != b"RIFF" or sprite[8:12] != b"WEBP":
        raise UnreadableData(f"{run.folder / SPRITE} is not a WebP file")
    table = run.thumbnails
    places = zip(table["column"].tolist(), table["row"].tolist(), strict=True)
    return Thumbnails(sprite, dict(zip(table["image"], places, strict=True)))


def _facts(run: Run, records: Records) -> str:
    """One line saying what was looked at."""
    manifest = run.manifest
    parts = [f"{manifest['dataset']}, {manifest['split']} split" if manifest["split"] else ""]
    if n := len(manifest["classes"]):
        each = manifest["n_per_class"]
        parts.append(
            f"{n} {'class' if n == 1 else 'classes'}" + (f" of {each} images" * bool(each))
        )
    parts.append(", ".join(str(encoder["name"]) for encoder in manifest["encoders"]))
    if manifest["noise"]:
        noise = manifest["noise"]
        levels = ", ".join(f"{level:g}" for level in noise.get("levels", []))
        kind = records.words.kind.format(name=noise.get("name"))
        parts.append(f"{kind}, {noise.get('parameter')} {levels}")
    return " · ".join(part for part in parts if part)
